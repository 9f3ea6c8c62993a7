"""Reading orders to show them.

The orders that a function returns come from one statement, so that they were true at one moment: an order
never comes with the lines of its next version.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Self
from uuid import UUID

from sqlalchemy import (
    Boolean,
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
from sqlalchemy.orm import aliased

from orders_app.auth.credentials import CredentialQueries, Shown
from orders_app.auth.models import User
from orders_app.orders.counts import KEPT, KEPT_OF_STATUS, count_orders
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
from orders_app.orders.models import EVERYBODY, Order
from orders_app.orders.pages import by_status, page_of_ids, ways_to
from orders_app.orders.records import OrderRecord
from orders_app.orders.rows import (
    LINES_AS_JSON,
    ORDER_COLUMNS,
    WIDTH,
    Listed,
    plain_lines,
    with_lines,
)
from orders_app.shared.driver import Row
from orders_app.shared.prepared import Prepared

_ONE_ORDER: Final = Prepared(
    select(*ORDER_COLUMNS, LINES_AS_JSON)
    .join(User, User.id == Order.user_id)
    .where(Order.id == bindparam("order_id"))
)
_OWNER = aliased(User)


def _with_order(of_caller: Select[Any]) -> Select[Any]:
    """The order beside what is read of the caller; there is a row of the caller's without it as well."""
    columns = (_OWNER.username if column is User.username else column for column in ORDER_COLUMNS)
    return (
        of_caller.add_columns(*columns, LINES_AS_JSON)
        .outerjoin(Order, Order.id == bindparam("order_id"))
        .outerjoin(_OWNER, _OWNER.id == Order.user_id)
    )


_ONE_ORDER_SHOWN: Final = CredentialQueries(
    # All that an order shows changes with its version, but for the name of its owner.
    select(cast(Order.version, Text) + " " + _OWNER.username)
    .select_from(Order)
    .join(_OWNER, _OWNER.id == Order.user_id)
    .where(Order.id == bindparam("order_id"))
    .scalar_subquery(),
    along=_with_order,
)
_NEAR: Final = 1_000
"""So many rows are skipped without a look at whether there are as many."""
# The lists that are asked for most have an index each, and are put together once for each ordering.
_OFTEN_GIVEN: Final[tuple[frozenset[str], ...]] = (
    frozenset(),
    frozenset({"owner_id"}),
    frozenset({"statuses"}),
    frozenset({"owner_id", "statuses"}),
)


def one_order(order_id: UUID) -> Shown:
    """For a request that shows this order alone: others may change meanwhile.

    Where the caller has a token, the order is read along with them (`order_read_along`).
    """
    return Shown(_ONE_ORDER_SHOWN, {"order_id": order_id})


def order_read_along(row: Row) -> Listed | None:
    """The order that was read along with its reader, of the same moment; None where there is none."""
    return _listed_in(row) if row[0] is not None else None


def _listed_in(row: Sequence[Any]) -> Listed:
    return OrderRecord(*(*row[:WIDTH], [])), plain_lines(row[WIDTH])


def plain_order(connection: Connection, order_id: UUID) -> Listed | None:
    """One order and its lines beside it, deleted or not, whoever owns it."""
    return next(map(_listed_in, _ONE_ORDER.rows(connection, {"order_id": order_id})), None)


def get_order(connection: Connection, order_id: UUID) -> OrderRecord | None:
    """The same, with its lines."""
    found = plain_order(connection, order_id)
    return with_lines(*found) if found is not None else None


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
    page = _Page.of(wanted, ordering, after is not None, limit)
    if page is not None:
        return page.read(connection, wanted, offset, after)[0]
    found: list[Listed] = []
    for way in ways_to(connection, wanted, ordering, after=after, offset=offset, limit=limit):
        rows = connection.execute(_listed(way.ids, ordering))
        found = [_listed_in(row) for row in rows]
        if len(found) == limit or not way.may_miss:
            break
    return found


def counted_list(
    connection: Connection, wanted: OrderFilter, *, ordering: str, offset: int, limit: int
) -> tuple[list[Listed], int]:
    """A page and how many orders there are in all; by one statement where both have an index.

    A page far away may be past the end: that is found out first, rather than by going there.
    """
    page = _Page.of(wanted, ordering, False, limit) if offset <= _NEAR else None
    if page is not None:
        found, total = page.read(connection, wanted, offset)
        return found, count_orders(connection, wanted) if total is None else total
    total = count_orders(connection, wanted)
    if offset >= total:
        return [], total
    return plain_list(connection, wanted, ordering=ordering, offset=offset, limit=limit), total


@dataclass(frozen=True, slots=True)
class _Page:
    """A list that is asked for often: its statement is put together once for each size and ordering."""

    statement: Prepared

    @classmethod
    def of(cls, wanted: OrderFilter, ordering: str, is_behind: bool, limit: int) -> Self | None:
        """None for a list that has no index of its own."""
        given = wanted.given()
        if given not in _OFTEN_GIVEN or not _has_an_index(wanted, ordering):
            return None
        return cls(_page(ordering, given, is_behind, limit))

    def read(
        self, connection: Connection, wanted: OrderFilter, offset: int, after: Position | None = None
    ) -> tuple[list[Listed], int | None]:
        """The orders, and how many there are in all, which is known where there is one on the page."""
        values: dict[str, Any] = {"offset": offset, "is_deleted": wanted.is_deleted}
        if after is None:
            values["scope"] = wanted.owner_id or EVERYBODY
        else:
            values |= {"after_value": after.value, "after_id": after.order_id}
        if wanted.owner_id is not None:
            values["owner_id"] = wanted.owner_id
        if wanted.statuses:
            values["status"] = wanted.statuses[0].value
        asked = self.statement.ask(connection, values)
        order = asked.converting(slice(WIDTH))
        found = [(OrderRecord(*(*order(row), [])), plain_lines(row[WIDTH])) for row in asked.said]
        return found, int(asked.said[0][-1]) if asked.said and after is None else None


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
def _page(ordering: str, given: frozenset[str], is_behind: bool, limit: int) -> Prepared:
    """The statement for a page, with `bindparam`s for what is given; it is what `ways_to` would lead to.

    Unless the page is behind a place, each row also says how many orders there are in all.

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
    listed = _listed(ids, ordering)
    if is_behind:
        return Prepared(listed)
    total = KEPT_OF_STATUS if "statuses" in given else KEPT
    return Prepared(listed.add_columns(total.scalar_subquery()))


def _listed(ids: Select[UUID], ordering: str) -> Select[Any]:
    """The orders that a statement names, in order, a row each: their lines stand in one value."""
    page = ids.subquery()
    return (
        select(*ORDER_COLUMNS, LINES_AS_JSON)
        .join(page, page.c.id == Order.id)
        .join(User, User.id == Order.user_id)
        .order_by(*order_by(ordering))
    )
