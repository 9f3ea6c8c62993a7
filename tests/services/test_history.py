"""The history of orders in the database: what is added, and that nothing else can be done to it."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from orders_app.extensions import db, unit_of_work
from orders_app.history.domain import FIRST
from orders_app.history.models import OrderEventRow
from orders_app.orders import services
from orders_app.orders.domain import OrderChanges, OrderStatus
from orders_app.shared.identity import Actor
from tests.factories import new_order
from tests.services.test_orders import change, history, make

REFUSED = "the history of orders is only added to"


def test_no_event_is_changed(session: Session, as_alice: Actor) -> None:
    make(as_alice)
    with pytest.raises(IntegrityError, match=REFUSED):
        session.execute(update(OrderEventRow).values(actor_name="mallory"))


def test_no_event_is_removed(session: Session, as_alice: Actor) -> None:
    make(as_alice)
    with pytest.raises(IntegrityError, match=REFUSED):
        session.execute(delete(OrderEventRow))


def test_no_event_is_replaced(session: Session, as_alice: Actor) -> None:
    order = make(as_alice)
    columns = OrderEventRow.__table__.columns
    row = session.execute(select(*columns).where(OrderEventRow.order_id == order.order_id)).mappings().one()
    forged = insert(OrderEventRow).values({**row, "actor_name": "mallory"})
    if db.engine.dialect.name == "sqlite":
        forged = forged.prefix_with("OR REPLACE")
    with pytest.raises(IntegrityError):
        session.execute(forged)
    assert history(session, order)[0].actor_name == "alice"


def test_the_table_is_not_emptied(session: Session, as_alice: Actor) -> None:
    make(as_alice)
    statement = "DELETE FROM order_events" if db.engine.dialect.name == "sqlite" else "TRUNCATE order_events"
    with pytest.raises(IntegrityError, match=REFUSED):
        session.execute(text(statement))


def test_each_event_is_sealed_to_the_one_before(session: Session, as_alice: Actor) -> None:
    order = make(as_alice)
    change(as_alice, order, status=OrderStatus.CONFIRMED)
    latest = change(as_alice, order, status=OrderStatus.CANCELLED)
    events = history(session, order)
    assert len({FIRST, *(event.seal for event in events)}) == 4
    assert events[-1].state == latest.digest()


def test_several_events_of_one_transaction_follow_one_another(session: Session, as_alice: Actor) -> None:
    with unit_of_work() as uow:
        order = services.create_order(uow, actor=as_alice, new=new_order())
        for status in (OrderStatus.CONFIRMED, OrderStatus.PENDING):
            services.change_order(
                uow, actor=as_alice, order_id=order.order_id, changes=OrderChanges(status=status)
            )
    assert [event.sequence for event in history(session, order)] == [1, 2, 3]
    assert len({event.seal for event in history(session, order)}) == 3
