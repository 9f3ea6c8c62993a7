"""Reading orders to show them.

What each function returns comes from one statement, so that it was true at one moment: an order never
comes with the lines of its next version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row, Select, select

from orders_app.auth.models import User
from orders_app.orders.filters import DEFAULT_ORDERING, OrderFilter, Position, order_by, reverse
from orders_app.orders.models import Order, OrderLine, ProductName
from orders_app.orders.pages import ways_to
from orders_app.orders.records import LineRecord, OrderRecord
from orders_app.shared.text import fold

_ORDER_COLUMNS: Final[tuple[Any, ...]] = (
    Order.id,
    Order.user_id,
    User.username,
    Order.status,
    Order.total_price_cents,
    Order.is_deleted,
    Order.created_at,
    Order.updated_at,
    Order.version,
    Order.source,
    Order.reference,
)
_WIDTH: Final = len(_ORDER_COLUMNS)
_LINE_COLUMNS: Final[tuple[Any, ...]] = (
    OrderLine.id.label("line_id"),
    OrderLine.name,
    OrderLine.price_cents,
    OrderLine.quantity,
)
_ONE_ORDER: Final[Select[Any]] = (
    select(*_ORDER_COLUMNS, *_LINE_COLUMNS)
    .join(User, User.id == Order.user_id)
    .outerjoin(OrderLine, OrderLine.order_id == Order.id)
    .order_by(OrderLine.position)
)


def get_order(connection: Connection, order_id: UUID) -> OrderRecord | None:
    """One order with its lines, deleted or not, whoever owns it."""
    return next(_records(connection.execute(_ONE_ORDER.where(Order.id == order_id))), None)


def list_orders(
    connection: Connection,
    wanted: OrderFilter,
    *,
    ordering: str = DEFAULT_ORDERING,
    offset: int = 0,
    after: Position | None = None,
    limit: int,
) -> list[OrderRecord]:
    """One page of orders with their lines.

    `ordering` is a key of `ORDERINGS`, reversed by a leading `-`; ties are broken by the id.  `after`
    begins behind a place in that order, at the same cost wherever it is; `offset` counts rows.
    """
    found: list[OrderRecord] = []
    for way in ways_to(connection, wanted, ordering, after=after, offset=offset, limit=limit):
        page = way.ids.subquery()
        statement = (
            select(*_ORDER_COLUMNS, *_LINE_COLUMNS)
            .join(page, page.c.id == Order.id)
            .join(User, User.id == Order.user_id)
            .outerjoin(OrderLine, OrderLine.order_id == Order.id)
            .order_by(*order_by(ordering), OrderLine.position)
        )
        found = list(_records(connection.execute(statement)))
        if len(found) == limit or not way.may_miss:
            break
    return found


def numbered_orders(
    connection: Connection, wanted: OrderFilter, *, ordering: str, offset: int, limit: int, total: int | None
) -> list[OrderRecord]:
    """The page behind `offset` orders; where it is known how many there are, from the nearer end."""
    if total is None:
        return list_orders(connection, wanted, ordering=ordering, offset=offset, limit=limit)
    on_page = min(limit, total - offset)
    if on_page <= 0:
        return []
    if 2 * offset <= total:
        return list_orders(connection, wanted, ordering=ordering, offset=offset, limit=on_page)
    from_the_end = total - offset - on_page
    found = list_orders(connection, wanted, ordering=reverse(ordering), offset=from_the_end, limit=on_page)
    return found[::-1]


def stream_orders(
    connection: Connection, wanted: OrderFilter | None, *, by_id: bool = False
) -> Iterator[OrderRecord]:
    """All orders that a filter lets through, or really all, in memory for a few at a time.

    Oldest first, or in the order of their ids.
    """
    order = (Order.id,) if by_id else (Order.created_at, Order.id)
    statement: Select[Any] = (
        select(*_ORDER_COLUMNS, *_LINE_COLUMNS)
        .join(User, User.id == Order.user_id)
        .outerjoin(OrderLine, OrderLine.order_id == Order.id)
        .where(*(wanted.conditions() if wanted is not None else ()))
        .order_by(*order, OrderLine.position)
    )
    yield from _records(connection.execution_options(yield_per=1000).execute(statement))


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


def _records(rows: Iterable[Row[Any]]) -> Iterator[OrderRecord]:
    """Gather the rows of each order, which stand together, into one record."""
    for _, group in groupby(rows, key=lambda row: row[0]):
        rows_of_order: list[tuple[Any, ...]] = [tuple(row) for row in group]
        lines = [LineRecord(*row[_WIDTH:]) for row in rows_of_order if row[_WIDTH] is not None]
        yield OrderRecord(*(*rows_of_order[0][:_WIDTH], lines))
