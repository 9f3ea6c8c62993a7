"""Reading the history, and adding to it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Select, func, literal, select, tuple_
from sqlalchemy.orm import Session

from orders_app.history.domain import FIRST, Entry, seal_of
from orders_app.history.models import OrderEventRow
from orders_app.shared.clock import rfc3339
from orders_app.shared.inserts import Insert
from orders_app.shared.persistence import UTCDateTime

LOOKED_THROUGH: Final = 100_000
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LOOKED_UP_AT_ONCE: Final = 500
_COLUMNS: Final = tuple(item.name for item in fields(Entry))
_values: Final = attrgetter(*_COLUMNS)


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One event of one order, in plain values; `actor_id` is None for the command line."""

    event_id: UUID
    order_id: UUID
    sequence: int
    event: str
    at: datetime
    actor_id: UUID | None
    user: str
    request_id: str
    changes: dict[str, Any]
    old_status: str | None
    new_status: str | None

    def as_json(self) -> dict[str, Any]:
        """The event as the API writes it; the statuses only where the status changed."""
        fields: dict[str, Any] = {
            "event_id": str(self.event_id),
            "sequence": self.sequence,
            "event": self.event,
            "at": rfc3339(self.at),
            "user": self.user,
            "request_id": self.request_id,
            "changes": self.changes,
        }
        if self.new_status is not None:
            fields |= {"old_status": self.old_status, "new_status": self.new_status}
        return fields


_EVENTS = select(
    OrderEventRow.id,
    OrderEventRow.order_id,
    OrderEventRow.sequence,
    OrderEventRow.event,
    OrderEventRow.at,
    OrderEventRow.actor_id,
    OrderEventRow.actor_name,
    OrderEventRow.request_id,
    OrderEventRow.changes,
    OrderEventRow.old_status,
    OrderEventRow.new_status,
)


def history_of(connection: Connection, order_id: UUID, *, since: int = 1) -> list[EventRecord]:
    """The events of an order, oldest first, from the one with the sequence `since` on."""
    statement = _EVENTS.where(OrderEventRow.order_id == order_id, OrderEventRow.sequence >= since)
    return [EventRecord(*row) for row in connection.execute(statement.order_by(OrderEventRow.sequence))]


def latest_events(
    connection: Connection,
    *,
    offset: int,
    limit: int,
    order_id: UUID | None = None,
    actor_id: UUID | None = None,
) -> list[EventRecord]:
    """The events of all orders, or of one, newest first.

    Those of one actor are looked for in an order, or among the `LOOKED_THROUGH` newest of all: no index holds
    them together, and the rarest would have to be looked for in all of them.
    """
    newest = OrderEventRow.at.desc(), OrderEventRow.id.desc()
    # What is skipped is read from the index alone.
    page = select(OrderEventRow.id).order_by(*newest)
    if order_id is not None:
        page = page.where(OrderEventRow.order_id == order_id)
    if actor_id is not None:
        page = page.where(OrderEventRow.actor_id == actor_id)
    if actor_id is not None and order_id is None:
        last = select(OrderEventRow.at).order_by(*newest).offset(LOOKED_THROUGH - 1).limit(1)
        page = page.where(
            OrderEventRow.at >= func.coalesce(last.scalar_subquery(), literal(_LONG_AGO, UTCDateTime))
        )
    page = page.offset(offset).limit(limit)
    statement = _EVENTS.where(OrderEventRow.id.in_(page)).order_by(*newest)
    return [EventRecord(*row) for row in connection.execute(statement)]


def count_events(connection: Connection, *, most: int, order_id: UUID | None = None) -> int | None:
    """How many events there are, of all orders or of one; None where they are more than `most`."""
    some = select(OrderEventRow.id).limit(most + 1)
    if order_id is not None:
        some = some.where(OrderEventRow.order_id == order_id)
    number = connection.scalar(select(func.count()).select_from(some.subquery())) or 0
    return number if number <= most else None


def sealed(key: bytes, entries: Sequence[Entry], session: Callable[[], Session]) -> Insert:
    """What adds events, each sealed to the one before it, which is read where it is not among these.

    The orders are locked, or new: nobody else adds to their histories meanwhile.
    """
    before = {(entry.order_id, entry.sequence - 1) for entry in entries if entry.sequence > 1}
    before -= {(entry.order_id, entry.sequence) for entry in entries}
    seals = _seals(session(), before) if before else {}
    rows = []
    for entry in entries:
        # Where a predecessor was removed by hand the chain begins anew; the gap is found when it is verified.
        previous = seals.get((entry.order_id, entry.sequence - 1), FIRST)
        seal = seals[entry.order_id, entry.sequence] = seal_of(key, previous, entry)
        rows.append((*_values(entry), seal))
    return Insert(OrderEventRow, (*_COLUMNS, "seal"), rows)


def _seals(session: Session, places: Collection[tuple[UUID, int]]) -> dict[tuple[UUID, int], bytes]:
    """The seals of the events at these places (order, sequence)."""
    found: dict[tuple[UUID, int], bytes] = {}
    columns = (OrderEventRow.order_id, OrderEventRow.sequence)
    wanted = list(places)
    for start in range(0, len(wanted), _LOOKED_UP_AT_ONCE):
        some = wanted[start : start + _LOOKED_UP_AT_ONCE]
        rows = session.execute(select(*columns, OrderEventRow.seal).where(tuple_(*columns).in_(some)))
        found.update({(order_id, sequence): seal for order_id, sequence, seal in rows})
    return found


def newest_is_sealed_with(connection: Connection, key: bytes) -> bool:
    """Whether the event that was written last was sealed with this key; true where there is none."""
    newest = _sealed().order_by(OrderEventRow.at.desc(), OrderEventRow.id.desc()).limit(1)
    row = connection.execute(newest).mappings().one_or_none()
    if row is None:
        return True
    entry, seal = _entry(row)
    before = select(OrderEventRow.seal).where(
        OrderEventRow.order_id == entry.order_id, OrderEventRow.sequence == entry.sequence - 1
    )
    return seal == seal_of(key, connection.scalar(before) or FIRST, entry)


def sealed_events(connection: Connection) -> Iterator[tuple[Entry, bytes]]:
    """All events of all orders with their seals, by order and sequence, a few in memory at a time."""
    statement = _sealed().order_by(OrderEventRow.order_id, OrderEventRow.sequence)
    for row in connection.execution_options(yield_per=1000).execute(statement).mappings():
        yield _entry(row)


def _sealed() -> Select[Any]:
    return select(*(OrderEventRow.__table__.c[name] for name in (*_COLUMNS, "seal")))


def _entry(row: RowMapping) -> tuple[Entry, bytes]:
    return Entry(**{name: row[name] for name in _COLUMNS}), row["seal"]
