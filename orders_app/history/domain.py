"""How the events of an order are sealed to one another, so that no later change goes unnoticed.

Each event carries a MAC (HMAC-SHA-256, RFC 2104) over all that it says, over the state that it left the
order in, and over the MAC of the event before it.  Whoever changes, removes, adds or moves one without the
key breaks the chain from there on (docs/decisions/0010-history.md).  Standard library only.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from orders_app.shared.clock import rfc3339
from orders_app.shared.errors import DomainError

SEAL_BYTES: Final = 32
_written: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
FIRST: Final = bytes(SEAL_BYTES)
"""What stands for the first event of an order in the place of a predecessor's seal and of its state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """All that one event says.

    `began_from` and `state` are the digests of the order before and after it (`OrderRecord`): where the one
    is not the `state` of the event before, the order was changed past this service in between.  A new order
    begins from `FIRST`; None stands for events from before this was kept (migration 0007), whose seals say
    nothing of it, nor of their ids.
    """

    id: UUID
    order_id: UUID
    sequence: int
    event: str
    at: datetime
    actor_id: UUID | None
    actor_name: str
    request_id: str
    changes: dict[str, Any]
    old_status: str | None
    new_status: str | None
    began_from: bytes | None
    state: bytes | None


class NoSealingKey(DomainError):
    """There is no secret to seal with; a seal without one is a seal that anybody can make."""

    code = "no_sealing_key"


def sealing_key(secret: str) -> bytes:
    """The key of all seals, from the setting; one secret may serve several purposes, one key must not.

    Raises `NoSealingKey`.
    """
    if not secret:
        raise NoSealingKey(
            "The history of orders is sealed with HISTORY_KEY, or SECRET_KEY where that is not set, "
            "and there is neither. Give this command the key that the server has."
        )
    return hashlib.sha256(b"orders.history\0" + secret.encode()).digest()


def seal_of(key: bytes, previous: bytes, entry: Entry) -> bytes:
    """The seal of an event that follows one with the seal `previous`."""
    said = [
        previous.hex(),
        entry.order_id.hex,
        entry.sequence,
        entry.event,
        rfc3339(entry.at),
        entry.actor_id.hex if entry.actor_id else None,
        entry.actor_name,
        entry.request_id,
        entry.changes,
        entry.old_status,
        entry.new_status,
        entry.state.hex() if entry.state else None,
    ]
    if entry.began_from is not None:
        said += [entry.id.hex, entry.began_from.hex()]
    return hmac.digest(key, _written(said).encode(), "sha256")
