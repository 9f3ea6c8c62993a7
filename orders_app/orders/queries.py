"""Reading orders to show them.

Each function is one statement, so that what it returns was true at one moment: an order never comes
with the lines of its next version.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, Final, Self
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    String,
    cast,
    false,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
)
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
_VALUE_OF: Final = {
    "created_at": "created_at",
    "updated_at": "updated_at",
    "total_price": "total_price_cents",
    "status": "status",
}
DEFAULT_ORDERING = "-created_at"
_PART_OF_ID: Final = re.compile(r"[0-9a-f]{6,32}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    """Which orders to read; None does not filter.

    `owner_id` limits to what one user may see; `q` looks in product names, `search` also in the names
    of owners, in references, and in ids from six characters on.
    """

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
    search: str | None = None
    is_deleted: bool = False

    def conditions(self) -> list[ColumnElement[bool]]:
        """The same in SQL, for statements that select from orders."""
        every: list[ColumnElement[bool]] = [Order.is_deleted == (true() if self.is_deleted else false())]
        given: list[tuple[Any, Callable[[Any], ColumnElement[bool]]]] = [
            (self.owner_id, lambda owner_id: Order.user_id == owner_id),
            (self.statuses or None, lambda statuses: Order.status.in_([status.value for status in statuses])),
            (self.min_price, lambda amount: Order.total_price_cents >= to_cents(amount)),
            (self.max_price, lambda amount: Order.total_price_cents <= to_cents(amount)),
            (self.user, _owned_by),
            (self.created_after, lambda moment: Order.created_at >= moment),
            (self.created_before, lambda moment: Order.created_at < moment),
            (self.updated_after, lambda moment: Order.updated_at >= moment),
            (self.source, lambda source: Order.source == source),
            (self.reference, lambda reference: Order.reference == reference),
            (self.q, _with_product),
            (self.search, _mentioning),
        ]
        return every + [condition(value) for value, condition in given if value is not None]


def _owned_by(username: str) -> ColumnElement[bool]:
    # Names are unique, so this is one id, and found first: the index of that owner's orders can be used.
    owner = select(User.id).where(User.username_key == username_key(username)).scalar_subquery()
    return Order.user_id == owner


def _with_product(name: str) -> ColumnElement[bool]:
    named = OrderLine.name_folded.contains(fold(name), autoescape=True)
    return select(OrderLine.id).where(OrderLine.order_id == Order.id, named).correlate(Order).exists()


def _mentioning(text: str) -> ColumnElement[bool]:
    """Whether the text stands anywhere on the order that a person may know it by."""
    owners = select(User.id).where(User.username_key.contains(username_key(text), autoescape=True))
    reference = func.lower(Order.reference).contains(text.lower(), autoescape=True)
    conditions = [_with_product(text), Order.user_id.in_(owners), reference]
    part_of_id = text.strip("… ").replace("-", "").lower()
    if _PART_OF_ID.fullmatch(part_of_id):
        digits = func.replace(cast(Order.id, String), "-", "")
        conditions.append(digits.contains(part_of_id))
    return or_(*conditions)


ORDER_COLUMNS: Final[tuple[Any, ...]] = (
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
_WIDTH: Final = len(ORDER_COLUMNS)
LINE_COLUMNS: Final[tuple[Any, ...]] = (
    OrderLine.id.label("line_id"),
    OrderLine.name,
    OrderLine.price_cents,
    OrderLine.quantity,
)
_ONE_ORDER: Final[Select[Any]] = (
    select(*ORDER_COLUMNS, *LINE_COLUMNS)
    .join(User, User.id == Order.user_id)
    .outerjoin(OrderLine, OrderLine.order_id == Order.id)
    .order_by(OrderLine.position)
)


def get_order(connection: Connection, order_id: UUID) -> OrderRecord | None:
    """One order with its lines, deleted or not, whoever owns it."""
    return next(_records(connection.execute(_ONE_ORDER.where(Order.id == order_id))), None)


@dataclass(frozen=True, slots=True)
class Position:
    """The place of one order in a list: its value in the column that the list is ordered by, and its id."""

    value: datetime | int | str
    order_id: UUID

    @classmethod
    def of(cls, order: OrderRecord, ordering: str) -> Self:
        return cls(getattr(order, _VALUE_OF[ordering.removeprefix("-")]), order.order_id)


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
    page = page_of_ids(wanted, ordering, after).offset(offset).limit(limit).subquery()
    statement = (
        select(*ORDER_COLUMNS, *LINE_COLUMNS)
        .join(page, page.c.id == Order.id)
        .join(User, User.id == Order.user_id)
        .outerjoin(OrderLine, OrderLine.order_id == Order.id)
        .order_by(*_order_by(ordering), OrderLine.position)
    )
    return list(_records(connection.execute(statement)))


def page_of_ids(wanted: OrderFilter, ordering: str, after: Position | None = None) -> Select[UUID]:
    """The ids of the orders that a filter lets through, in order, from a place on."""
    statement = select(Order.id).where(*wanted.conditions()).order_by(*_order_by(ordering))
    if after is None:
        return statement
    column = ORDERINGS[ordering.removeprefix("-")]
    here = tuple_(column, Order.id)
    there = tuple_(literal(after.value, column.type), literal(after.order_id, Order.id.type))
    return statement.where(here < there if ordering.startswith("-") else here > there)


def count_orders(connection: Connection, wanted: OrderFilter) -> int:
    """How many orders a filter lets through."""
    statement = select(func.count()).select_from(Order).where(*wanted.conditions())
    return connection.scalar(statement) or 0


def count_by_status(connection: Connection) -> Mapping[str, int]:
    """How many orders that are not deleted stand where; every status is named."""
    statement = select(Order.status, func.count()).where(Order.is_deleted == false()).group_by(Order.status)
    counts = dict.fromkeys((status.value for status in OrderStatus), 0)
    counts.update((status, number) for status, number in connection.execute(statement))
    return counts


def _order_by(ordering: str) -> list[ColumnElement[Any]]:
    column = ORDERINGS[ordering.removeprefix("-")]
    if ordering.startswith("-"):
        return [column.desc(), Order.id.desc()]
    return [column.asc(), Order.id.asc()]


def _records(rows: Iterable[Row[Any]]) -> Iterator[OrderRecord]:
    """Gather the rows of each order, which stand together, into one record."""
    for _, group in groupby(rows, key=lambda row: row[0]):
        rows_of_order: list[tuple[Any, ...]] = [tuple(row) for row in group]
        lines = [LineRecord(*row[_WIDTH:]) for row in rows_of_order if row[_WIDTH] is not None]
        yield OrderRecord(*(*rows_of_order[0][:_WIDTH], lines))
