"""Whichever way a page is found, what is on it is what the filter says, in the order that was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Connection, insert, select

from orders_app.auth.models import User
from orders_app.extensions import db, snapshot_connection
from orders_app.orders import pages
from orders_app.orders.counts import count_orders, figures_up_to
from orders_app.orders.domain import OrderStatus
from orders_app.orders.filters import ORDERINGS, OrderFilter, Position, ordered_column
from orders_app.orders.models import Order, OrderLine
from orders_app.orders.queries import list_orders, numbered_orders
from orders_app.orders.records import OrderRecord
from orders_app.orders.streaming import stream_orders
from orders_app.shared.persistence import new_id
from tests import factories

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
STATUSES = ("pending", "confirmed", "cancelled", "completed")
NAMES = ("wool hat", "WOOL scarf", "100% cotton", "a_b", "Straße", "tin")
ALL = [sign + name for name in ORDERINGS for sign in ("", "-")]
PENDING, CONFIRMED = OrderStatus.PENDING, OrderStatus.CONFIRMED


@pytest.fixture
def connection(app: Flask) -> Iterator[Connection]:
    """A database with 120 orders, most values of which stand with several."""
    with app.app_context():
        session = db.session()
        owners = {user.username: user.id for user in session.scalars(select(User))}
        for number in range(120):
            order_id = UUID(int=(number * 2_654_435_761) % 2**64 << 64 | number)
            values = {
                "id": order_id,
                "user_id": owners["alice" if number % 3 == 0 else "bob"],
                "status": STATUSES[number % 7 % 4],
                "total_price_cents": number * 7919 % 30 * 100,
                "is_deleted": number % 10 == 9,
                "created_at": BEGAN + timedelta(days=number // 3),
                "updated_at": BEGAN + timedelta(days=number * 31 % 60),
                "version": 1,
                "source": "shop" if number % 4 == 0 else None,
                "reference": f"S-{number}" if number % 4 == 0 else None,
            }
            session.execute(insert(Order), values)
            session.execute(
                insert(OrderLine),
                [
                    {
                        "id": new_id(),
                        "order_id": order_id,
                        "position": position,
                        "name": name,
                        "name_folded": name.casefold(),
                        "price_cents": 1,
                        "quantity": 1,
                    }
                    for position, name in enumerate({NAMES[number % 5], NAMES[number * 5 % 6]})
                ],
            )
        session.commit()
        db.session.remove()
        with snapshot_connection() as connection:
            yield connection


def filters(app: Flask) -> dict[str, OrderFilter]:
    alice = factories.user_id(app, "alice")
    day = BEGAN + timedelta(days=20)
    many: dict[str, dict[str, Any]] = {
        "all": {},
        "one status": {"statuses": (PENDING,)},
        "two statuses": {"statuses": (PENDING, CONFIRMED)},
        "a status twice": {"statuses": (PENDING, PENDING)},
        "from a price": {"min_price": Decimal(25)},
        "between prices": {"min_price": Decimal(3), "max_price": Decimal(5)},
        "no such price": {"min_price": Decimal(1000)},
        "created after": {"created_after": day},
        "created before": {"created_before": day},
        "changed after": {"updated_after": day + timedelta(days=30)},
        "by reference": {"reference": "S-8"},
        "by source": {"source": "shop"},
        "by a user's name": {"user": "ALICE"},
        "by nobody's name": {"user": "nobody"},
        "named": {"q": "wool"},
        "named with a sign": {"q": "0%"},
        "named with another sign": {"q": "_"},
        "named in one letter": {"q": "T"},
        "named otherwise": {"q": "STRASSE"},
        "named by nothing": {"q": "zzzz"},
        "part of a reference": {"part_of_reference": "-1"},
        "searched": {"search": "ALI"},
        "searched by reference": {"search": "s-8"},
        "these": {"ids": (UUID(int=0), UUID(int=(3 * 2_654_435_761) << 64 | 3))},
        "none": {"ids": ()},
    }
    values = list(many.items())
    values += [
        (f"{first} and {second}", many[first] | many[second])
        for first, second in (
            ("two statuses", "created after"),
            ("one status", "from a price"),
            ("named", "one status"),
            ("named", "between prices"),
            ("named", "by a user's name"),
            ("by reference", "one status"),
            ("searched", "created before"),
        )
    ]
    found = {name: OrderFilter(**given) for name, given in values}
    for name in ("all", "two statuses", "from a price", "named", "by reference"):
        found[f"{name} of alice's"] = OrderFilter(**many[name], owner_id=alice)
        found[f"{name}, deleted"] = OrderFilter(**many[name], is_deleted=True)
    return found


def lets_through(wanted: OrderFilter, order: OrderRecord) -> bool:
    """What the filter means, in other words than SQL."""
    names = [line.name.casefold() for line in order.lines]
    reference = order.reference or ""
    total = Decimal(order.total_price_cents) / 100
    return all(
        (
            order.is_deleted == wanted.is_deleted,
            wanted.owner_id in {None, order.user_id},
            wanted.user is None or wanted.user.lower() == order.user,
            not wanted.statuses or order.status in wanted.statuses,
            wanted.min_price is None or total >= wanted.min_price,
            wanted.max_price is None or total <= wanted.max_price,
            wanted.created_after is None or order.created_at >= wanted.created_after,
            wanted.created_before is None or order.created_at < wanted.created_before,
            wanted.updated_after is None or order.updated_at >= wanted.updated_after,
            wanted.reference in {None, order.reference},
            wanted.source in {None, order.source},
            wanted.q is None or any(wanted.q.casefold() in name for name in names),
            wanted.part_of_reference is None or wanted.part_of_reference in reference,
            wanted.ids is None or order.order_id in wanted.ids,
            wanted.search is None
            or wanted.search.lower() in order.user
            or wanted.search.upper() == reference
            or any(wanted.search.casefold() in name for name in names),
        )
    )


WAYS = {
    "as it is": {},
    "only gathering": {"MOST_WALKED": 0},
    "walking a little": {"WALKED": 2, "LOOKED_UP": 1, "LOOKED_UP_FOR_MANY": 3, "FEW": 2},
}


@pytest.mark.parametrize("way", WAYS)
def test_every_page_of_every_list(
    connection: Connection, app: Flask, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    for name, value in WAYS[way].items():
        monkeypatch.setattr(pages, name, value)
    everything = list(stream_orders(connection, None))
    wrong = []
    for number, (which, wanted) in enumerate(filters(app).items()):
        for ordering in (ALL[number % 8], ALL[(number + 3) % 8], ALL[(number + 5) % 8]):
            wrong += pages_that_differ(connection, everything, which, wanted, ordering)
    assert wrong == []


def pages_that_differ(
    connection: Connection, everything: list[OrderRecord], which: str, wanted: OrderFilter, ordering: str
) -> list[tuple[str, str, str]]:
    """The pages of one list that are not what they should be."""
    column = ordered_column(ordering).key
    expected = sorted(
        (order for order in everything if lets_through(wanted, order)),
        key=lambda order: (getattr(order, column), order.order_id.hex),
        reverse=ordering.startswith("-"),
    )
    total = len(expected)
    middle = total // 2
    after = Position.of(expected[middle], ordering) if expected else None
    found = {
        "first": (list_orders(connection, wanted, ordering=ordering, limit=7), expected[:7]),
        "behind a place": (
            list_orders(connection, wanted, ordering=ordering, after=after, limit=7),
            expected[middle + 1 : middle + 8] if after else [],
        ),
        "last": (
            numbered_orders(
                connection, wanted, ordering=ordering, offset=max(total - 3, 0), limit=7, total=total
            ),
            expected[max(total - 3, 0) :],
        ),
    }
    return [(which, ordering, page) for page, (got, right) in found.items() if got != right]


@pytest.mark.parametrize("few", [pages.FEW, 0])
def test_every_count(connection: Connection, app: Flask, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(pages, "FEW", few)
    everything = list(stream_orders(connection, None))
    wrong = []
    for which, wanted in filters(app).items():
        expected = sum(lets_through(wanted, order) for order in everything)
        figures = figures_up_to(connection, wanted, expected)
        found = (count_orders(connection, wanted), None if figures is None else figures.number)
        if found != (expected, expected):
            wrong.append((which, found, expected))
    assert wrong == []


def test_of_more_than_is_counted_it_is_not_said_how_many(connection: Connection) -> None:
    assert figures_up_to(connection, OrderFilter(q="wool"), 3) is None
    assert figures_up_to(connection, OrderFilter(min_price=Decimal(1)), 3) is None
    # These are kept, and known however many they are.
    pending = OrderFilter(statuses=(PENDING,))
    figures = figures_up_to(connection, pending, 3)
    assert figures is not None
    assert figures.number == count_orders(connection, pending) > 3
