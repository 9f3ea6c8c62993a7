"""Reading orders to show them.

What each function returns comes from one statement, so that it was true at one moment: an order never
comes with the lines of its next version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Integer,
    Select,
    Text,
    Uuid,
    bindparam,
    cast,
    func,
    literal_column,
    select,
)

from orders_app.auth.models import User
from orders_app.orders.domain import OrderStatus
from orders_app.orders.filters import (
    DEFAULT_ORDERING,
    OrderFilter,
    Position,
    behind,
    order_by,
    ordered_column,
    reverse,
)
from orders_app.orders.models import Order, OrderLine
from orders_app.orders.pages import by_status, page_of_ids, ways_to
from orders_app.orders.records import LineRecord, OrderRecord
from orders_app.shared.prepared import Asked, Prepared

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
_ONE_ORDER: Final = Prepared(
    select(*ORDER_COLUMNS, *LINE_COLUMNS)
    .join(User, User.id == Order.user_id)
    .outerjoin(OrderLine, OrderLine.order_id == Order.id)
    .where(Order.id == bindparam("order_id"))
    .order_by(OrderLine.position)
)
PlainLine = tuple[str, str, int, int]
"""What a `LineRecord` consists of, with the id as it is written."""
Listed = tuple[OrderRecord, list[PlainLine]]
"""An order without its lines, and these beside it, for who only writes them out."""
# The lists that are asked for most have an index each, and are put together once for each ordering.
_OFTEN_GIVEN: Final[tuple[frozenset[str], ...]] = (
    frozenset(),
    frozenset({"owner_id"}),
    frozenset({"statuses"}),
    frozenset({"owner_id", "statuses"}),
)


def get_order(connection: Connection, order_id: UUID) -> OrderRecord | None:
    """One order with its lines, deleted or not, whoever owns it."""
    return next(_gathered(_ONE_ORDER.ask(connection, {"order_id": order_id})), None)


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
    listed = plain_list(connection, wanted, ordering=ordering, offset=offset, after=after, limit=limit)
    return [with_lines(order, lines) for order, lines in listed]


def plain_list(
    connection: Connection,
    wanted: OrderFilter,
    *,
    ordering: str = DEFAULT_ORDERING,
    offset: int = 0,
    after: Position | None = None,
    limit: int,
) -> list[Listed]:
    """The same for who only writes them out: a third of the time goes into making lines of rows."""
    given, dialect = wanted.given(), connection.dialect.name
    if given in _OFTEN_GIVEN and _has_an_index(wanted, ordering):
        values: dict[str, Any] = {"offset": offset, "is_deleted": wanted.is_deleted}
        if wanted.owner_id is not None:
            values["owner_id"] = wanted.owner_id
        if wanted.statuses:
            values["status"] = wanted.statuses[0].value
        if after is not None:
            values |= {"after_value": after.value, "after_id": after.order_id}
        asked = _page(ordering, given, after is not None, limit, dialect).ask(connection, values)
        order = asked.converting(slice(_WIDTH))
        return [(OrderRecord(*(*order(row), [])), plain_lines(row[_WIDTH], dialect)) for row in asked.said]
    found: list[Listed] = []
    for way in ways_to(connection, wanted, ordering, after=after, offset=offset, limit=limit):
        rows = connection.execute(_listed(way.ids, ordering, dialect))
        found = [(OrderRecord(*(*row[:-1], [])), plain_lines(row[-1], dialect)) for row in rows]
        if len(found) == limit or not way.may_miss:
            break
    return found


def _has_an_index(wanted: OrderFilter, ordering: str) -> bool:
    """Whether there is one that gives this list in order, of those that are asked for most."""
    if not wanted.statuses:
        return True
    is_the_usual = ordering.removeprefix("-") == "created_at"
    return len(wanted.statuses) == 1 and (
        is_the_usual if wanted.owner_id is not None else not by_status(ordering)
    )


def numbered_orders(
    connection: Connection, wanted: OrderFilter, *, ordering: str, offset: int, limit: int, total: int | None
) -> list[OrderRecord]:
    """The page behind `offset` orders, from the nearer end where it is known how many there are.

    For people who turn pages: an order made since they were counted moves a page from the far end by one.
    """
    if total is None or 2 * offset <= total:
        return list_orders(connection, wanted, ordering=ordering, offset=offset, limit=limit)
    on_page = min(limit, total - offset)
    if on_page <= 0:
        return []
    from_the_end = total - offset - on_page
    found = list_orders(connection, wanted, ordering=reverse(ordering), offset=from_the_end, limit=on_page)
    return found[::-1]


@dataclass(frozen=True, slots=True)
class Waiting:
    """The orders that have waited longest, and how many wait; None where they are too many to be counted."""

    oldest: list[OrderRecord]
    number: int | None


def waiting(
    connection: Connection, status: OrderStatus, created_before: datetime, limit: int, *, most: int = 1_000
) -> Waiting:
    """The oldest orders that are of a status still though they were made before that moment."""
    wanted = OrderFilter(statuses=(status,), created_before=created_before)
    oldest = list_orders(connection, wanted, ordering="created_at", limit=limit)
    if len(oldest) < limit:
        return Waiting(oldest, len(oldest))
    some = page_of_ids(wanted, "created_at").limit(most + 1).subquery()
    number = connection.scalar(select(func.count()).select_from(some)) or 0
    return Waiting(oldest, number if number <= most else None)


@lru_cache(maxsize=256)
def _page(ordering: str, given: frozenset[str], is_behind: bool, limit: int, dialect: str) -> Prepared:
    """The statement for a page, with `bindparam`s for what is given; it is what `ways_to` would lead to.

    The size of the page stands in its text.  PostgreSQL keeps a plan only if it costs no more than one made
    for the values at hand, and without the size it would take a page for a tenth of all orders: it would
    plan anew each time, for longer than the rest takes.
    """
    ids = select(Order.id).where(Order.is_deleted == bindparam("is_deleted", type_=Boolean()))
    if "owner_id" in given:
        ids = ids.where(Order.user_id == bindparam("owner_id"))
    if "statuses" in given:
        ids = ids.where(Order.status == bindparam("status"))
    if is_behind:
        value = bindparam("after_value", type_=ordered_column(ordering).type)
        ids = ids.where(behind(ordering, value, bindparam("after_id", type_=Uuid())))
    ids = ids.order_by(*order_by(ordering))
    ids = ids.offset(bindparam("offset", type_=Integer())).limit(literal_column(str(limit), Integer()))
    return Prepared(_listed(ids, ordering, dialect))


def _listed(ids: Select[UUID], ordering: str, dialect: str) -> Select[Any]:
    """The orders that a statement names, in order, a row each: their lines stand in one value."""
    page = ids.subquery()
    return (
        select(*ORDER_COLUMNS, lines_as_json(dialect))
        .join(page, page.c.id == Order.id)
        .join(User, User.id == Order.user_id)
        .order_by(*order_by(ordering))
    )


def lines_as_json(dialect: str) -> ColumnElement[str]:
    """The lines of an order as text: JSON, an array of what `LineRecord` consists of for each."""
    lines = (
        select(*LINE_COLUMNS)
        .where(OrderLine.order_id == Order.id)
        .order_by(OrderLine.position)
        .correlate(Order)
        .subquery()
    )
    one, all_of_them = (
        (func.json_array, func.json_group_array)
        if dialect == "sqlite"
        else (func.json_build_array, func.json_agg)
    )
    return select(cast(all_of_them(one(*lines.c)), Text)).select_from(lines).scalar_subquery()


def plain_lines(text: Any, dialect: str) -> list[PlainLine]:
    """The lines that stand in such a value."""
    lines: list[Any] = orjson.loads(text or b"[]")
    if dialect == "sqlite":  # which keeps the digits of an id alone
        for line in lines:
            digits = line[0]
            line[0] = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    return lines


def with_lines(order: OrderRecord, lines: Iterable[PlainLine]) -> OrderRecord:
    """The order, with the lines that were beside it."""
    order.lines.extend(
        LineRecord(UUID(hex=line_id), name, price_cents, quantity)
        for line_id, name, price_cents, quantity in lines
    )
    return order


def _gathered(asked: Asked) -> Iterator[OrderRecord]:
    """The same from a prepared statement: what stands in each row of an order is converted once."""
    order, line = asked.converting(slice(_WIDTH)), asked.converting(slice(_WIDTH, None))
    for _, group in groupby(asked.said, key=itemgetter(0)):
        rows_of_order = list(group)
        lines = [LineRecord(*line(row)) for row in rows_of_order if row[_WIDTH] is not None]
        yield OrderRecord(*(*order(rows_of_order[0]), lines))
