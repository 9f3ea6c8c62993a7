"""What was sold on which day, from the quarters of an hour that the database keeps; and who waits."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import Connection, delete, insert, select, text, update
from sqlalchemy.orm import Session

from orders_app.extensions import db, read_connection, unit_of_work
from orders_app.orders import services
from orders_app.orders.domain import Figures, OrderStatus
from orders_app.orders.models import Order, OrderQuarter
from orders_app.orders.queries import waiting
from orders_app.orders.sales import by_day, sold, wrong_quarters
from orders_app.shared.clock import utcnow
from orders_app.shared.identity import Actor
from tests import factories
from tests.services.test_concurrency import together
from tests.services.test_counts import assert_right, row
from tests.services.test_import_costs import statements
from tests.services.test_page_costs import cost, many
from tests.services.test_plans import explained

__all__ = ["many"]

NOTHING = Figures(0, 0)
DAY = timedelta(days=1)
WRITERS = 4
EACH = 10


def days(zone: str, first: datetime, count: int) -> list[tuple[datetime, datetime]]:
    """So many days as they are in a time zone, in UTC."""
    midnights = [
        (first + number * DAY).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for number in range(count + 1)
    ]
    return list(itertools.pairwise(midnights))


def at(user_id: UUID, moment: datetime, **others: Any) -> dict[str, Any]:
    return row(user_id, created_at=moment, updated_at=moment, **others)


@pytest.mark.parametrize(
    "zone", ["UTC", "America/New_York", "Asia/Kathmandu", "Asia/Kolkata", "Australia/Lord_Howe"]
)
def test_a_day_is_what_it_is_in_its_time_zone(session: Session, as_alice: Actor, zone: str) -> None:
    """Over a change of the clocks, to the last microsecond."""
    assert as_alice.user_id is not None
    wanted = days(zone, datetime(2026, 3, 6), 32)  # noqa: DTZ001  (a date, whose zone comes with it)
    moments = [
        edge + timedelta(microseconds=step)
        for edge in {edge for day in wanted for edge in day}
        for step in (-1, 0, 1, 500_000, 899_999_999)
    ]
    session.execute(
        insert(Order),
        [
            at(
                as_alice.user_id,
                moment,
                total_price_cents=number,
                status=("pending", "completed")[number % 2],
            )
            for number, moment in enumerate(moments)
        ],
    )
    numbers: list[Counter[str]] = [Counter() for _ in wanted]
    sums: list[Counter[str]] = [Counter() for _ in wanted]
    for order in session.scalars(select(Order)):
        for place, (begins, ends) in enumerate(wanted):
            if begins <= order.created_at < ends:
                numbers[place][order.status] += 1
                sums[place][order.status] += order.total_price_cents
    with read_connection() as connection, statements() as asked:
        found = by_day(connection, wanted)
    assert len(asked) == 1
    assert found == [
        {status: Figures(number[status], total[status]) for status in OrderStatus}
        for number, total in zip(numbers, sums, strict=True)
    ]
    assert sum(sum(number.values()) for number in numbers) > 100


def test_what_is_deleted_is_not_sold(session: Session, as_alice: Actor, as_admin: Actor) -> None:
    with unit_of_work() as uow:
        order = services.create_order(uow, actor=as_alice, new=factories.new_order())
    today = utcnow().replace(hour=0, minute=0, second=0, microsecond=0)
    with read_connection() as connection:
        [sold_then] = by_day(connection, [(today, today + 2 * DAY)])
        assert sold_then == {**dict.fromkeys(OrderStatus, NOTHING), OrderStatus.PENDING: Figures(1, 8400)}
        with unit_of_work() as uow:
            services.delete_order(uow, actor=as_alice, order_id=order.order_id)
        assert by_day(connection, [(today, today + 2 * DAY)]) == [dict.fromkeys(OrderStatus, NOTHING)]
        with unit_of_work() as uow:
            services.restore_order(uow, actor=as_admin, order_id=order.order_id)
        assert by_day(connection, [(today, today + 2 * DAY)]) == [sold_then]


@pytest.mark.parametrize(
    "moment",
    [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC),
        datetime(2026, 1, 1, 0, 14, 59, 999_999, UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC),
    ],
)
def test_every_moment_is_of_the_quarter_that_it_is_in(
    session: Session, as_alice: Actor, moment: datetime
) -> None:
    assert as_alice.user_id is not None
    session.execute(insert(Order), at(as_alice.user_id, moment))
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    assert session.scalars(select(OrderQuarter.quarter)).one() == since // timedelta(minutes=15)


def test_days_that_are_no_quarters_are_refused(session: Session) -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    with read_connection() as connection, pytest.raises(ValueError, match="no quarter of an hour"):
        by_day(connection, [(noon, noon + timedelta(minutes=14))])


def test_of_no_days_there_is_nothing(session: Session) -> None:
    with read_connection() as connection, statements() as asked:
        assert by_day(connection, []) == []
    assert asked == []


def test_it_is_read_by_the_primary_key(session: Session) -> None:
    wanted = days("Europe/Berlin", datetime(2026, 1, 1), 30)  # noqa: DTZ001  (as above)
    connection = session.connection()
    with explained(connection) as plans:
        by_day(connection, wanted)
    [plan] = plans
    sqlite = connection.dialect.name == "sqlite"
    searched = (
        "SEARCH order_quarters USING INDEX sqlite_autoindex_order_quarters_1 (quarter>? AND quarter<?)"
        if sqlite
        else "using pk_order_quarters on order_quarters"
    )
    assert searched in plan, plan
    assert sqlite or "Index Cond: ((quarter >= " in plan, plan
    assert "orders" not in plan.replace("order_quarters", ""), plan


def test_it_costs_the_same_however_many_orders_there_are(many: Connection) -> None:
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    quarters = len(many.execute(select(OrderQuarter.quarter)).all())
    assert quarters < 100
    assert cost(many, sold([(begins, begins + DAY)])) < (
        40 * quarters + 1_000 if many.dialect.name == "sqlite" else 50
    )


def test_they_follow_many_who_write_at_once(app: Flask) -> None:
    """Counts, sums and quarters; one of the writers changes what the others have made."""
    with app.app_context():
        alice = factories.actor("alice")
        ids = []
        for _ in range(EACH):
            with unit_of_work() as uow:
                ids.append(services.create_order(uow, actor=alice, new=factories.new_order()).order_id)
        db.session.remove()

    def make() -> None:
        for _ in range(EACH):
            with unit_of_work() as uow:
                services.create_order(uow, actor=alice, new=factories.new_order())
            db.session.remove()

    def remove() -> None:
        for order_id in ids:
            with unit_of_work() as uow:
                services.delete_order(uow, actor=alice, order_id=order_id)
            db.session.remove()

    assert together(app, *[make] * (WRITERS - 1), remove) == []
    today = utcnow().replace(hour=0, minute=0, second=0, microsecond=0)
    with app.app_context(), Session(db.engine.execution_options(single_statements=True)) as session:
        assert_right(session)
        [sold_then] = by_day(session.connection(), [(today - DAY, today + 2 * DAY)])
        made = (WRITERS - 1) * EACH
        assert sold_then[OrderStatus.PENDING] == Figures(made, made * 8400)


def test_nobody_waits_for_somebody_who_sells(app: Flask, session: Session, as_alice: Actor) -> None:
    """Two open transactions change orders of one quarter, where the database lets two write at all."""
    assert as_alice.user_id is not None
    orders = [row(as_alice.user_id) for _ in range(2)]
    session.execute(insert(Order), orders)
    one_at_a_time = session.get_bind().dialect.name == "sqlite"
    with db.engine.connect() as first, db.engine.connect() as second:
        for connection, order in zip((first, second), orders, strict=True):
            if one_at_a_time:
                first.commit()
            else:
                connection.execute(text("SET LOCAL lock_timeout = '200ms'"))
            of_it = Order.id == order["id"]
            connection.execute(update(Order).where(of_it).values(total_price_cents=7))
            connection.execute(update(Order).where(of_it).values(status="confirmed"))
        second.commit()
        first.commit()
    with read_connection() as connection:
        assert list(wrong_quarters(connection)) == []


def test_a_quarter_that_is_wrong_is_found(session: Session, as_alice: Actor) -> None:
    assert as_alice.user_id is not None
    session.execute(insert(Order), at(as_alice.user_id, datetime(2026, 1, 1, 0, 20, tzinfo=UTC)))
    session.execute(delete(OrderQuarter))
    with read_connection() as connection:
        [wrong] = wrong_quarters(connection)
    assert (wrong.begins, wrong.status) == (datetime(2026, 1, 1, 0, 15, tzinfo=UTC), "pending")
    assert (wrong.kept, wrong.there) == (NOTHING, Figures(1, 100))


def test_those_who_waited_longest_come_first(session: Session, as_alice: Actor) -> None:
    assert as_alice.user_id is not None
    now = datetime(2026, 11, 23, tzinfo=UTC)
    rows = [at(as_alice.user_id, now - number * DAY) for number in range(10)]
    rows[9]["status"], rows[8]["is_deleted"] = "completed", True
    session.execute(insert(Order), rows)
    with read_connection() as connection:
        found = waiting(connection, OrderStatus.PENDING, now - 2 * DAY, 3)
        assert [order.order_id for order in found.oldest] == [rows[place]["id"] for place in (7, 6, 5)]
        assert found.number == 5
        assert waiting(connection, OrderStatus.PENDING, now - 2 * DAY, 3, most=4).number is None
        assert waiting(connection, OrderStatus.PENDING, now - 2 * DAY, 9).number == 5
        assert waiting(connection, OrderStatus.CONFIRMED, now, 3) == type(found)([], 0)


def test_who_waits_is_found_by_an_index(session: Session) -> None:
    connection = session.connection()
    with explained(connection) as plans:
        waiting(connection, OrderStatus.PENDING, datetime(2026, 11, 23, tzinfo=UTC), 0)
    assert len(plans) == 2
    for plan in plans:
        assert "ix_orders_status_created" in plan, plan
        assert "Seq Scan on orders" not in plan, plan
        assert "SCAN orders" not in plan, plan
