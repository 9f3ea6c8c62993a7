"""AD13: many orders are deleted in one transaction, or none is."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from orders_app.admin.orders.bulk import MOST_AT_ONCE
from orders_app.extensions import db, unit_of_work
from orders_app.history.models import OrderEventRow
from orders_app.orders import services
from orders_app.orders.domain import Owner
from orders_app.orders.models import Order, OrderLine
from orders_app.orders.recording import finish
from orders_app.shared.errors import Conflict
from tests import factories
from tests.admin.visitor import Visitor, listed, made_order
from tests.callers import ORDERS, Caller

PATH = "/admin/orders/selected/"
PAGE = "/admin/orders/details/?id="


def many(app: Flask, count: int) -> list[UUID]:
    """So many orders, half of them alice's and half of them bob's."""
    with app.app_context():
        admin = factories.actor("admin")
        owners = [Owner(factories.actor(name).user_id or uuid4(), name) for name in ("alice", "bob")]
        with unit_of_work() as uow:
            new = [(owners[number % 2], factories.new_order()) for number in range(count)]
            return [record.order_id for record in services.create_orders_for(uow, actor=admin, orders=new)]


def ticked(*ids: object) -> list[str]:
    """What the boxes of these orders send, as long as nobody has changed them."""
    return [f"{order_id}@1" for order_id in ids]


def counts(app: Flask) -> tuple[int, int, int, int]:
    """Orders, those of them that are deleted, lines, and events of deletion."""
    with app.app_context():
        session = db.session()
        deleted = select(func.count()).select_from(Order).where(Order.is_deleted)
        events = select(func.count()).select_from(OrderEventRow).where(OrderEventRow.event == "order.deleted")
        statements: list[Any] = [
            select(func.count()).select_from(Order),
            deleted,
            select(func.count()).select_from(OrderLine),
            events,
        ]
        found = [session.scalar(statement) or 0 for statement in statements]
        return found[0], found[1], found[2], found[3]


def test_ad13_a_thousand_orders_are_deleted_in_one_transaction(
    app: Flask, panel: Visitor, admin: Caller, alice: Caller, log_dir: Path
) -> None:
    ids = many(app, MOST_AT_ONCE)
    assert len(alice.orders(page_size=1)) == 1
    token = panel.token()
    commits: list[Session] = []

    def note(session: Session) -> None:
        commits.append(session)

    event.listen(Session, "after_commit", note)
    try:
        fields = {"action": "delete", "order_id": ticked(*ids), "confirmed": "1", "reason": "a test"}
        answer = panel.client.post(PATH, data={"csrf_token": token, **fields})
    finally:
        event.remove(Session, "after_commit", note)
    assert answer.status_code == 200
    assert len(commits) == 1
    assert f"{MOST_AT_ONCE} orders are changed." in answer.text
    assert counts(app) == (MOST_AT_ONCE,) * 4
    assert alice.orders() == admin.orders() == []
    order = admin.get(f"{ORDERS}{ids[7]}/").get_json()
    assert (order["is_deleted"], order["version"]) == (True, 2)
    history = admin.get(f"{ORDERS}{ids[7]}/events/").get_json()
    assert [(found["event"], found["user"]) for found in history][1:] == [("order.deleted", "admin")]
    lines = [json.loads(line) for line in (log_dir / "general.log").read_text().splitlines()]
    assert sum(line["event"] == "order.deleted" for line in lines) == MOST_AT_ONCE
    assert admin.post(f"{ORDERS}{ids[7]}/restore/").status_code == 200


def test_ad13_of_a_failure_in_the_middle_nothing_is_left(
    app: Flask, panel: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = many(app, 20)
    done = iter(range(20))

    def fail_at_ten(*args: Any) -> Any:
        if next(done) == 10:
            raise Conflict("In the middle.")
        return finish(*args)

    monkeypatch.setattr("orders_app.orders.many.finish", fail_at_ten)
    answer = panel.post(PATH, action="delete", order_id=ticked(*ids), confirmed="1")
    assert answer.status_code == 409
    assert counts(app) == (20, 0, 20, 0)


def test_ad13_more_than_a_thousand_are_refused(app: Flask, panel: Visitor) -> None:
    ids = [*many(app, 3), *(uuid4() for _ in range(MOST_AT_ONCE - 2))]
    answer = panel.post(PATH, action="delete", order_id=ticked(*ids), confirmed="1")
    assert (answer.status_code, answer.mimetype) == (413, "text/html")
    assert counts(app) == (3, 0, 3, 0)


def test_ad13_what_was_ticked_is_shown_before_it_is_deleted(
    app: Flask, panel: Visitor, admin: Caller
) -> None:
    """As a browser without JavaScript has it."""
    orders = [made_order(admin) for _ in range(3)]
    page = panel.get("/admin/orders/?status=pending").text
    boxes = re.findall(r'type="checkbox" name="order_id" value="([^"]+)" form="selected"', page)
    assert boxes == ticked(*(order["order_id"] for order in reversed(orders)))
    back = html.unescape(page.partition('name="back" value="')[2].partition('"')[0])
    assert back.startswith("/admin/orders/?status=pending")
    asked = panel.post(PATH, action="delete", order_id=boxes[:2], back=back)
    assert asked.status_code == 200
    assert "Delete: 2 orders?" in asked.text
    assert re.findall(r'type="hidden" name="order_id" value="([^"]+)"', asked.text) == boxes[:2]
    assert len(admin.orders()) == 3
    done = panel.post(PATH, action="delete", order_id=boxes[:2], back=back, confirmed="1")
    assert "2 orders are changed." in done.text
    assert html.escape(back) in done.text
    assert ticked(*listed(panel)) == boxes[2:]


def test_ad13_what_is_gone_already_is_counted_apart(panel: Visitor, admin: Caller) -> None:
    order, gone = made_order(admin), made_order(admin)
    admin.delete(f"{ORDERS}{gone['order_id']}/")
    ids = ticked(order["order_id"], gone["order_id"], order["order_id"].upper(), uuid4(), "nonsense", "\0")
    page = panel.post(PATH, action="delete", order_id=ids, confirmed="1").text
    assert "1 order is changed. 2 are left as they are." in page
    assert page.count("left as it is: deleted already, or not there") == 2
    assert admin.get(f"{ORDERS}{gone['order_id']}/").get_json()["version"] == 2
    again = panel.post(PATH, action="delete", order_id=ids, confirmed="1").text
    assert "0 orders are changed. 3 are left as they are." in again


@pytest.mark.parametrize("version", ["@1", "", "@", "@x", "@0", "@-1", "@²", "@" + "9" * 5000])
def test_ad13_what_was_changed_meanwhile_is_left(panel: Visitor, admin: Caller, version: str) -> None:
    same, changed = made_order(admin), made_order(admin)
    admin.patch(f"{ORDERS}{changed['order_id']}/", {"status": "confirmed"})
    ids = [*ticked(same["order_id"]), f"{changed['order_id']}{version}"]
    page = panel.post(PATH, action="delete", order_id=ids, confirmed="1").text
    assert "1 order is changed. 1 is left as it is." in page
    assert page.count("left as it is: somebody changed it meanwhile") == 1
    assert [order["order_id"] for order in admin.orders()] == [changed["order_id"]]


def test_ad13_nothing_ticked_is_nothing_done(panel: Visitor, admin: Caller) -> None:
    made_order(admin)
    for sent in ({}, {"confirmed": "1"}, {"order_id": "x", "confirmed": "1"}):
        answer = panel.post(PATH, action="delete", **sent)
        assert "No order was selected" in panel.follow(answer).text
    assert len(admin.orders()) == 1


def test_deleted_orders_are_restored_together(panel: Visitor, admin: Caller) -> None:
    orders = [made_order(admin) for _ in range(2)]
    for order in orders:
        admin.delete(f"{ORDERS}{order['order_id']}/")
    page = panel.get("/admin/orders/?is_deleted=true").text
    boxes = re.findall(r'type="checkbox" name="order_id" value="([^"]+)"', page)
    assert len(boxes) == 2
    assert re.findall(r'name="action" value="(\w+)"', page) == ["restore"]
    assert "2 orders are changed." in panel.post(PATH, action="restore", order_id=boxes).text
    assert len(admin.orders()) == 2


def test_orders_are_moved_as_far_as_their_status_allows(panel: Visitor, admin: Caller) -> None:
    pending, completed = made_order(admin), made_order(admin, status="completed")
    ids = ticked(pending["order_id"], completed["order_id"])
    page = panel.post(PATH, action="confirmed", order_id=ids).text
    assert "1 order is changed. 1 is left as it is." in page
    assert "left as it is: its status does not allow it" in page
    statuses = {order["order_id"]: order["status"] for order in admin.orders()}
    assert statuses == {pending["order_id"]: "confirmed", completed["order_id"]: "completed"}


def test_why_orders_are_cancelled_is_noted_with_each(panel: Visitor, admin: Caller) -> None:
    orders = [made_order(admin) for _ in range(2)]
    ids = ticked(*(order["order_id"] for order in orders))
    asked = panel.post(PATH, action="cancelled", order_id=ids)
    assert "Cancel the order: 2 orders?" in asked.text
    too_long = panel.post(PATH, action="cancelled", order_id=ids, confirmed="1", reason="x" * 2_001)
    assert too_long.status_code == 422
    assert {order["status"] for order in admin.orders()} == {"pending"}
    panel.post(PATH, action="cancelled", order_id=ids, confirmed="1", reason="Sold out.")
    assert {order["status"] for order in admin.orders()} == {"cancelled"}
    for order in orders:
        assert "<blockquote>Sold out.</blockquote>" in panel.get(f"{PAGE}{order['order_id']}").text


@pytest.mark.parametrize("action", ["", "pending", "explode", "_delete"])
def test_there_is_no_other_action(panel: Visitor, admin: Caller, action: str) -> None:
    order = made_order(admin)
    answer = panel.post(PATH, action=action, order_id=ticked(order["order_id"]), confirmed="1")
    assert answer.status_code == 400
    assert admin.read(order).get_json() == order
