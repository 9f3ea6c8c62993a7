"""Orders in the panel: the same rules, the same services, the same history as everywhere."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from orders_app.orders.domain import MOST_LINES
from tests import factories
from tests.admin.visitor import Visitor, edit_fields, listed, made_order, new_id, order_fields, read
from tests.callers import ORDERS, Caller


def test_an_order_made_in_the_panel_is_one_of_the_api(panel: Visitor, admin: Caller, alice: Caller) -> None:
    fields = order_fields(
        ("  Tea ", "2.50", "4"), ("", "", ""), ("Cake", "1e1", "0"), user="ALICE", status="confirmed"
    )
    answer = panel.post("/admin/orders/new/", **fields)
    page = panel.follow(answer)
    assert "The order is created." in page.text
    order = read(alice, new_id(answer))
    assert (order["user"], order["status"], order["total_price"]) == ("alice", "confirmed", "10.00")
    assert [(line["name"], line["price"], line["quantity"]) for line in order["products"]] == [
        ("Tea", "2.50", 4),
        ("Cake", "10.00", 0),
    ]
    events = admin.get(f"{ORDERS}{order['order_id']}/events/").get_json()
    assert [(event["event"], event["user"]) for event in events] == [("order.created", "admin")]


def test_rows_are_added_and_removed_without_javascript(panel: Visitor, admin: Caller) -> None:
    fields = order_fields(("Tea", "1", "1"), ("Cake", "2", "2"))
    more = panel.post("/admin/orders/new/", **fields, add_line="1")
    assert more.status_code == 200
    assert more.text.count('name="line-name"') == 3
    fewer = panel.post("/admin/orders/new/", **fields, remove_line="0")
    assert fewer.text.count('name="line-name"') == 1
    assert 'value="Cake"' in fewer.text
    for index in ("7", "-1", "x", "9" * 5000, "²"):
        assert panel.post("/admin/orders/new/", **fields, remove_line=index).status_code == 200
    assert admin.get(ORDERS).get_json() == []


def test_editing_keeps_product_ids_and_writes_history(
    panel: Visitor, admin: Caller, alice: Caller, log_dir: Path
) -> None:
    order = made_order(admin, user="alice")
    path = f"/admin/orders/edit/?id={order['order_id']}"
    assert order["products"][0]["product_id"] in panel.get(path).text
    assert read(alice, order["order_id"])["version"] == 1
    fields = edit_fields(order, status="confirmed")
    fields["line-quantity"] = ["3"]
    page = panel.follow(panel.post(path, **fields))
    assert "The order is saved." in page.text
    after = read(alice, order["order_id"])
    assert (after["version"], after["status"], after["total_price"]) == (2, "confirmed", "126.00")
    assert after["products"][0]["product_id"] == order["products"][0]["product_id"]
    event = admin.get(f"{ORDERS}{order['order_id']}/events/").get_json()[-1]
    assert (event["event"], event["user"], event["sequence"]) == ("order.status_changed", "admin", 2)
    assert order["order_id"] in (log_dir / "events.log").read_text()


def test_a_total_set_by_hand_survives_an_edit(panel: Visitor, admin: Caller) -> None:
    order = made_order(admin, total_price="5")
    page = panel.get(f"/admin/orders/edit/?id={order['order_id']}").text
    assert 'value="5.00"' in page
    fields = edit_fields(order, total_price="5.00")
    answer = panel.post(f"/admin/orders/edit/?id={order['order_id']}", **fields)
    assert "Nothing was different" in panel.follow(answer).text
    assert read(admin, order["order_id"])["version"] == 1


def test_buttons_are_the_moves_that_are_legal_now(panel: Visitor, admin: Caller) -> None:
    for status in ("pending", "confirmed", "cancelled", "completed"):
        order = made_order(admin, status=status)
        page = panel.get(f"/admin/orders/details/?id={order['order_id']}").text
        # One that asks for a reason is there twice: the second is for browsers without JavaScript.
        moves = dict.fromkeys(re.findall(r'name="to" value="(\w+)"', page))
        assert [*moves] == order["allowed_transitions"]


@pytest.mark.parametrize(
    ("status", "onward"), [("pending", "confirmed"), ("confirmed", "completed"), ("cancelled", "confirmed")]
)
def test_the_button_that_stands_out_moves_the_order_on(
    panel: Visitor, admin: Caller, status: str, onward: str
) -> None:
    order = made_order(admin, status=status)
    page = panel.get(f"/admin/orders/details/?id={order['order_id']}").text
    actions = page.partition('<div class="actions">')[2].partition("<dl")[0]
    standing_out = [form for form in re.findall(r"<form.*?</form>", actions, re.DOTALL) if "primary" in form]
    assert re.findall(r'name="to" value="(\w+)"', "".join(standing_out)) == [onward]


def test_a_move_is_made_and_an_illegal_one_is_explained(panel: Visitor, admin: Caller) -> None:
    order = made_order(admin)
    page = f"/admin/orders/details/?id={order['order_id']}"
    move = "/admin/orders/transition/"
    assert "The order is now confirmed." in panel.press(page, move).text
    confirmed = panel.button(page, move)
    panel.post(move, **{**confirmed, "to": "completed"})
    late = panel.post(move, **{**confirmed, "version": "3", "to": "pending"})
    assert "An order that is completed cannot become pending." in panel.follow(late).text
    unknown = panel.post(move, **{**confirmed, "version": "3", "to": "nope"})
    assert "There is no such status." in panel.follow(unknown).text
    assert read(admin, order["order_id"])["status"] == "completed"


def test_deleting_is_soft_and_can_be_undone(panel: Visitor, admin: Caller, alice: Caller) -> None:
    order = made_order(admin, user="alice")
    order_id = order["order_id"]
    details = f"/admin/orders/details/?id={order_id}"
    page = panel.press(details, "/admin/orders/delete/")
    assert "can be restored" in page.text
    assert "/admin/orders/edit/" not in page.text
    assert alice.get(f"{ORDERS}{order_id}/").status_code == 404
    assert listed(panel) == []
    assert listed(panel, is_deleted="true") == [order_id]
    again = panel.post("/admin/orders/delete/", id=order_id, version="2")
    assert "There is no such order." in panel.follow(again).text
    assert panel.post(f"/admin/orders/edit/?id={order_id}", **edit_fields(order)).status_code == 409
    assert "The order is restored." in panel.press(details, "/admin/orders/restore/").text
    assert alice.get(f"{ORDERS}{order_id}/").status_code == 200
    events = [event["event"] for event in admin.get(f"{ORDERS}{order_id}/events/").get_json()]
    assert events == ["order.created", "order.deleted", "order.restored"]


@pytest.mark.parametrize(
    "order_id", ["", "1", "x" * 300, "00000000-0000-0000-0000-000000000000", "\0", "%", "019ab0f2"]
)
def test_an_order_that_is_not_there_is_404(panel: Visitor, order_id: str) -> None:
    for action in ("details", "edit"):
        assert panel.get(f"/admin/orders/{action}/", query_string={"id": order_id}).status_code == 404
    for action in ("delete", "restore", "transition"):
        assert panel.post(f"/admin/orders/{action}/", id=order_id, to="confirmed").status_code == 404


def test_text_of_users_is_text_and_never_markup(panel: Visitor, admin: Caller) -> None:
    evil = "<script>alert(1)</script>\"'{{7*7}}"
    order = made_order(admin, products=[factories.line(name=evil)])
    for path in ("/admin/orders/?search=<script>", f"/admin/orders/details/?id={order['order_id']}"):
        text = panel.get(path).text
        assert "<script>alert" not in text
        assert "{{7*7}}" in text or "search" in path
    form = panel.get(f"/admin/orders/edit/?id={order['order_id']}").text
    assert "<script>alert" not in form
    assert evil in html.unescape(form)


def test_the_largest_order_is_edited_whole(panel: Visitor, admin: Caller) -> None:
    lines = [factories.line(name=f"line {number}", price="1", quantity=1) for number in range(MOST_LINES)]
    order = made_order(admin, products=lines)
    path = f"/admin/orders/edit/?id={order['order_id']}"
    fields = edit_fields(order)
    fields["line-name"][-1] = "the last"
    for name, texts in fields.items():
        if name.startswith("line-"):
            texts.insert(0, "")
    page = panel.follow(panel.post(path, **fields))
    assert "The order is saved." in page.text
    after = read(admin, order["order_id"])["products"]
    assert (len(after), after[-1]["name"]) == (MOST_LINES, "the last")
    assert after[0] == order["products"][0]
    fields["line-name"][0] = fields["line-price"][0] = fields["line-quantity"][0] = "1"
    fields["version"] = "2"
    refused = panel.post(path, **fields)
    assert refused.status_code == 422
    assert f"Between 1 and {MOST_LINES} lines." in refused.text
