"""Whether the histories of all orders are whole, the orders what their histories say, and counted right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from orders_app.history.domain import FIRST, Entry, seal_of
from orders_app.history.repository import sealed_events
from orders_app.orders.counts import Miscount, miscounts
from orders_app.orders.domain import Figures
from orders_app.orders.records import OrderRecord
from orders_app.orders.sales import WrongQuarter, wrong_quarters
from orders_app.orders.streaming import misfiled_orders, stream_orders
from orders_app.shared.clock import rfc3339
from orders_app.shared.money import cents_text

Sealed = tuple[Entry, bytes]


@dataclass(frozen=True, slots=True)
class Head:
    """How far the history of an order had come, and the seal of that event."""

    order_id: UUID
    sequence: int
    seal: bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as this service left it.

    `order_id` is None where it is about no single order; `sequence` names the event where it is about one.
    """

    order_id: UUID | None
    problem: str
    sequence: int | None = None


@dataclass(slots=True)
class Report:
    """What was looked at, and what was found."""

    orders: int = 0
    events: int = 0
    unsealed: int = 0
    """Events whose seal is not good, out of `events`; all of them, when the key is another one."""
    findings: int = 0


CHANGED: Final = "was changed after it was written, or written past this service"
MISSING: Final = "is missing"
ORPHANED: Final = "has a history, and no longer exists"
UNTOLD: Final = "has no history"
OVERTAKEN: Final = "began from an order that had been changed past this service"
MISFILED: Final = "is found under other words than its lines have"
DIFFERS: Final = "is not what its last event left: it was changed past this service"
GONE: Final = "was there at the checkpoint, and is gone"
SHORTER: Final = "has a shorter history than at the checkpoint"
REWRITTEN: Final = "is another one than at the checkpoint"


@dataclass(slots=True)
class Verification:
    """One look at everything, in the order of the ids, with a few orders in memory at a time.

    `heads` are those of an earlier look, in the same order; `tell` is called with each finding, `keep`
    with each head.  The connection sees one moment all the time (`extensions.snapshot_connection`).
    """

    key: bytes
    tell: Callable[[Finding], None]
    keep: Callable[[Head], None] = lambda _head: None
    heads: Iterable[Head] = ()
    report: Report = field(default_factory=Report)
    at: UUID | None = None
    """The order that was looked at last."""

    def run(self, connection: Connection, progress: Callable[[], object] = lambda: None) -> Report:
        """Look at every order and every event."""
        orders, histories = stream_orders(connection, None, by_id=True), _histories(connection)
        for order, history, head in _side_by_side(orders, histories, iter(self.heads)):
            self._one(order, history or [], head)
            self.at = order.order_id if order is not None else self.at
            progress()
        for order_id in misfiled_orders(connection):
            self._find(order_id, MISFILED)
        for wrong in miscounts(connection):
            self._find(None, _told(_of_count(wrong), wrong.kept, wrong.there))
        for of_quarter in wrong_quarters(connection):
            self._find(None, _told(_of_quarter(of_quarter), of_quarter.kept, of_quarter.there))
        return self.report

    def _one(self, order: OrderRecord | None, history: list[Sealed], head: Head | None) -> None:
        self.report.orders += order is not None
        self._chain(history)
        if order is None and history:
            self._find(history[0][0].order_id, ORPHANED)
        if order is not None and not history:
            self._find(order.order_id, UNTOLD)
        if order is not None and history:
            last, seal = history[-1]
            if order.version > last.sequence:
                self._find(order.order_id, MISSING, last.sequence + 1)
            elif last.state != order.digest():
                self._find(order.order_id, DIFFERS)
            self.keep(Head(order.order_id, last.sequence, seal))
        if head is not None:
            self._compare(order, history, head)

    def _chain(self, history: list[Sealed]) -> None:
        """Hold each event against its seal.

        The next one is held against the seal that is there, so that one change is one finding.
        """
        previous, expected = FIRST, 1
        left: bytes | None = None
        for entry, seal in history:
            self.report.events += 1
            is_sealed = seal == seal_of(self.key, previous, entry)
            if entry.sequence != expected:
                self._find(entry.order_id, MISSING, expected)
                left = None
            if not is_sealed:
                self.report.unsealed += 1
                self._find(entry.order_id, CHANGED, entry.sequence)
            elif left is not None and entry.began_from not in {None, left}:
                self._find(entry.order_id, OVERTAKEN, entry.sequence)
            previous, expected, left = seal, entry.sequence + 1, entry.state if is_sealed else None

    def _compare(self, order: OrderRecord | None, history: list[Sealed], head: Head) -> None:
        then = next((seal for entry, seal in history if entry.sequence == head.sequence), None)
        if order is None:
            self._find(head.order_id, GONE)
        elif then is None:
            self._find(head.order_id, SHORTER)
        elif then != head.seal:
            self._find(head.order_id, REWRITTEN, head.sequence)

    def _find(self, order_id: UUID | None, problem: str, sequence: int | None = None) -> None:
        self.report.findings += 1
        self.tell(Finding(order_id, problem, sequence))


def _told(which: str, kept: Figures, there: Figures) -> str:
    if kept.number != there.number:
        return f"the count of {which} is {kept.number}, and there are {there.number}"
    return f"the sum of {which} is {_money(kept)}, and they come to {_money(there)}"


def _money(figures: Figures) -> str:
    """What they come to, which may be less than nothing where it is wrong."""
    sign = "-" if figures.total_cents < 0 else ""
    return sign + cents_text(abs(figures.total_cents))


def _of_count(wrong: Miscount) -> str:
    whose = "all owners" if wrong.owner_id is None else f"user {wrong.owner_id}"
    which = f"deleted {wrong.status}" if wrong.is_deleted else wrong.status
    return f"{which} orders of {whose}"


def _of_quarter(wrong: WrongQuarter) -> str:
    return f"{wrong.status} orders of the quarter hour from {rfc3339(wrong.begins)}"


def _histories(connection: Connection) -> Iterator[list[Sealed]]:
    for _, events in groupby(sealed_events(connection), key=lambda sealed: sealed[0].order_id):
        yield list(events)


def _side_by_side(
    orders: Iterator[OrderRecord], histories: Iterator[list[Sealed]], heads: Iterator[Head]
) -> Iterator[tuple[OrderRecord | None, list[Sealed] | None, Head | None]]:
    """What belongs to one order after another, from three streams in the order of its id."""
    order, history, head = next(orders, None), next(histories, None), next(heads, None)
    while order is not None or history is not None or head is not None:
        ids = (
            order.order_id if order else None,
            history[0][0].order_id if history else None,
            head.order_id if head else None,
        )
        least = min(found for found in ids if found is not None)
        yield (
            order if ids[0] == least else None,
            history if ids[1] == least else None,
            head if ids[2] == least else None,
        )
        order = next(orders, None) if ids[0] == least else order
        history = next(histories, None) if ids[1] == least else history
        head = next(heads, None) if ids[2] == least else head
