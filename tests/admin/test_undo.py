"""A deletion by a slip costs one click: its message carries the way back, which undoes nothing else."""

from __future__ import annotations

import html
import re

import pytest
from flask import Flask

from tests.admin.visitor import Visitor, made_order
from tests.callers import ORDERS, USERS, Caller

DELETE, RESTORE = "/admin/orders/delete/", "/admin/orders/restore/"
SELECTED = "/admin/orders/selected/"
PASSWORD = "maria-password-1"


@pytest.fixture
def colleague(app: Flask, admin: Caller) -> Visitor:
    admin("POST", USERS, {"username": "maria", "password": PASSWORD, "role": "admin"})
    visitor = Visitor(app)
    visitor.log_in("maria", PASSWORD)
    return visitor


def undo_of(page: str) -> tuple[str, dict[str, list[str]]]:
    """Where the button beside the message sends what."""
    part = page.partition('class="message')[2].partition("</div>")[0]
    assert ">Undo</button>" in part
    sent: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', part):
        sent.setdefault(name, []).append(html.unescape(value))
    [action] = re.findall(r'<form method="post" action="([^"]+)"', part)
    return action, sent


def deleted(panel: Visitor, order: dict[str, str], **others: str) -> str:
    """Delete an order from its page; the page after that."""
    fields = {"id": order["order_id"], "version": "1", **others}
    return panel.follow(panel.post(DELETE, **fields)).text


def state(admin: Caller, order: dict[str, str]) -> tuple[bool, int]:
    found = admin.read(order).get_json()
    return found["is_deleted"], found["version"]


def test_one_click_takes_a_deletion_back(panel: Visitor, admin: Caller) -> None:
    order = made_order(admin)
    page = deleted(panel, order, among="status=pending&evil=1", reason="A slip.")
    assert "The order is deleted." in page
    assert state(admin, order) == (True, 2)
    action, sent = undo_of(page)
    assert action == RESTORE
    assert sent == {"id": [order["order_id"]], "version": ["2"], "among": ["status=pending"]}
    answer = panel.post(action, **sent)
    assert answer.location.endswith("among=status%3Dpending")
    back = panel.follow(answer).text
    assert "The order is restored." in back
    assert ">Undo</button>" not in back
    assert state(admin, order) == (False, 3)
    # The message is shown once.
    assert ">Undo</button>" not in panel.get(f"/admin/orders/details/?id={order['order_id']}").text


def test_the_button_asks_for_the_token_too(panel: Visitor, admin: Caller) -> None:
    order = made_order(admin)
    action, sent = undo_of(deleted(panel, order))
    assert panel.client.post(action, data=sent).status_code == 400
    assert panel.client.get(action, query_string=sent).status_code == 405
    assert state(admin, order) == (True, 2)


def test_what_a_colleague_did_meanwhile_stays(panel: Visitor, colleague: Visitor, admin: Caller) -> None:
    order = made_order(admin)
    action, sent = undo_of(deleted(panel, order))
    colleague.post(RESTORE, id=order["order_id"], version="2")
    page = panel.follow(panel.post(action, **sent)).text
    assert "Nothing was changed. maria changed this order meanwhile." in page
    assert state(admin, order) == (False, 3)
    colleague.post(DELETE, id=order["order_id"], version="3")
    page = panel.follow(panel.post(action, **sent)).text
    assert "Nothing was changed. maria deleted this order meanwhile." in page
    assert state(admin, order) == (True, 4)


def test_a_deletion_that_was_refused_offers_no_way_back(panel: Visitor, admin: Caller) -> None:
    order = made_order(admin)
    admin.patch(f"{ORDERS}{order['order_id']}/", {"status": "confirmed"})
    page = deleted(panel, order)
    assert "Nothing was changed." in page
    assert ">Undo</button>" not in page


def test_many_come_back_as_they_went(panel: Visitor, colleague: Visitor, admin: Caller) -> None:
    orders = [made_order(admin) for _ in range(4)]
    overtaken, restored = orders[0], orders[1]
    admin.patch(f"{ORDERS}{overtaken['order_id']}/", {"status": "confirmed"})
    gone = made_order(admin)
    admin.delete(f"{ORDERS}{gone['order_id']}/")
    ids = [f"{order['order_id']}@1" for order in (*orders, gone)]
    back = "/admin/orders/?status=pending"
    done = panel.post(SELECTED, action="delete", order_id=ids, confirmed="1", back=back).text
    assert "3 orders are changed. 2 are left as they are." in done
    action, sent = undo_of(done)
    assert (action, sent["action"], sent["back"]) == (SELECTED, ["restore"], [back])
    # Neither what was not deleted now, nor what had been deleted before.
    assert sent["order_id"] == [f"{order['order_id']}@2" for order in orders[1:]]
    colleague.post(RESTORE, id=restored["order_id"], version="2")
    page = panel.post(action, **sent).text
    assert "2 orders are changed. 1 is left as it is." in page
    assert "left as it is: somebody changed it meanwhile" in page
    assert ">Undo</button>" not in page
    assert [state(admin, order) for order in orders] == [(False, 2), (False, 3), (False, 3), (False, 3)]
    assert state(admin, gone) == (True, 2)
    again = panel.post(action, **sent).text
    assert "0 orders are changed. 3 are left as they are." in again


@pytest.mark.parametrize("action", ["confirmed", "cancelled"])
def test_only_a_deletion_is_taken_back(panel: Visitor, admin: Caller, action: str) -> None:
    order = made_order(admin)
    page = panel.post(SELECTED, action=action, order_id=f"{order['order_id']}@1", confirmed="1").text
    assert "1 order is changed." in page
    assert ">Undo</button>" not in page
