"""The run as one whole: the log of operations joined with the history that the database holds.

Every request carries an id of its own, and every event names the request that made it, so each version
of each order is traced to the operation that made it.  What an order looked like at each version is had
by going back from what stands in the end, undoing one event after the other.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tests.consistency.records import (
    Expected,
    Final,
    Finding,
    Found,
    Kind,
    Operation,
    StoredEvent,
    order_of,
    order_text,
)


@dataclass
class Timeline:
    """One order: what it was at each version, who made it so, and from when on that was known."""

    order_id: str
    created_at: str
    events: list[StoredEvent]
    started: list[int]
    states: dict[int, str] = field(default_factory=dict)
    known_at: list[int] = field(default_factory=list)
    known: list[int] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str]:
        """Its place in a list by creation; ids sort as text as they do in both databases."""
        return self.created_at, self.order_id

    def least(self, moment: int) -> int:
        """The version that some answer had shown by then; 0 before the first."""
        index = bisect_right(self.known_at, moment)
        return self.known[index - 1] if index else 0

    def most(self, moment: int) -> int:
        """The highest version whose request had been begun by then."""
        return max(
            (
                event.sequence
                for event, begun in zip(self.events, self.started, strict=True)
                if begun <= moment
            ),
            default=0,
        )

    def possible(self, begun: int, ended: int) -> list[dict[str, Any] | None]:
        """What somebody who asked in this time may have been shown; None is no order yet."""
        least, most = self.least(begun), self.most(ended)
        found: list[dict[str, Any] | None] = [] if least else [None]
        found += [
            order_of(self.states[version])
            for version in range(max(least, 1), max(least, most) + 1)
            if version in self.states
        ]
        return found

    def learn(self, moment: int, version: int) -> None:
        """An answer that came at that moment showed this version; moments never go back."""
        if not self.known or version > self.known[-1]:
            self.known_at.append(moment)
            self.known.append(version)


class History:
    """All that is known of a run, indexed for the checks."""

    def __init__(self, operations: Iterable[Operation], final: Final, expected: Expected) -> None:
        self.operations = sorted(operations, key=lambda operation: operation.ended)
        self.final = final
        self.expected = expected
        self.by_request = {operation.request_id: operation for operation in self.operations}
        self.events_of_request: dict[str, list[StoredEvent]] = defaultdict(list)
        self.events_of_order: dict[str, list[StoredEvent]] = defaultdict(list)
        for event in sorted(final.events, key=lambda event: event.sequence):
            self.events_of_request[event.request_id].append(event)
            self.events_of_order[event.order_id].append(event)
        self.broken: list[Found] = []
        self.timelines = {order_id: self._timeline(order_id) for order_id in final.orders}
        self._learn()

    def made_by(self, operation: Operation) -> list[StoredEvent]:
        """The events that this request made."""
        return self.events_of_request.get(operation.request_id, [])

    @cached_property
    def by_creation(self) -> list[Timeline]:
        """All orders, the oldest first."""
        return sorted(self.timelines.values(), key=lambda timeline: timeline.key)

    def of_kind(self, *kinds: Kind) -> Iterator[Operation]:
        return (operation for operation in self.operations if operation.kind in kinds)

    def _timeline(self, order_id: str) -> Timeline:
        order = dict(self.final.orders[order_id])
        events = self.events_of_order.get(order_id, [])
        started = [self._started(event) for event in events]
        timeline = Timeline(order_id, order["created_at"], events, started)
        later: dict[str, int] = {}
        for event in reversed(events):
            order |= {"version": event.sequence, "updated_at": event.at}
            self._compare(event, order, later)
            timeline.states[event.sequence] = order_text(order)
            for name, (before, _) in event.changes.items():
                order[name] = before
                later[name] = event.sequence
        return timeline

    def _started(self, event: StoredEvent) -> int:
        operation = self.by_request.get(event.request_id)
        return operation.started if operation else 0

    def _compare(self, event: StoredEvent, order: dict[str, Any], later: dict[str, int]) -> None:
        """Whether what an event says it left is what the next change of that field found."""
        for name, (_, after) in event.changes.items():
            if after == order[name]:
                continue
            left = f"version {event.sequence} of {event.order_id} left {name} as {after!r}"
            if name in later:
                text = f"{left}, but version {later[name]} began from {order[name]!r}"
                self.broken.append(Found(Finding.LOST_UPDATE, text))
            else:
                self.broken.append(Found(Finding.HISTORY, f"{left}, but the order has {order[name]!r}"))

    def _learn(self) -> None:
        """From when on each version was known to somebody."""
        for operation in self.operations:
            for shown in operation.seen:
                if timeline := self.timelines.get(shown.order_id):
                    timeline.learn(operation.ended, shown.version)
            if operation.outcome == "ok" and operation.kind is Kind.DELETE:
                for event in self.made_by(operation):
                    if timeline := self.timelines.get(event.order_id):
                        timeline.learn(operation.ended, event.sequence)
            if operation.events and operation.order_id in self.timelines:
                self.timelines[operation.order_id].learn(operation.ended, len(operation.events))
