"""What happens to orders."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from orders_app.shared.events import Event


class OrderEventName(StrEnum):
    """The names under which the events stand in the history and in the logs."""

    CREATED = "order.created"
    UPDATED = "order.updated"
    STATUS_CHANGED = "order.status_changed"
    DELETED = "order.deleted"
    RESTORED = "order.restored"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent(Event):
    """One change of one order.

    `sequence` counts the events of the order from 1 without gaps and is the version that the change
    made; `changes` is `{field: [before, after]}`; the statuses are set where the status changed.
    `began_from` and `state` are the digests of the order before and after the change; `status` and
    `total_price_cents` are what it left the order with.
    """

    order_id: UUID
    sequence: int
    status: str
    total_price_cents: int
    began_from: bytes
    state: bytes
    changes: dict[str, list[Any]] = field(default_factory=dict)
    old_status: str | None = None
    new_status: str | None = None

    def details(self) -> dict[str, Any]:
        fields: dict[str, Any] = {"order_id": str(self.order_id)}
        if self.new_status is not None:
            fields |= {"old_status": self.old_status, "new_status": self.new_status}
        return fields


NOTED: Final = "order.noted"
"""The name of the event below; it changes no order, so it is none of the history's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNoted(Event):
    """Something was written about an order; what it was is not told."""

    order_id: UUID

    def details(self) -> dict[str, Any]:
        return {"order_id": str(self.order_id)}
