"""The counts and sums of orders that the database keeps: right after every change, and in nobody's way."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from orders_app.extensions import db, read_connection, unit_of_work
from orders_app.orders import many, services
from orders_app.orders.counts import (
    Standing,
    count_by_status,
    count_orders,
    figures_by_owner,
    figures_up_to,
    how_orders_stand,
    miscounts,
)
from orders_app.orders.domain import Figures, OrderChanges, OrderStatus
from orders_app.orders.filters import OrderFilter
from orders_app.orders.models import EVERYBODY, Order, OrderCount, OrderLine, ProductName
from orders_app.orders.sales import wrong_quarters
from orders_app.shared.identity import Actor
from orders_app.shared.persistence import new_id
from tests import factories
from tests.services.test_import_costs import statements

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def row(user_id: UUID, **others: Any) -> dict[str, Any]:
    """The columns of an order, to be written past the services."""
    return {
        "id": new_id(),
        "user_id": user_id,
        "status": "pending",
        "total_price_cents": 100,
        "is_deleted": False,
        "created_at": NOW,
        "updated_at": NOW,
        "version": 1,
    } | others


def assert_right(session: Session) -> None:
    """Hold every kept count and sum, and what is read from them, against the orders."""
    by = (Order.user_id, Order.status, Order.is_deleted)
    figures = (func.count(), func.sum(Order.total_price_cents))
    there: Counter[tuple[UUID | None, str, bool]] = Counter()
    sums: Counter[tuple[UUID | None, str, bool]] = Counter()
    for user_id, status, is_deleted, number, cents in session.execute(select(*by, *figures).group_by(*by)):
        for owner in (user_id, None):
            there[owner, status, is_deleted] += number
            sums[owner, status, is_deleted] += int(cents)
    with read_connection() as connection:
        assert list(miscounts(connection)) == []
        assert list(wrong_quarters(connection)) == []
        for owner in {owner for owner, *_ in there}:
            for status in OrderStatus:
                for is_deleted in (False, True):
                    wanted = OrderFilter(owner_id=owner, statuses=(status,), is_deleted=is_deleted)
                    which = owner, status.value, is_deleted
                    assert count_orders(connection, wanted) == there[which]
                    assert figures_up_to(connection, wanted, 0) == (there[which], sums[which])
        standing = {status.value: there[None, status.value, False] for status in OrderStatus}
        assert count_by_status(connection) == standing


def test_they_follow_every_change(session: Session, as_alice: Actor, as_admin: Actor) -> None:
    made = []
    for status in (OrderStatus.PENDING, OrderStatus.PENDING, OrderStatus.COMPLETED):
        with unit_of_work() as uow:
            new = factories.new_order(status=status)
            made.append(services.create_order(uow, actor=as_alice, new=new).order_id)
        assert_right(session)
    for changes in (
        OrderChanges(status=OrderStatus.CONFIRMED),
        OrderChanges(owner="bob"),
        OrderChanges(owner="alice", status=OrderStatus.CANCELLED),
        OrderChanges(lines=(factories.order_line(name="tin"),)),
        OrderChanges(total_price=Decimal("0.07")),
        OrderChanges(total_price=Decimal("9999999999.99"), owner="bob"),
        OrderChanges(total_price=Decimal("12.00"), owner="alice"),
    ):
        with unit_of_work() as uow:
            services.change_order(uow, actor=as_admin, order_id=made[0], changes=changes)
        assert_right(session)
    with unit_of_work() as uow:
        many.delete_orders(uow, actor=as_admin, seen={made[1]: 1, made[2]: 1})
    assert_right(session)
    with unit_of_work() as uow:
        services.restore_order(uow, actor=as_admin, order_id=made[2])
    assert_right(session)
    with read_connection() as connection:
        assert dict(count_by_status(connection)) == {
            "pending": 0,
            "confirmed": 0,
            "cancelled": 1,
            "completed": 1,
        }


def test_how_the_orders_stand_is_told_at_once(session: Session, as_alice: Actor) -> None:
    nothing = Standing(dict.fromkeys(OrderStatus, Figures(0, 0)), 0, None, 0)
    with read_connection() as connection:
        assert how_orders_stand(connection, NOW, most=2) == nothing
    assert as_alice.user_id is not None
    made = [NOW - timedelta(hours=hours) for hours in (1, 30, 40, 50)]
    rows = [row(as_alice.user_id, created_at=at, total_price_cents=7) for at in made]
    long_ago = NOW - timedelta(days=900)
    rows += [
        row(as_alice.user_id, created_at=long_ago, **others)
        for others in ({"status": "completed"}, {"is_deleted": True})
    ]
    session.execute(insert(Order), rows)
    session.commit()
    with read_connection() as connection, statements() as asked:
        standing = how_orders_stand(connection, NOW - timedelta(days=1), most=10)
        few = how_orders_stand(connection, NOW - timedelta(days=1), most=2)
    assert len(asked) == 2
    by_status = nothing.by_status | {
        OrderStatus.PENDING: Figures(4, 28),
        OrderStatus.COMPLETED: Figures(1, 100),
    }
    assert standing == Standing(by_status, 1, made[-1], 3)
    assert few.waiting_long == 2


def test_they_follow_whoever_writes_past_the_services(
    session: Session, as_alice: Actor, as_bob: Actor
) -> None:
    assert as_alice.user_id is not None
    assert as_bob.user_id is not None
    owners = (as_alice.user_id, as_bob.user_id)
    rows = [row(owners[number % 2], status=("pending", "completed")[number % 3 > 0]) for number in range(30)]
    session.execute(insert(Order), rows)
    assert_right(session)
    session.execute(update(Order).where(Order.status == "pending").values(status="cancelled"))
    assert_right(session)
    session.execute(update(Order).values(total_price_cents=Order.total_price_cents * 3 + 1))
    assert_right(session)
    session.execute(update(Order).values(created_at=datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC)))
    assert_right(session)
    session.execute(update(Order).values(user_id=owners[0], is_deleted=True))
    assert_right(session)
    session.execute(delete(Order).where(Order.status == "cancelled"))
    assert_right(session)


def test_what_is_rolled_back_is_not_counted(session: Session, as_alice: Actor) -> None:
    def fail() -> None:
        with unit_of_work() as uow:
            services.create_order(uow, actor=as_alice, new=factories.new_order())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert session.scalars(select(Order.id)).all() == []
    assert_right(session)


def test_nobody_waits_for_somebody_who_counts(app: Flask, session: Session, as_alice: Actor) -> None:
    """Two transactions make orders of one owner with a name that neither has seen before.

    Both are open at once where the database lets two write at all.
    """
    assert as_alice.user_id is not None
    line = {"position": 0, "name": "new", "name_folded": "new", "price_cents": 1, "quantity": 1}
    one_at_a_time = session.get_bind().dialect.name == "sqlite"
    with db.engine.connect() as first, db.engine.connect() as second:
        for connection in (first, second):
            if one_at_a_time:
                first.commit()
            else:
                connection.execute(text("SET LOCAL lock_timeout = '200ms'"))
            order = row(as_alice.user_id)
            connection.execute(insert(Order), order)
            connection.execute(insert(OrderLine), {"id": new_id(), "order_id": order["id"], **line})
        second.commit()
        first.commit()
    assert_right(session)
    names = session.scalars(select(ProductName.name_folded).where(ProductName.name_folded == "new")).all()
    assert set(names) == {"new"}


@pytest.mark.parametrize("column", [OrderCount.number, OrderCount.total_cents], ids=str)
def test_a_wrong_one_is_found(session: Session, as_alice: Actor, column: InstrumentedAttribute[int]) -> None:
    with unit_of_work() as uow:
        services.create_order(uow, actor=as_alice, new=factories.new_order())
    of_all = update(OrderCount).where(OrderCount.scope == EVERYBODY)
    session.execute(of_all.values({column: column + 2}))
    place = Figures._fields.index(column.key)
    with read_connection() as connection:
        assert {wrong.kept[place] - wrong.there[place] for wrong in miscounts(connection)} == {2}
        assert {wrong.owner_id for wrong in miscounts(connection)} == {None}
    session.execute(of_all.values({column: column - 2}))
    assert_right(session)


def test_what_is_not_kept_is_summed_up_as_far_as_one_wants(session: Session, as_alice: Actor) -> None:
    assert as_alice.user_id is not None
    session.execute(insert(Order), [row(as_alice.user_id, total_price_cents=cents) for cents in range(10)])
    dear = OrderFilter(min_price=Decimal("0.05"))
    with read_connection() as connection:
        with statements() as asked:
            assert figures_up_to(connection, dear, 5) == Figures(5, 35)
        assert len(asked) == 1
        assert figures_up_to(connection, dear, 4) is None
        nothing = OrderFilter(min_price=Decimal(1))
        assert figures_up_to(connection, nothing, 0) == Figures(0, 0)


def test_owners_have_their_figures(session: Session, as_alice: Actor, as_bob: Actor) -> None:
    assert as_alice.user_id is not None
    assert as_bob.user_id is not None
    of_alice = [row(as_alice.user_id, total_price_cents=cents) for cents in (1, 2, 3)]
    of_alice[0]["status"] = "completed"
    of_alice[1]["is_deleted"] = True
    session.execute(insert(Order), of_alice)
    with read_connection() as connection, statements() as asked:
        found = figures_by_owner(connection, [as_alice.user_id, as_bob.user_id])
    assert found == {as_alice.user_id: (2, 4), as_bob.user_id: (0, 0)}
    assert len(asked) == 1
