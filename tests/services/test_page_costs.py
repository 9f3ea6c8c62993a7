"""What a page costs in a table of thousands: the same wherever it is, whatever it is ordered by.

Costs are counted, not timed: pages of the buffer cache on PostgreSQL, steps of the virtual machine on SQLite.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.sql import Select

from orders_app.auth.models import User
from orders_app.extensions import db, read_connection, snapshot_connection
from orders_app.orders.counts import kept
from orders_app.orders.domain import OrderStatus
from orders_app.orders.filters import ORDERINGS, OrderFilter, Position
from orders_app.orders.models import Order, OrderLine
from orders_app.orders.pages import page_of_ids, ways_to
from orders_app.shared.persistence import new_id
from tests import factories

ORDERS = 8_000
PAGE = 50
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
STATUSES = ("pending", "confirmed", "cancelled", "completed")


@pytest.fixture
def many(app: Flask) -> Iterator[Connection]:
    """A connection to a database with 8,000 orders of two owners; alice's are every fourth."""
    with app.app_context():
        session = db.session()
        ids = {user.username: user.id for user in session.scalars(select(User))}
        rows = (
            {
                "id": UUID(int=(number * 2_654_435_761) % 2**64 << 64 | number),
                "user_id": ids["alice" if number % 4 == 0 else "bob"],
                "status": STATUSES[number % 7 % 4],
                # Every value stands with several orders, so that ties have to be broken.
                "total_price_cents": number * 7919 % 5_000,
                "is_deleted": number % 10 == 9,
                "created_at": BEGAN + timedelta(seconds=number // 3),
                "updated_at": BEGAN + timedelta(seconds=number * 31 % ORDERS // 2),
                "version": 1,
                "source": "shop" if number % 2 else None,
                "reference": f"R-{number}" if number % 2 else None,
            }
            for number in range(ORDERS)
        )
        lines = []
        while some := list(itertools.islice(rows, 2_000)):
            session.execute(insert(Order), some)
            lines += [_line(place, order["id"]) for place, order in enumerate(some) if place % 4 == 1]
        session.execute(insert(OrderLine), lines)
        session.commit()
        db.session.remove()
        with read_connection() as connection:
            # What other tests have deleted must not lie in the way.
            for command in ("VACUUM", "ANALYZE"):
                connection.execute(text(command))
        with snapshot_connection() as connection:
            yield connection
        factories.begin_anew(db.session())


def _line(place: int, order_id: Any) -> dict[str, Any]:
    """One of fifty products, or, once in a hundred times, a rare one."""
    name = "rare lamp" if place % 400 == 1 else f"lamp {place % 50}"
    values = {"order_id": order_id, "position": 0, "name": name, "name_folded": name}
    return {**values, "id": new_id(), "price_cents": 1, "quantity": 1}


def cost(connection: Connection, statement: Select[Any]) -> int:
    """What it takes to read this."""
    if connection.dialect.name == "postgresql":
        return blocks(connection, statement)
    steps = itertools.count()
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.set_progress_handler(lambda: next(steps) * 0, 1)
    try:
        connection.execute(statement).all()
    finally:
        driver.set_progress_handler(None, 0)
    return next(steps)


def blocks(connection: Connection, statement: Select[Any]) -> int:
    sql = str(statement.compile(connection, compile_kwargs={"literal_binds": True})).replace("%", "%%")
    plan = connection.exec_driver_sql(
        f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {sql}"
    ).scalar_one()
    top = (plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"]
    return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])


FILTERS = {
    "all": OrderFilter(),
    "somebody by name": OrderFilter(user="bob"),
    "deleted": OrderFilter(is_deleted=True),
    "of a status": OrderFilter(statuses=(OrderStatus.CONFIRMED,)),
}
LITTLE = {
    "no such price": OrderFilter(min_price=Decimal(1_000)),
    "few prices": OrderFilter(min_price=Decimal("49.90")),
    "nothing new": OrderFilter(created_after=BEGAN + timedelta(days=1)),
    "little new": OrderFilter(created_after=BEGAN + timedelta(seconds=ORDERS // 3 - 5)),
    "nothing changed": OrderFilter(updated_after=BEGAN + timedelta(days=1)),
    "no such reference": OrderFilter(reference="S-1"),
    "no such product": OrderFilter(q="unobtainium"),
    "nobody's": OrderFilter(user="nobody", min_price=Decimal(1)),
    "no such status": OrderFilter(statuses=(OrderStatus.PENDING,), min_price=Decimal(1_000)),
}


def test_a_page_behind_a_cursor_costs_what_the_first_one_does(many: Connection, app: Flask) -> None:
    most_of_first = 1_000 if many.dialect.name == "sqlite" else 100
    filters = {**FILTERS, "an owner's": OrderFilter(owner_id=factories.user_id(app, "alice"))}
    wrong = []
    for (which, wanted), name, sign in itertools.product(filters.items(), ORDERINGS, ("", "-")):
        ordering = f"{sign}{name}"
        found = many.execute(page_of_ids(wanted, ordering).add_columns(ORDERINGS[name])).all()
        assert len(found) > 500
        first = cost(many, page_of_ids(wanted, ordering).limit(PAGE))
        for place in (len(found) // 2, len(found) - 2 * PAGE):
            order_id, value = found[place]
            deep = cost(many, page_of_ids(wanted, ordering, Position(value, order_id)).limit(PAGE))
            # Finding the place costs something; walking there would cost tens of times more.
            if first > most_of_first or deep > 3 * first + 20:
                wrong.append((which, ordering, place, first, deep))
    assert wrong == []


def test_what_matches_little_is_found_without_looking_at_all(many: Connection) -> None:
    """Whatever it is ordered by, and whatever the statistics say."""
    # A walk over all 8,000 would be several times that.
    most = 20_000 if many.dialect.name == "sqlite" else 1_000
    wrong = []
    for (which, wanted), name, sign in itertools.product(LITTLE.items(), ORDERINGS, ("", "-")):
        ways = ways_to(many, wanted, f"{sign}{name}", after=None, offset=0, limit=5)
        spent = sum(cost(many, way.ids) for way in ways)
        if spent > most:
            wrong.append((which, f"{sign}{name}", spent))
    assert wrong == []


def test_what_few_have_is_found_without_looking_at_all_behind_any_place(many: Connection) -> None:
    """Behind a place among equal values too, of which PostgreSQL expects nothing."""
    most = 20_000 if many.dialect.name == "sqlite" else 1_000
    wrong = []
    for name, sign in itertools.product(ORDERINGS, ("", "-")):
        ordering = f"{sign}{name}"
        found = many.execute(page_of_ids(OrderFilter(), ordering).add_columns(ORDERINGS[name])).all()
        for place in (ORDERS // 10, ORDERS // 3, ORDERS // 2, ORDERS * 4 // 5):
            order_id, value = found[place]
            after = Position(value, order_id)
            ways = ways_to(many, OrderFilter(q="rare"), ordering, after=after, offset=0, limit=5)
            spent = sum(cost(many, way.ids) for way in ways)
            if spent > most:
                wrong.append((ordering, place, spent))
    assert wrong == []


def test_a_count_that_is_kept_costs_nothing(many: Connection) -> None:
    for wanted in (*FILTERS.values(), OrderFilter(user="alice", statuses=(OrderStatus.PENDING,))):
        assert cost(many, kept(wanted)) < (1_000 if many.dialect.name == "sqlite" else 20)
