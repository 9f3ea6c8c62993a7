"""Reading the history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from orders_app.events_log.models import OrderEventRow
from orders_app.shared.clock import rfc3339


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One event of one order, in plain values."""

    event_id: UUID
    order_id: UUID
    sequence: int
    event: str
    at: datetime
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
    OrderEventRow.actor_name,
    OrderEventRow.request_id,
    OrderEventRow.changes,
    OrderEventRow.old_status,
    OrderEventRow.new_status,
)


def history_of(
    connection: Connection, order_id: UUID, *, offset: int = 0, limit: int | None = None
) -> list[EventRecord]:
    """The events of an order, oldest first."""
    statement = (
        _EVENTS.where(OrderEventRow.order_id == order_id).order_by(OrderEventRow.sequence).offset(offset)
    )
    return [EventRecord(*row) for row in connection.execute(statement.limit(limit) if limit else statement)]


def latest_events(
    connection: Connection, *, offset: int, limit: int, order_id: UUID | None = None
) -> list[EventRecord]:
    """The events of all orders, or of one, newest first."""
    statement = _EVENTS.order_by(OrderEventRow.at.desc(), OrderEventRow.id.desc()).offset(offset).limit(limit)
    if order_id is not None:
        statement = statement.where(OrderEventRow.order_id == order_id)
    return [EventRecord(*row) for row in connection.execute(statement)]


def count_events(connection: Connection, *, order_id: UUID | None = None) -> int:
    """How many events there are, of all orders or of one."""
    statement = select(func.count()).select_from(OrderEventRow)
    if order_id is not None:
        statement = statement.where(OrderEventRow.order_id == order_id)
    return connection.scalar(statement) or 0
