"""What all events have in common."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, in plain values.

    `name` is a stable word such as `order.created`; `actor_id` is None for the command line;
    `owner_ids` are the users whose view of their data it changed (empty: nobody's).
    """

    name: str
    at: datetime
    actor_id: UUID | None
    actor_name: str
    request_id: str
    owner_ids: frozenset[UUID]

    def details(self) -> dict[str, Any]:
        """What a log line says beyond the name, the time, the actor and the request."""
        return {}
