"""What the clients log and what is left in the database, in plain values.

An order is compared as text: its fields in one canonical spelling, so that two that say the same are
the same string, kept once however often it was seen.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

COMPARED = (
    "order_id",
    "user",
    "status",
    "total_price",
    "products",
    "is_deleted",
    "created_at",
    "updated_at",
    "version",
)
"""The fields of an order that its history or its last change determine, whoever asks."""

EVENT_FIELDS = (
    "event_id",
    "sequence",
    "event",
    "at",
    "user",
    "request_id",
    "changes",
    "old_status",
    "new_status",
)


class Outcome(StrEnum):
    """What a client knows of an operation once it has let go of it."""

    OK = "ok"
    FAILED = "failed"  # refused: it did not happen
    UNKNOWN = "unknown"  # no answer, or one that leaves it open: it may or may not have happened


class Kind(StrEnum):
    """What was asked for."""

    CREATE = "create"
    READ = "read"
    LIST = "list"
    EVENTS = "events"
    PUT = "put"
    PATCH = "patch"
    DELETE = "delete"
    RESTORE = "restore"

    @property
    def changes(self) -> bool:
        """Whether it writes."""
        return self not in {Kind.READ, Kind.LIST, Kind.EVENTS}


@dataclass(frozen=True, slots=True)
class Seen:
    """One order as an answer showed it."""

    order_id: str
    version: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which list was asked for, and which part of it the answer is.

    `after` is whether the page goes on behind a cursor, `last` whether nothing follows it.  The pages of
    one walk from the first to the last carry its number.
    """

    ordering: str = "-created_at"
    is_deleted: bool = False
    status: str | None = None
    page: int | None = None
    walk: int | None = None
    after: bool = False
    last: bool = False
    total: int | None = None


@dataclass(slots=True, kw_only=True)
class Operation:
    """One request, and what came of it.  Times are nanoseconds of one monotonic clock.

    `sent` holds the values that a change was to set, as an order shows them; `if_match` is the version
    whose tag was sent along; `version` and `order_id` are the answer's.
    """

    number: int
    request_id: str
    user: str
    is_admin: bool
    kind: Kind
    started: int
    ended: int
    outcome: Outcome
    status: int = 0
    reason: str = ""
    order_id: str | None = None
    key: str | None = None
    replayed: bool = False
    if_match: int | None = None
    sent: dict[str, Any] = field(default_factory=dict)
    seen: tuple[Seen, ...] = ()
    events: tuple[str, ...] = ()
    asked: Asked | None = None

    def __str__(self) -> str:
        what = f"{self.kind} by {self.user}"
        if self.order_id:
            what += f" of {self.order_id}"
        if self.key:
            what += f" under the key {self.key}"
        if self.if_match:
            what += f" if version {self.if_match}"
        answer = self.status or self.reason or "no answer"
        return f"#{self.number} ({what}: {self.outcome}, {answer}, request {self.request_id})"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """One row of the history."""

    order_id: str
    sequence: int
    event: str
    at: str
    user: str
    request_id: str
    changes: dict[str, list[Any]]
    text: str = ""
    old_status: str | None = None
    new_status: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """One row of the answers kept for idempotency keys."""

    user: str
    order_id: str | None
    status: int


@dataclass(slots=True, kw_only=True)
class Final:
    """What is in the database once all is quiet.

    `orders` are the orders as the API would show them; `positions` those of the lines of each order id
    that any line names; `status_lines` the (order id, request id) of `events.log`; `complaints` what the
    service's own check of the history has to say.
    """

    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    positions: dict[str, list[int]] = field(default_factory=dict)
    events: list[StoredEvent] = field(default_factory=list)
    answers: list[StoredAnswer] = field(default_factory=list)
    status_lines: list[tuple[str, str]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the circumstances of a run allow.

    `answered`: whatever was sent got an answer, which kills nobody;  `served`: and none of the answers
    was 503, as the database was there for all;  `logged`: every status change stands in `events.log`.
    """

    answered: bool = True
    served: bool = True
    logged: bool = True


class Finding(StrEnum):
    """The kinds of what the checker can find."""

    STALE = "stale read"
    NEVER_SO = "a state that never was"
    MISSING = "missing from a list"
    TWICE = "twice in a list"
    MISPLACED = "in a list where it does not belong"
    LEAK = "another user's data"
    LOST_WRITE = "acknowledged write lost"
    LOST_UPDATE = "lost update"
    DOUBLED = "doubled order"
    REPLAY = "wrong replay"
    REFUSED = "refused write visible"
    NO_EVENT = "version without an event"
    EVENTS_DOUBLED = "doubled event"
    GAP = "gap in the sequence"
    HISTORY = "history and order differ"
    UNEXPLAINED = "change that nobody asked for"
    RESURRECTED = "deleted order changed"
    ORPHAN = "orphan"
    LOG = "events.log and history differ"
    UNANSWERED = "request without an answer"
    UNEXPECTED = "unexpected answer"
    TAMPERED = "history does not verify"


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that must not be, with what shows it."""

    kind: Finding
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


def order_text(order: Mapping[str, Any]) -> str:
    """The compared fields of an order, in the one spelling."""
    return sys.intern(json.dumps([order[name] for name in COMPARED], separators=(",", ":"), sort_keys=True))


@functools.lru_cache(maxsize=200_000)
def order_of(text: str) -> dict[str, Any]:
    """The order that `order_text` was made of; not to be changed, as it is kept."""
    return dict(zip(COMPARED, json.loads(text), strict=True))


def seen(order: Mapping[str, Any]) -> Seen:
    """An order of an answer, for the log."""
    return Seen(sys.intern(order["order_id"]), order["version"], order_text(order))


def event_text(event: Mapping[str, Any]) -> str:
    """The fields of an event that the contract names, in the one spelling."""
    named = {name: event[name] for name in EVENT_FIELDS if event.get(name) is not None}
    return sys.intern(json.dumps(named, separators=(",", ":"), sort_keys=True))


def events_of(texts: Iterable[str]) -> list[dict[str, Any]]:
    """The events that `event_text` was made of."""
    return [json.loads(text) for text in texts]
