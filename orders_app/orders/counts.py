"""How many orders there are.

Orders are counted by owner, status and whether they are deleted as they change, by triggers of the
database: `order_counts` is true at every moment, whoever writes.  Only what it does not tell apart
is counted row by row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Select, Uuid, false, func, literal, select, union_all

from orders_app.orders.domain import OrderStatus
from orders_app.orders.filters import OrderFilter, owner_named
from orders_app.orders.models import EVERYBODY, Order, OrderCount
from orders_app.orders.pages import matching

_TOLD_APART: Final = frozenset({"owner_id", "user", "statuses"})


@dataclass(frozen=True, slots=True)
class Miscount:
    """A kept count that is not how many orders there are; `owner_id` is None for a count of all owners'."""

    owner_id: UUID | None
    status: str
    is_deleted: bool
    kept: int
    there: int


def count_orders(connection: Connection, wanted: OrderFilter) -> int:
    """How many orders a filter lets through, exactly."""
    statement = kept(wanted) if wanted.given() <= _TOLD_APART else _counted(connection, wanted)
    return int(connection.scalar(statement) or 0)


def count_up_to(connection: Connection, wanted: OrderFilter, most: int) -> int | None:
    """The same, or None where it would take counting more than `most`."""
    if wanted.given() <= _TOLD_APART:
        return count_orders(connection, wanted)
    some = _matching(connection, wanted).limit(most + 1).subquery()
    number = connection.scalar(select(func.count()).select_from(some)) or 0
    return number if number <= most else None


def count_by_status(connection: Connection) -> Mapping[str, int]:
    """How many orders that are not deleted stand where; every status is named."""
    statement = (
        select(OrderCount.status, func.sum(OrderCount.number))
        .where(OrderCount.scope == EVERYBODY, OrderCount.is_deleted == false())
        .group_by(OrderCount.status)
    )
    counts = dict.fromkeys((status.value for status in OrderStatus), 0)
    counts.update((status, int(number)) for status, number in connection.execute(statement))
    return counts


def miscounts(connection: Connection) -> Iterator[Miscount]:
    """The kept counts that are wrong; all orders are looked at."""
    none, one = literal(0), literal(1)
    rows = union_all(
        select(
            OrderCount.scope,
            OrderCount.status,
            OrderCount.is_deleted,
            OrderCount.number.label("kept"),
            none.label("there"),
        ),
        select(Order.user_id, Order.status, Order.is_deleted, none, one),
        select(literal(EVERYBODY, Uuid()), Order.status, Order.is_deleted, none, one),
    ).subquery()
    by = (rows.c.scope, rows.c.status, rows.c.is_deleted)
    number, there = func.sum(rows.c.kept), func.sum(rows.c.there)
    statement = select(*by, number, there).group_by(*by).having(number != there).order_by(*by)
    for scope, status, is_deleted, its_kept, its_there in connection.execute(statement):
        owner_id = None if scope == EVERYBODY else scope
        yield Miscount(owner_id, status, is_deleted, int(its_kept), int(its_there))


def kept(wanted: OrderFilter) -> Select[Any]:
    """The statement that reads a count from those that are kept: by owner, status and `is_deleted` alone."""
    scope: Any = EVERYBODY if wanted.owner_id is None else wanted.owner_id
    statement = select(func.sum(OrderCount.number)).where(OrderCount.is_deleted == wanted.is_deleted)
    if wanted.user is not None:
        scope = owner_named(wanted.user)
        if wanted.owner_id is not None:
            statement = statement.where(scope == wanted.owner_id)
    if wanted.statuses:
        statement = statement.where(OrderCount.status.in_([status.value for status in wanted.statuses]))
    return statement.where(OrderCount.scope == scope)


def _counted(connection: Connection, wanted: OrderFilter) -> Select[Any]:
    return _matching(connection, wanted).with_only_columns(func.count(), maintain_column_froms=True)


def _matching(connection: Connection, wanted: OrderFilter) -> Select[UUID]:
    return select(Order.id).where(*matching(connection, wanted))
