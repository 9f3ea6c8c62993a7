"""Reading orders to show them.

Each function is one statement, so that what it returns was true at one moment: an order never comes
with the lines of its next version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, false, func, select, true
from sqlalchemy.orm import InstrumentedAttribute

from orders_app.auth.domain import username_key
from orders_app.auth.models import User
from orders_app.orders.domain import OrderStatus
from orders_app.orders.models import Order, OrderLine
from orders_app.orders.records import LineRecord, OrderRecord
from orders_app.shared.money import to_cents
from orders_app.shared.text import fold

ORDERINGS: Final[dict[str, InstrumentedAttribute[Any]]] = {
    "created_at": Order.created_at,
    "updated_at": Order.updated_at,
    "total_price": Order.total_price_cents,
    "status": Order.status,
}
DEFAULT_ORDERING = "-created_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    """Which orders to read; None does not filter.  `owner_id` limits to what one user may see."""

    owner_id: UUID | None = None
    statuses: tuple[OrderStatus, ...] = ()
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    user: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    updated_after: datetime | None = None
    source: str | None = None
    reference: str | None = None
    q: str | None = None
    is_deleted: bool = False

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """The same in SQL, for statements that select from orders and users."""
        yield Order.is_deleted == (true() if self.is_deleted else false())
        if self.owner_id is not None:
            yield Order.user_id == self.owner_id
        if self.statuses:
            yield Order.status.in_([status.value for status in self.statuses])
        if self.min_price is not None:
            yield Order.total_price_cents >= to_cents(self.min_price)
        if self.max_price is not None:
            yield Order.total_price_cents <= to_cents(self.max_price)
        if self.user is not None:
            yield Order.user_id.in_(select(User.id).where(User.username_key == username_key(self.user)))
        if self.created_after is not None:
            yield Order.created_at >= self.created_after
        if self.created_before is not None:
            yield Order.created_at < self.created_before
        if self.updated_after is not None:
            yield Order.updated_at >= self.updated_after
        if self.source is not None:
            yield Order.source == self.source
        if self.reference is not None:
            yield Order.reference == self.reference
        if self.q is not None:
            named = OrderLine.name_folded.contains(fold(self.q), autoescape=True)
            yield select(OrderLine.id).where(OrderLine.order_id == Order.id, named).exists()


_ORDER_COLUMNS = (
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
_LINE_COLUMNS = (
    OrderLine.id.label("line_id"),
    OrderLine.name,
    OrderLine.price_cents,
    OrderLine.quantity,
)
_ONE_ORDER = (
    select(*_ORDER_COLUMNS, *_LINE_COLUMNS)
    .join(User, User.id == Order.user_id)
    .outerjoin(OrderLine, OrderLine.order_id == Order.id)
    .order_by(OrderLine.position)
)


def get_order(connection: Connection, order_id: UUID) -> OrderRecord | None:
    """One order with its lines, deleted or not, whoever owns it."""
    return next(_records(connection.execute(_ONE_ORDER.where(Order.id == order_id))), None)


def list_orders(
    connection: Connection, wanted: OrderFilter, *, ordering: str = DEFAULT_ORDERING, offset: int, limit: int
) -> list[OrderRecord]:
    """One page of orders with their lines.

    `ordering` is a key of `ORDERINGS`, reversed by a leading `-`; ties are broken by the id.
    """
    page = (
        select(Order.id)
        .where(*wanted.conditions())
        .order_by(*_order_by(ordering))
        .offset(offset)
        .limit(limit)
        .subquery()
    )
    statement = (
        select(*_ORDER_COLUMNS, *_LINE_COLUMNS)
        .join(page, page.c.id == Order.id)
        .join(User, User.id == Order.user_id)
        .outerjoin(OrderLine, OrderLine.order_id == Order.id)
        .order_by(*_order_by(ordering), OrderLine.position)
    )
    return list(_records(connection.execute(statement)))


def count_orders(connection: Connection, wanted: OrderFilter) -> int:
    """How many orders a filter lets through."""
    statement = select(func.count()).select_from(Order).where(*wanted.conditions())
    return connection.scalar(statement) or 0


def stream_orders(connection: Connection, wanted: OrderFilter) -> Iterator[OrderRecord]:
    """All orders that a filter lets through, oldest first, in memory for a few at a time."""
    statement: Select[Any] = (
        select(*_ORDER_COLUMNS, *_LINE_COLUMNS)
        .join(User, User.id == Order.user_id)
        .outerjoin(OrderLine, OrderLine.order_id == Order.id)
        .where(*wanted.conditions())
        .order_by(Order.created_at, Order.id, OrderLine.position)
    )
    yield from _records(connection.execution_options(yield_per=1000).execute(statement))


def count_by_status(connection: Connection) -> Mapping[str, int]:
    """How many orders that are not deleted stand where; every status is named."""
    statement = select(Order.status, func.count()).where(Order.is_deleted == false()).group_by(Order.status)
    counts = dict.fromkeys((status.value for status in OrderStatus), 0)
    return counts | {status: number for status, number in connection.execute(statement)}


def _order_by(ordering: str) -> list[ColumnElement[Any]]:
    column = ORDERINGS[ordering.removeprefix("-")]
    if ordering.startswith("-"):
        return [column.desc(), Order.id.desc()]
    return [column.asc(), Order.id.asc()]


def _records(rows: Iterable[Row[Any]]) -> Iterator[OrderRecord]:
    """Gather the rows of each order, which stand together, into one record."""
    for _, group in groupby(rows, key=lambda row: row[0]):
        first: Row[Any] | None = None
        lines = []
        for row in group:
            first = first or row
            if row[-4] is not None:
                lines.append(LineRecord(*row[-4:]))
        assert first is not None  # noqa: S101  (groupby makes no empty group)
        yield OrderRecord(*first[: len(_ORDER_COLUMNS)], lines)
