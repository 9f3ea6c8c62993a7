"""Two people at one order: the second one sees what changed meanwhile, and overwrites nothing unseen."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from flask import Flask

from tests import factories
from tests.admin.visitor import Visitor, edit_fields, hidden, made_order, read
from tests.callers import ORDERS, Caller

SAVE_OVER = "Save my entries over it"
LOAD = "Load the order as it is now"


def _edit(order: dict[str, Any]) -> str:
    return f"/admin/orders/edit/?id={order['order_id']}"


def _change(caller: Caller, order: dict[str, Any], **changes: Any) -> dict[str, Any]:
    answer = caller("PATCH", f"{ORDERS}{order['order_id']}/", changes)
    assert answer.status_code == 200, answer.text
    after: dict[str, Any] = answer.get_json()
    return after


def words(page: str) -> str:
    """The text of a page, without its marks."""
    text = re.sub(r"<[^>]+>", " ", page[page.index("<main") :])
    return re.sub(r"\s+", " ", html.unescape(text))


def test_a_stale_save_shows_what_changed_and_keeps_what_was_typed(
    panel: Visitor, admin: Caller, alice: Caller
) -> None:
    order = made_order(admin, user="alice")
    line = order["products"][0]
    _change(alice, order, products=[{**line, "quantity": 5}, factories.line(name="Cake", price="3")])
    _change(alice, order, status="confirmed")
    fields = edit_fields(order, total_price="7.00", user="bob")
    fields["line-quantity"] = ["9"]
    before = read(admin, order["order_id"])
    answer = panel.post(_edit(order), **fields)
    assert answer.status_code == 409
    text = words(answer.text)
    assert "alice changed this order meanwhile" in text
    assert "Line changed (quantity) 2 × affe at 42.00 → became 5 × affe at 42.00" in text
    assert "Line added 2 × Cake at 3.00" in text
    assert "Total 84.00 → became 216.00" in text
    assert "Status pending → became confirmed" in text
    assert text.index("version 2") < text.index("version 3")
    for choice in (
        "Owner alice alice bob",
        "Status pending confirmed pending",
        "Total 84.00 216.00 7.00",
        "Line 1 2 × affe at 42.00 5 × affe at 42.00 9 × affe at 42.00",
        "A line that your form lacks – nothing 2 × Cake at 3.00 – nothing",
    ):
        assert choice in text
    assert {LOAD, SAVE_OVER} <= set(re.findall("Load the order as it is now|Save my entries over it", text))
    assert 'role="alert" tabindex="-1" autofocus' in answer.text
    for typed in ('value="7.00"', 'value="bob"', 'value="9"', '<option selected value="pending">'):
        assert typed in answer.text
    assert read(admin, order["order_id"]) == before


def test_saving_over_what_was_shown(panel: Visitor, admin: Caller, alice: Caller) -> None:
    order = made_order(admin, user="alice")
    _change(alice, order, products=[factories.line(name="theirs")])
    fields = edit_fields(order)
    fields["line-name"] = ["mine"]
    page = panel.post(_edit(order), **fields).text
    assert hidden(page, "version") == "2"
    saved = panel.post(_edit(order), **{**fields, "version": "2"})
    assert "The order is saved." in panel.follow(saved).text
    after = read(admin, order["order_id"])
    assert ([line["name"] for line in after["products"]], after["version"]) == (["mine"], 3)


def test_a_third_change_in_between_is_shown_too(panel: Visitor, admin: Caller, alice: Caller) -> None:
    order = made_order(admin, user="alice")
    _change(alice, order, total_price="1.00")
    fields = edit_fields(order, total_price="9.00")
    assert hidden(panel.post(_edit(order), **fields).text, "version") == "2"
    _change(alice, order, total_price="2.00")
    again = panel.post(_edit(order), **{**fields, "version": "2"})
    assert again.status_code == 409
    text = words(again.text)
    assert "Total 1.00 → became 2.00" in text
    assert "84.00" not in text
    assert "Total 1.00 2.00 9.00" in text
    assert hidden(again.text, "version") == "3"
    assert read(admin, order["order_id"])["total_price"] == "2.00"
    panel.post(_edit(order), **{**fields, "version": "3"})
    assert read(admin, order["order_id"])["total_price"] == "9.00"


def test_two_admins_and_oneself_are_named(app: Flask, panel: Visitor, admin: Caller) -> None:
    order = made_order(admin)
    fields = edit_fields(order, total_price="9.00")
    _change(admin, order, total_price="1.00")
    assert "You changed this order meanwhile, in another window" in panel.post(_edit(order), **fields).text
    factories.change_user(app, "bob", role="admin")
    other = Visitor.logged_in(app, "bob")
    other.post(_edit(order), **edit_fields(order, version="2", total_price="2.00"))
    assert "You and bob changed this order meanwhile" in panel.post(_edit(order), **fields).text
    theirs = other.post(_edit(order), **edit_fields(order, version="2", total_price="5.00"))
    assert "You changed this order meanwhile, in another window" in theirs.text


def test_the_same_change_twice_leaves_nothing_to_save(panel: Visitor, admin: Caller, alice: Caller) -> None:
    order = made_order(admin, user="alice")
    lines = [{key: line[key] for key in ("name", "price", "quantity")} for line in order["products"]]
    _change(alice, order, products=lines, total_price="5.00")
    answer = panel.post(_edit(order), **edit_fields(order, total_price="5.00", user="ALICE"))
    assert answer.status_code == 409
    text = words(answer.text)
    assert "What you entered is what stands now: there is nothing left to save." in text
    assert "Lines entered anew, the same as before" in text
    assert LOAD in text
    assert SAVE_OVER not in text


def test_a_page_that_does_not_say_what_it_showed_overwrites_nothing(panel: Visitor, admin: Caller) -> None:
    order = made_order(admin)
    for version in ["", "x", "9" * 5000, "²", "-1", "0", "99"]:
        fields = edit_fields(order, version=version, total_price="9.00")
        answer = panel.post(_edit(order), **fields)
        assert answer.status_code == 409
        text = words(answer.text)
        assert "This page does not say which version of the order it showed" in text
        assert "When you opened it" not in text
        assert "Total 84.00 9.00" in text
        button = {"id": order["order_id"], "version": version}
        for action, more in (("delete", {}), ("transition", {"to": "confirmed"})):
            told = panel.follow(panel.post(f"/admin/orders/{action}/", **button, **more))
            assert "Nothing was changed. The page you came from does not say" in told.text
        assert read(admin, order["order_id"]) == order


def test_a_status_that_can_no_longer_be_stays_chosen_and_is_explained(panel: Visitor, admin: Caller) -> None:
    order = made_order(admin)
    _change(admin, _change(admin, order, status="confirmed"), status="completed")
    answer = panel.post(_edit(order), **edit_fields(order, status="cancelled"))
    assert "An order that is completed cannot become cancelled: choose another" in answer.text
    assert '<option selected value="cancelled">' in answer.text
    more = panel.post(_edit(order), **edit_fields(order, status="cancelled", add_line="1"))
    assert '<option selected value="cancelled">' in more.text
    over = panel.post(_edit(order), **edit_fields(order, status="cancelled", version="3"))
    assert (over.status_code, "cannot become cancelled" in over.text) == (409, True)
    assert read(admin, order["order_id"])["status"] == "completed"


def test_an_order_deleted_meanwhile_keeps_what_was_typed(
    panel: Visitor, admin: Caller, alice: Caller
) -> None:
    order = made_order(admin, user="alice")
    alice("DELETE", f"{ORDERS}{order['order_id']}/")
    fields = edit_fields(order, total_price="9.00")
    for _ in range(2):
        answer = panel.post(_edit(order), **fields)
        assert answer.status_code == 409
        assert "alice deleted this order meanwhile" in answer.text
        assert 'value="9.00"' in answer.text
        assert f'href="/admin/orders/details/?id={order["order_id"]}" target="_blank"' in answer.text
        assert SAVE_OVER not in answer.text
    assert panel.post(_edit(order), **{**fields, "add_line": "1"}).text.count('name="line-name"') == 2
    panel.press(f"/admin/orders/details/?id={order['order_id']}", "/admin/orders/restore/")
    page = panel.post(_edit(order), **fields).text
    assert "alice and you changed this order meanwhile" in page
    panel.post(_edit(order), **{**fields, "version": hidden(page, "version")})
    assert read(admin, order["order_id"])["total_price"] == "9.00"


def test_a_deleted_order_is_not_opened_in_a_form(panel: Visitor, admin: Caller) -> None:
    order = made_order(admin)
    admin("DELETE", f"{ORDERS}{order['order_id']}/")
    page = panel.follow(panel.get(_edit(order))).text
    assert "This order is deleted. Restore it first" in page
    assert "/admin/orders/restore/" in page


def test_text_of_others_is_text_there_too(panel: Visitor, admin: Caller) -> None:
    order = made_order(admin)
    evil = "<script>alert(1)</script>"
    _change(admin, order, products=[factories.line(name=evil)])
    page = panel.post(_edit(order), **edit_fields(order)).text
    assert evil not in page
    assert html.escape(evil) in page


def test_a_page_tells_so_much_and_says_that_there_is_more(panel: Visitor, admin: Caller) -> None:
    lines = [factories.line(name=f"line {number}", price="1", quantity=1) for number in range(60)]
    order = made_order(admin, products=lines)
    _change(admin, order, products=[{**line, "price": "2"} for line in order["products"]])
    text = words(panel.post(_edit(order), **edit_fields(order)).text)
    assert text.count("Line changed (price)") == 39
    assert text.count("and 21 more") == 2
    for cents in range(25):
        _change(admin, order, total_price=f"1.{cents:02d}")
    text = words(panel.post(_edit(order), **edit_fields(order)).text)
    assert "These are the last 20 changes" in text
    assert "there are 6 more" in text
    assert "version 27" in text


class TestButtons:
    @pytest.mark.parametrize("action", ["delete", "transition"])
    def test_a_button_of_a_page_that_was_overtaken_does_nothing(
        self, panel: Visitor, admin: Caller, alice: Caller, action: str
    ) -> None:
        order = made_order(admin, user="alice")
        path = f"/admin/orders/{action}/"
        button = panel.button(f"/admin/orders/details/?id={order['order_id']}", path)
        after = _change(alice, order, products=[factories.line(name="Cake" * 60)] * 9)
        page = panel.follow(panel.post(path, **button))
        told = "Nothing was changed. alice changed this order meanwhile. Total: 84.00 → 756.00; Line "
        assert told in html.unescape(page.text)
        assert "and 7 more" in page.text
        assert 'role="alert" tabindex="-1" autofocus' in page.text
        assert read(admin, order["order_id"]) == after

    def test_restoring_what_was_restored_and_deleted_again(self, panel: Visitor, admin: Caller) -> None:
        order = made_order(admin)
        details = f"/admin/orders/details/?id={order['order_id']}"
        panel.press(details, "/admin/orders/delete/")
        button = panel.button(details, "/admin/orders/restore/")
        panel.press(details, "/admin/orders/restore/")
        late = panel.follow(panel.post("/admin/orders/restore/", **button))
        assert "Nothing was changed. You changed this order meanwhile" in late.text
        panel.press(details, "/admin/orders/delete/")
        late = panel.follow(panel.post("/admin/orders/restore/", **button))
        assert "Nothing was changed. You deleted this order meanwhile" in late.text
        assert read(admin, order["order_id"])["is_deleted"] is True


@pytest.mark.parametrize("version", [None, "", "0", "x"])
def test_a_form_without_the_version_it_was_opened_with_saves_nothing(
    panel: Visitor, admin: Caller, version: str | None
) -> None:
    order = made_order(admin)
    fields = edit_fields(order, total_price="7.00", version=version)
    if version is None:
        del fields["version"]
    assert panel.post(_edit(order), **fields).status_code == 409
    assert read(admin, order["order_id"]) == order
