"""How the orders of a page are found, so that it costs the same among thousands and among millions.

Where an index begins with all that is filtered by, the page is read from where it begins.  What else is
filtered by decides row by row on the way: that is quick where much of what is walked over matches, and is
not where little does, or only far away.  But little is also quickly gathered and sorted.  Which of the
two it is no statistics tell for sure, so a walk is tried first, over as many rows as cost next to nothing,
and what it does not find is gathered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, false, func, select, union_all

from orders_app.orders.filters import (
    KEYS,
    OrderFilter,
    Position,
    behind_position,
    order_by,
    ordered_column,
)
from orders_app.orders.models import Order

WALKED: Final = 120
"""Rows that a walk goes over at most for each that is wanted, where the index itself holds what decides."""
LOOKED_UP: Final = 16
"""The same where more has to be looked up for each row."""
LOOKED_UP_FOR_MANY: Final = 100
"""The same once it is known that what is looked for is not rare."""
MOST_WALKED: Final = 20_000
FEW: Final = 5_000
"""As many orders are quickly gathered, whatever is to be looked up for each."""

# For each ordering the filters that its index begins with, and for each filter the columns that decide it.
_DECIDED: Final[dict[str, frozenset[str]]] = {
    "created_at": frozenset({"created_after", "created_before"}),
    "updated_at": frozenset({"updated_after"}),
    "total_price": frozenset({"min_price", "max_price"}),
    "status": frozenset(),
}
_COLUMNS: Final[dict[str, tuple[Any, ...]]] = {
    "statuses": (Order.status,),
    "min_price": (Order.total_price_cents,),
    "max_price": (Order.total_price_cents,),
    "created_after": (Order.created_at,),
    "created_before": (Order.created_at,),
    "updated_after": (Order.updated_at,),
    "source": (Order.source,),
    "reference": (Order.reference,),
    "q": (),
    "search": (Order.user_id, Order.reference),
    "part_of_reference": (Order.reference,),
    "ids": (),
}
_NOT_IN_THE_INDEX: Final = frozenset({"source", *KEYS})
_NAMING_FEW: Final = frozenset({"reference", "ids"})


@dataclass(frozen=True, slots=True)
class Way:
    """A statement that gives the ids of a page; one that `may_miss` some counts only if it fills the page."""

    ids: Select[UUID]
    may_miss: bool = False


def ways_to(
    connection: Connection,
    wanted: OrderFilter,
    ordering: str,
    *,
    after: Position | None,
    offset: int,
    limit: int,
) -> Iterator[Way]:
    """The ways to a page, to be tried one after the other; the last one misses nothing.

    `ordering` is a key of `ORDERINGS`, reversed by a leading `-`; ties are broken by the id.  `after`
    begins behind a place in that order; `offset` counts rows.
    """
    undecided = _undecided(wanted, ordering)
    if not undecided:
        yield Way(_merged(wanted, ordering, after, offset, limit))
        return

    def walk(for_each: int) -> Iterator[Way]:
        most = min(for_each * (offset + limit), MOST_WALKED)
        if offset + limit <= most:
            walked = _walked(wanted, ordering, after, undecided, most)
            yield Way(walked.offset(offset).limit(limit), may_miss=True)

    keys = wanted.keys()
    names_few = wanted.key in _NAMING_FEW
    if not names_few:
        looked_up = undecided & _NOT_IN_THE_INDEX or _is_of_one_owner(wanted)
        yield from walk(LOOKED_UP if looked_up else WALKED)
        names_few = keys is not None and are_few(connection, keys)
        if keys is not None and not names_few:
            yield from walk(LOOKED_UP_FOR_MANY)
    conditions = matching(connection, wanted, names_few=names_few)
    gathered = _gathered(conditions, ordering, after, names_few=names_few)
    yield Way(gathered.offset(offset).limit(limit))


def are_few(connection: Connection, ids: Select[UUID]) -> bool:
    """Whether a statement gives only a few rows; they are counted no farther than that."""
    some = ids.limit(FEW + 1).subquery()
    return (connection.scalar(select(func.count()).select_from(some)) or 0) <= FEW


def matching(
    connection: Connection, wanted: OrderFilter, *, names_few: bool | None = None
) -> list[ColumnElement[bool]]:
    """The filter in SQL, so that it begins with what finds few orders, for statements that need them all.

    `names_few` tells whether its key names few, if that was found out before.
    """
    keys = wanted.keys()
    if keys is None:
        return wanted.conditions()
    rest = wanted.but_keys()
    others = select(Order.id).where(*rest.conditions())
    begin_with_keys = wanted.key in _NAMING_FEW or not rest.given()
    if not begin_with_keys:
        begin_with_keys = are_few(connection, keys) if names_few is None else names_few
    if not begin_with_keys and are_few(connection, others):
        # The keys would find many, and the lines of few are quickly looked at.
        return wanted.conditions()
    # An index of, say, all that are not deleted would lead nowhere; COALESCE is in none.
    is_deleted = func.coalesce(Order.is_deleted, false()) == wanted.is_deleted
    _, *owners = wanted.place()
    return [Order.id.in_(keys), is_deleted, *owners, *rest.details()]


def page_of_ids(wanted: OrderFilter, ordering: str, after: Position | None = None) -> Select[UUID]:
    """The ids of the orders that a filter lets through, in order, from a place on."""
    statement = select(Order.id).where(*wanted.conditions()).order_by(*order_by(ordering))
    if after is None:
        return statement
    if by_status(ordering) and wanted.statuses == (after.value,):
        # All have that status; SQLite would sort them if it were asked for the ones behind it.
        return statement.where(
            Order.id < after.order_id if ordering.startswith("-") else Order.id > after.order_id
        )
    return statement.where(behind_position(ordering, after))


def by_status(ordering: str) -> bool:
    """Whether a list is ordered by the status."""
    return ordered_column(ordering) is Order.status


def _undecided(wanted: OrderFilter, ordering: str) -> frozenset[str]:
    """The names of the filters that the index of this ordering does not begin with."""
    column = ordering.removeprefix("-")
    names = _COLUMNS.keys() - _DECIDED[column] - {"statuses"}
    undecided = {name for name in names if getattr(wanted, name) is not None}
    # The orders of one status have indexes of their own; those of one owner by the usual ordering only.
    # Several statuses are as many lists to be merged, worth it where nothing else is to be looked at.
    of_one_owner = _is_of_one_owner(wanted) and column not in {"status", "created_at"}
    if wanted.statuses and (of_one_owner or (undecided and len(wanted.statuses) > 1)):
        undecided.add("statuses")
    return frozenset(undecided)


def _is_of_one_owner(wanted: OrderFilter) -> bool:
    return wanted.owner_id is not None or wanted.user is not None


def _merged(
    wanted: OrderFilter, ordering: str, after: Position | None, offset: int, limit: int
) -> Select[UUID]:
    """The page from one list, or from those of several statuses."""
    if len(wanted.statuses) < 2:
        return page_of_ids(wanted, ordering, after).offset(offset).limit(limit)
    lists = [
        select(
            page_of_ids(of_one, ordering, its_after)
            .add_columns(ordered_column(ordering))
            .limit(offset + limit)
            .subquery()
        )
        for of_one, its_after in _of_each_status(wanted, ordering, after)
    ]
    both = union_all(*lists).subquery()
    return select(both.c.id).order_by(*order_by(ordering, both.c)).offset(offset).limit(limit)


def _of_each_status(
    wanted: OrderFilter, ordering: str, after: Position | None
) -> Iterator[tuple[OrderFilter, Position | None]]:
    """The lists that make up one of several statuses, and the place in each."""
    for status in dict.fromkeys(wanted.statuses):
        of_one = replace(wanted, statuses=(status,))
        if after is None or not by_status(ordering) or status == after.value:
            yield of_one, after
        elif (status > str(after.value)) != ordering.startswith("-"):
            yield of_one, None  # all of it is behind the place


def _walked(
    wanted: OrderFilter, ordering: str, after: Position | None, undecided: frozenset[str], most: int
) -> Select[UUID]:
    """What matches of the next rows in this order."""
    deciding = OrderFilter(**{name: getattr(wanted, name) for name in undecided})
    walked_over = replace(wanted, **{name: getattr(OrderFilter(), name) for name in undecided})
    columns = {column.key: column for name in undecided for column in _COLUMNS[name]}
    columns[ordered_column(ordering).key] = ordered_column(ordering)
    rows = page_of_ids(walked_over, ordering, after).add_columns(*columns.values()).limit(most).subquery()
    return select(rows.c.id).where(*deciding.details(rows.c)).order_by(*order_by(ordering, rows.c))


def _gathered(
    conditions: list[ColumnElement[bool]], ordering: str, after: Position | None, *, names_few: bool
) -> Select[UUID]:
    """All that matches, put in order afterwards."""
    found = select(Order.id, ordered_column(ordering)).where(*conditions)
    # PostgreSQL takes what is behind a place among equal values for nothing at all, and would begin there.
    if after is not None and not names_few:
        found = found.where(behind_position(ordering, after))
    # Behind an OFFSET neither database lets what stands outside have a say in how it is found.
    rows = found.offset(0).subquery()
    page = select(rows.c.id).order_by(*order_by(ordering, rows.c))
    return page.where(behind_position(ordering, after, rows.c)) if after is not None and names_few else page
