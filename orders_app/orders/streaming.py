"""Reading all orders, however many there are: with one statement, and a few of them in memory."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Select, select

from orders_app.auth.models import User
from orders_app.orders.filters import OrderFilter
from orders_app.orders.models import Order, OrderLine, ProductName
from orders_app.orders.records import OrderRecord
from orders_app.orders.rows import LINES_AS_JSON, ORDER_COLUMNS, PlainLine, plain_lines, with_lines
from orders_app.shared.text import fold

ORDERS_AT_ONCE: Final = 250
"""So many are in memory at a time; each may have thousands of lines."""


def stream_orders(
    connection: Connection, wanted: OrderFilter | None, *, by_id: bool = False
) -> Iterator[OrderRecord]:
    """All orders that a filter lets through, or really all, in memory for a few at a time.

    Oldest first, or in the order of their ids.
    """
    for order, lines in stream_with_plain_lines(connection, wanted, by_id=by_id):
        yield with_lines(order, lines)


def stream_with_plain_lines(
    connection: Connection, wanted: OrderFilter | None, *, by_id: bool = False
) -> Generator[tuple[OrderRecord, list[PlainLine]]]:
    """The same for who only writes them out: the orders without their lines, and these beside them.

    The database hands over one row an order, read along an index, with its lines in one value: a row a
    line would say everything about the order again each time.
    """
    order = (Order.id,) if by_id else (Order.created_at, Order.id)
    statement: Select[Any] = (
        select(*ORDER_COLUMNS, LINES_AS_JSON)
        .join(User, User.id == Order.user_id)
        .where(*(wanted.conditions() if wanted is not None else ()))
        .order_by(*order)
    )
    # Whoever has seen enough leaves in the middle: the cursor must not outlive them.
    with closing(connection.execution_options(yield_per=ORDERS_AT_ONCE).execute(statement)) as rows:
        for row in rows:
            yield OrderRecord(*(*row[:-1], [])), plain_lines(row[-1])


def misfiled_orders(connection: Connection) -> Iterator[UUID]:
    """The orders with a line that a search does not find by its name, or finds by another one."""
    names = select(OrderLine.order_id, OrderLine.name, OrderLine.name_folded).order_by(OrderLine.order_id)
    rows = connection.execution_options(yield_per=1000).execute(names)
    for order_id, lines in groupby(rows, key=lambda row: row[0]):
        if any(fold(name) != folded for _, name, folded in lines):
            yield order_id
    unlisted = select(OrderLine.name_folded).except_(select(ProductName.name_folded))
    of_them = select(OrderLine.order_id).where(OrderLine.name_folded.in_(unlisted)).distinct()
    yield from connection.scalars(of_them.order_by(OrderLine.order_id))
