"""What must hold of changes: none lost, none doubled, none without its event, none that was refused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from tests.consistency.history import History, Timeline
from tests.consistency.records import Finding, Found, Kind, Operation, Outcome, Seen, StoredEvent, order_of

_MAY_CHANGE = {
    Kind.CREATE: set[str](),
    Kind.PUT: {"products", "total_price", "status", "user"},
    Kind.PATCH: {"products", "total_price", "status", "user"},
    Kind.DELETE: {"is_deleted"},
    Kind.RESTORE: {"is_deleted"},
}
_NAMES = {
    Kind.CREATE: {"order.created"},
    Kind.PUT: {"order.updated", "order.status_changed"},
    Kind.PATCH: {"order.updated", "order.status_changed"},
    Kind.DELETE: {"order.deleted"},
    Kind.RESTORE: {"order.restored"},
}


def acknowledged_writes(history: History) -> Iterator[Found]:
    """Every change that was acknowledged is there, as one event of the version that the answer named."""
    for operation in history.operations:
        if not operation.kind.changes or operation.outcome is not Outcome.OK or operation.replayed:
            continue
        events = history.made_by(operation)
        if not events:
            yield Found(Finding.LOST_WRITE, f"{operation} left no event")
            continue
        event = events[0]
        if operation.order_id not in history.final.orders:
            yield Found(Finding.LOST_WRITE, f"{operation} was acknowledged, and there is no such order")
        elif event.order_id != operation.order_id:
            yield Found(Finding.LOST_WRITE, f"{operation} changed {event.order_id}")
        for shown in operation.seen:
            if shown.version not in {event.sequence for event in events}:
                text = f"{operation} answered version {shown.version}, its event is {event.sequence}"
                yield Found(Finding.LOST_WRITE, text)


def refused_writes(history: History) -> Iterator[Found]:
    """What was refused did nothing, and what was done once did not happen twice."""
    for operation in history.operations:
        events = history.made_by(operation)
        if events and operation.outcome is Outcome.FAILED:
            yield Found(Finding.REFUSED, f"{operation} made version {events[0].sequence}")
        orders = {event.order_id for event in events}
        if len(orders) > 1:
            yield Found(Finding.DOUBLED, f"{operation} made {sorted(orders)}")
        elif len(events) > 1:
            versions = [event.sequence for event in events]
            yield Found(Finding.EVENTS_DOUBLED, f"{operation} has the events {versions}")


def idempotency(history: History) -> Iterator[Found]:
    """One key of one user stands for one change, and every answer under it is the first one."""
    attempts: dict[tuple[Any, ...], list[Operation]] = defaultdict(list)
    for operation in history.of_kind(Kind.CREATE, Kind.RESTORE):
        if operation.key is not None:
            of_what = operation.order_id if operation.kind is Kind.RESTORE else None
            attempts[operation.user, operation.kind, of_what, operation.key].append(operation)
    kept = {(answer.user, answer.order_id) for answer in history.final.answers}
    for operations in attempts.values():
        yield from _one_change(history, operations, kept)
    for answer in history.final.answers:
        if answer.order_id not in history.final.orders:
            text = f"an answer is kept for the order {answer.order_id}, which is not there"
            yield Found(Finding.ORPHAN, text)


def _one_change(
    history: History, operations: list[Operation], kept: set[tuple[str, str | None]]
) -> Iterator[Found]:
    """What must hold of all attempts under one key."""
    events = [event for operation in operations for event in history.made_by(operation)]
    made = sorted({event.order_id for event in events})
    whose = f"the key {operations[0].key} of {operations[0].user}"
    if len(made) > 1 or (operations[0].kind is Kind.RESTORE and len(events) > 1):
        yield Found(Finding.DOUBLED, f"{whose} stands for {made}: {operations[0]}")
    for operation in operations:
        if operation.outcome is not Outcome.OK:
            continue
        if operation.order_id not in made:
            text = f"{operation} answered with an order that {whose} did not make: {made}"
            yield Found(Finding.REPLAY, text)
        elif operation.seen != _first_answer(history, events):
            yield Found(Finding.REPLAY, f"{operation} is not the answer that was given first")
        if (operation.user, operation.order_id) not in kept:
            yield Found(Finding.REPLAY, f"no answer is kept for {operation}")


def _first_answer(history: History, events: list[StoredEvent]) -> tuple[Seen, ...]:
    """What the first success under a key showed: the order at the version that it made."""
    order_id, version = events[0].order_id, events[0].sequence
    timeline = history.timelines.get(order_id)
    return (Seen(order_id, version, timeline.states.get(version, "") if timeline else ""),)


def lost_updates(history: History) -> Iterator[Found]:
    """Every change began from what the one before it left, and from the version that it named."""
    yield from history.broken
    for operation in history.operations:
        if operation.if_match is None:
            continue
        for event in history.made_by(operation)[:1]:
            if event.sequence != operation.if_match + 1:
                text = f"{operation} made version {event.sequence} although it had seen {operation.if_match}"
                yield Found(Finding.LOST_UPDATE, text)


def events(history: History) -> Iterator[Found]:
    """Exactly one event for each version, in a sequence without gaps; each of a request that asked for it."""
    for order_id, order in history.final.orders.items():
        yield from _sequence(order_id, order["version"], history.events_of_order.get(order_id, []))
    for order_id in history.events_of_order.keys() - history.final.orders.keys():
        yield Found(Finding.ORPHAN, f"there are events of the order {order_id}, which is not there")
    for event in history.final.events:
        operation = history.by_request.get(event.request_id)
        if operation is None:
            text = f"version {event.sequence} of {event.order_id} comes from request {event.request_id}"
            yield Found(Finding.UNEXPLAINED, f"{text}, which no client sent")
        else:
            yield from _told(history, event, operation)
    yield from (Found(Finding.TAMPERED, complaint) for complaint in history.final.complaints)


def _sequence(order_id: str, version: int, found: list[StoredEvent]) -> Iterator[Found]:
    sequences = [event.sequence for event in found]
    if len(set(sequences)) < len(sequences):
        yield Found(Finding.EVENTS_DOUBLED, f"{order_id} has the events {sequences}")
    missing = sorted(set(range(1, max([*sequences, 0]) + 1)) - set(sequences))
    if missing:
        yield Found(Finding.GAP, f"{order_id} has no events {missing} of {sequences}")
    if version != max([*sequences, 0]):
        yield Found(Finding.NO_EVENT, f"{order_id} is at version {version}, its events are {sequences}")


def _told(history: History, event: StoredEvent, operation: Operation) -> Iterator[Found]:
    """Whether an event tells of what its request asked for, and of nothing else."""
    where = f"version {event.sequence} of {event.order_id} ({event.event}), made by {operation}"
    changed = set(event.changes)
    if event.event not in _NAMES.get(operation.kind, ()):
        kind = Finding.RESURRECTED if "is_deleted" in changed else Finding.UNEXPLAINED
        yield Found(kind, f"{where}, is nothing that such a request does")
        return
    if changed - _MAY_CHANGE[operation.kind]:
        kind = Finding.RESURRECTED if "is_deleted" in changed else Finding.UNEXPLAINED
        yield Found(kind, f"{where}, changed {sorted(changed)}")
    if ("status" in changed) != (event.event == "order.status_changed"):
        yield Found(Finding.HISTORY, f"{where}, has the wrong name for its changes {sorted(changed)}")
    elif event.changes.get("status", [None, None]) != [event.old_status, event.new_status]:
        yield Found(Finding.HISTORY, f"{where}, contradicts itself about the status")
    if event.user != operation.user:
        yield Found(Finding.HISTORY, f"{where}, is said to be by {event.user}")
    if timeline := history.timelines.get(event.order_id):
        yield from _as_sent(timeline, event, operation, where)


def _as_sent(timeline: Timeline, event: StoredEvent, operation: Operation, where: str) -> Iterator[Found]:
    """Whether a change was made to an order that could be changed, and made it what was sent."""
    before, after = (timeline.states.get(event.sequence - back) for back in (1, 0))
    if before and order_of(before)["is_deleted"] and operation.kind is not Kind.RESTORE:
        yield Found(Finding.RESURRECTED, f"{where}, changed a deleted order")
    stands = order_of(after) if after else {}
    for name, value in operation.sent.items():
        if stands and comparable(name, stands[name]) != value:
            text = f"{where}, has {name} {stands[name]!r} where {value!r} was sent"
            yield Found(Finding.LOST_UPDATE, text)


def comparable(name: str, value: Any) -> Any:
    """A field of an order as the clients note what they send: lines without their ids."""
    if name == "products":
        return [[line["name"], line["price"], line["quantity"]] for line in value]
    return value


def leftovers(history: History) -> Iterator[Found]:
    """No line without its order, no order without its lines, and their places counted without gaps."""
    for order_id in history.final.positions.keys() - history.final.orders.keys():
        yield Found(Finding.ORPHAN, f"there are lines of the order {order_id}, which is not there")
    for order_id, order in history.final.orders.items():
        positions = sorted(history.final.positions.get(order_id, []))
        if not positions or positions != list(range(len(positions))):
            yield Found(Finding.ORPHAN, f"the lines of {order_id} have the places {positions}")
        elif len(positions) != len(order["products"]):
            yield Found(
                Finding.ORPHAN, f"{order_id} shows {len(order['products'])} of {len(positions)} lines"
            )


def log_lines(history: History) -> Iterator[Found]:
    """`events.log` has at most one line for a status change, one for each where nothing kept it from that."""
    written: dict[tuple[str, str], int] = defaultdict(int)
    for line in history.final.status_lines:
        written[line] += 1
    changes = {
        (event.order_id, event.request_id)
        for event in history.final.events
        if event.event == "order.status_changed"
    }
    for line, count in written.items():
        if line not in changes:
            yield Found(
                Finding.LOG, f"events.log tells of a status change that is not in the history: {line}"
            )
        elif count > 1:
            yield Found(Finding.LOG, f"events.log tells {count} times of {line}")
    if history.expected.logged:
        for line in changes - written.keys():
            yield Found(Finding.LOG, f"events.log does not tell of {line}")
