"""How many orders there are, and what they come to.

Orders are counted and summed up by owner, status and whether they are deleted as they change, by
triggers of the database: `order_counts` is true at every moment, whoever writes.  Only what it does not
tell apart is counted row by row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Connection,
    Executable,
    Select,
    Uuid,
    bindparam,
    false,
    func,
    literal,
    select,
    union_all,
)

from orders_app.orders.domain import Figures, OrderStatus
from orders_app.orders.filters import OrderFilter, owner_named
from orders_app.orders.models import EVERYBODY, Order, OrderCount
from orders_app.orders.pages import matching
from orders_app.shared.prepared import Prepared

_TOLD_APART: Final = frozenset({"owner_id", "user", "statuses"})
_OFTEN_ASKED: Final = frozenset({"owner_id", "statuses"})
KEPT: Final = select(func.sum(OrderCount.number)).where(
    OrderCount.scope == bindparam("scope"), OrderCount.is_deleted == bindparam("is_deleted", type_=Boolean())
)
KEPT_OF_STATUS: Final = KEPT.where(OrderCount.status == bindparam("status"))
"""The statements that are asked most often, for a `scope`, `is_deleted` and a `status`."""
_PREPARED: Final = {False: Prepared(KEPT), True: Prepared(KEPT_OF_STATUS)}


@dataclass(frozen=True, slots=True)
class Miscount:
    """Kept figures that are not those of the orders; `owner_id` is None for those of all owners."""

    owner_id: UUID | None
    status: str
    is_deleted: bool
    kept: Figures
    there: Figures


@dataclass(frozen=True, slots=True)
class Standing:
    """How the orders stand at one moment; every status is named."""

    by_status: dict[OrderStatus, Figures]
    deleted: int
    oldest_pending: datetime | None
    waiting_long: int


def count_orders(connection: Connection, wanted: OrderFilter) -> int:
    """How many orders a filter lets through, exactly."""
    given = wanted.given()
    if given <= _OFTEN_ASKED and len(wanted.statuses) < 2:
        values: dict[str, Any] = {"scope": wanted.owner_id or EVERYBODY, "is_deleted": wanted.is_deleted}
        if wanted.statuses:
            values["status"] = wanted.statuses[0].value
        [(number,)] = _PREPARED[bool(wanted.statuses)].rows(connection, values)
        return int(number or 0)
    statement = kept(wanted) if given <= _TOLD_APART else _counted(connection, wanted)
    return int(connection.scalar(statement) or 0)


def figures_up_to(connection: Connection, wanted: OrderFilter, most: int) -> Figures | None:
    """How many they are and what they come to, of one moment; None where it would take looking at more."""
    if wanted.given() <= _TOLD_APART:
        sums = func.sum(OrderCount.number), func.sum(OrderCount.total_cents)
        return _figures(connection, kept(wanted, *sums))
    some = select(Order.total_price_cents).where(*matching(connection, wanted)).limit(most + 1).subquery()
    figures = _figures(connection, select(func.count(), func.sum(some.c.total_price_cents)).select_from(some))
    return figures if figures.number <= most else None


def figures_by_owner(connection: Connection, user_ids: Collection[UUID]) -> dict[UUID, Figures]:
    """The figures of the orders of each of these users that are not deleted."""
    statement = (
        select(OrderCount.scope, func.sum(OrderCount.number), func.sum(OrderCount.total_cents))
        .where(OrderCount.scope.in_(user_ids), OrderCount.is_deleted == false())
        .group_by(OrderCount.scope)
    )
    figures = dict.fromkeys(user_ids, Figures(0, 0))
    for user_id, number, total_cents in connection.execute(statement):
        figures[user_id] = Figures(int(number), int(total_cents))
    return figures


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


def how_orders_stand(connection: Connection, before: datetime, *, most: int) -> Standing:
    """What is kept of all orders, and of those that are pending when the oldest was made.

    `waiting_long` are those that were made `before` a moment, counted up to `most`.  One statement: the
    few rows of counts, and an index from where the pending ones begin.
    """
    pending = (Order.is_deleted == false(), Order.status == OrderStatus.PENDING.value)
    oldest = select(Order.created_at).where(*pending).order_by(Order.created_at).limit(1)
    long = select(Order.id).where(*pending, Order.created_at < before).order_by(Order.created_at).limit(most)
    statement = (
        select(
            OrderCount.status,
            OrderCount.is_deleted,
            func.sum(OrderCount.number),
            func.sum(OrderCount.total_cents),
            oldest.scalar_subquery(),
            select(func.count()).select_from(long.subquery()).scalar_subquery(),
        )
        .where(OrderCount.scope == EVERYBODY)
        .group_by(OrderCount.status, OrderCount.is_deleted)
    )
    rows = connection.execute(statement).all()
    standing = dict.fromkeys(OrderStatus, Figures(0, 0))
    deleted = 0
    for status, is_deleted, number, total_cents, *_ in rows:
        if is_deleted:
            deleted += int(number)
        else:
            standing[OrderStatus(status)] = Figures(int(number), int(total_cents))
    oldest_pending, waiting_long = rows[0][4:] if rows else (None, 0)
    return Standing(standing, deleted, oldest_pending, waiting_long)


def miscounts(connection: Connection) -> Iterator[Miscount]:
    """The kept counts and sums that are wrong; all orders are looked at."""
    nothing, there = (literal(0), literal(0)), (literal(1), Order.total_price_cents)
    of = (Order.status, Order.is_deleted)
    rows = union_all(
        select(
            OrderCount.scope,
            OrderCount.status,
            OrderCount.is_deleted,
            OrderCount.number.label("kept"),
            OrderCount.total_cents.label("kept_cents"),
            literal(0).label("there"),
            literal(0).label("there_cents"),
        ),
        select(Order.user_id, *of, *nothing, *there),
        select(literal(EVERYBODY, Uuid()), *of, *nothing, *there),
    ).subquery()
    by, figures = tuple(rows.c)[:3], [func.sum(column) for column in tuple(rows.c)[3:]]
    number, total, its_number, its_total = figures
    wrong = (number != its_number) | (total != its_total)
    statement = select(*by, *figures).group_by(*by).having(wrong).order_by(*by)
    for scope, status, is_deleted, *found in connection.execute(statement):
        owner_id = None if scope == EVERYBODY else scope
        kept_number, kept_cents, number_there, cents_there = map(int, found)
        yield Miscount(
            owner_id, status, is_deleted, Figures(kept_number, kept_cents), Figures(number_there, cents_there)
        )


def kept(wanted: OrderFilter, *columns: Any) -> Select[Any]:
    """The statement that reads what is kept, counts if no `columns` say otherwise.

    By owner, status and `is_deleted` alone.
    """
    scope: Any = EVERYBODY if wanted.owner_id is None else wanted.owner_id
    statement = select(*(columns or (func.sum(OrderCount.number),)))
    statement = statement.where(OrderCount.is_deleted == wanted.is_deleted)
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


def _figures(connection: Connection, statement: Executable) -> Figures:
    number, total_cents = connection.execute(statement).one()
    return Figures(int(number or 0), int(total_cents or 0))
