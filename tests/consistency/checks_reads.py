"""What must hold of answers: none older than what was known, none that never was so, nobody else's."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from tests.consistency.history import History, Timeline
from tests.consistency.records import Asked, Finding, Found, Kind, Operation, Outcome, Seen, order_of

_EXPECTED = {
    Kind.CREATE: {201, 409, 422},
    Kind.READ: {200, 304, 404},
    Kind.LIST: {200, 304},
    Kind.EVENTS: {200, 404},
    Kind.PUT: {200, 403, 404, 409, 412},
    Kind.PATCH: {200, 403, 404, 409, 412},
    Kind.DELETE: {204, 404, 412},
    Kind.RESTORE: {200, 404, 409},
}
_UNAVAILABLE = 503


def answers(history: History) -> Iterator[Found]:
    """Every request got one of the answers that it may get in these circumstances."""
    for operation in history.operations:
        if operation.status == 0:
            if history.expected.answered:
                yield Found(Finding.UNANSWERED, f"{operation}: {operation.reason}")
        elif operation.status == _UNAVAILABLE:
            if history.expected.served:
                yield Found(Finding.UNEXPECTED, str(operation))
        elif operation.status not in _EXPECTED[operation.kind]:
            yield Found(Finding.UNEXPECTED, str(operation))


def shown_orders(history: History) -> Iterator[Found]:
    """An order is shown as it was at its version, and that is not older than what was known before."""
    for operation in history.operations:
        if operation.replayed:
            continue
        for shown in operation.seen:
            timeline = history.timelines.get(shown.order_id)
            if timeline is None:
                yield Found(Finding.NEVER_SO, f"{operation} shows {shown.order_id}, which is not there")
                continue
            least = timeline.least(operation.started)
            if shown.version < least:
                text = f"{operation} shows version {shown.version} of {shown.order_id}, known was {least}"
                yield Found(Finding.STALE, text)
            if timeline.states.get(shown.version) != shown.text:
                stood = timeline.states.get(shown.version)
                text = f"{operation} shows {shown.text} as a version that was {stood}"
                yield Found(Finding.NEVER_SO, text)


def ownership(history: History) -> Iterator[Found]:
    """Nobody but an admin is shown what is another user's, in whatever answer."""
    for operation in history.operations:
        if operation.is_admin:
            continue
        for shown in operation.seen:
            owner = order_of(shown.text)["user"]
            if owner != operation.user:
                yield Found(Finding.LEAK, f"{operation} shows an order of {owner}: {shown.order_id}")
        if operation.events and (timeline := history.timelines.get(operation.order_id or "")):
            possible = timeline.possible(operation.started, operation.ended)
            if not any(order and order["user"] == operation.user for order in possible):
                yield Found(Finding.LEAK, f"{operation} shows the history of another user's order")


def absences(history: History) -> Iterator[Found]:
    """404 only for what may not have been there, or not for this user; 412 only for another version."""
    for operation in history.operations:
        timeline = history.timelines.get(operation.order_id or "")
        if timeline is None or operation.status not in {404, 412}:
            continue
        possible = timeline.possible(operation.started, operation.ended)
        if operation.status == 412:
            if all(order and order["version"] == operation.if_match for order in possible):
                yield Found(Finding.UNEXPECTED, f"{operation}, and that was the version all the time")
        elif operation.kind is not Kind.DELETE or not operation.is_admin:
            if all(_visible(order, operation) for order in possible):
                yield Found(Finding.STALE, f"{operation}, although it was there all the time")
        elif all(order and not order["is_deleted"] for order in possible):
            yield Found(Finding.STALE, f"{operation}, although it was there all the time")


def _visible(order: dict[str, Any] | None, operation: Operation) -> bool:
    if order is None:
        return False
    return operation.is_admin or (order["user"] == operation.user and not order["is_deleted"])


def histories(history: History) -> Iterator[Found]:
    """The events of an order are those that stand in the end, up to a version that is not too old."""
    for operation in history.of_kind(Kind.EVENTS):
        timeline = history.timelines.get(operation.order_id or "")
        if operation.outcome is not Outcome.OK or timeline is None:
            continue
        least = timeline.least(operation.started)
        if len(operation.events) < least:
            text = f"{operation} shows {len(operation.events)} events, known were {least}"
            yield Found(Finding.STALE, text)
        stand = [event.text for event in timeline.events]
        if list(operation.events) != stand[: len(operation.events)]:
            yield Found(Finding.NEVER_SO, f"{operation} shows events that are not those of the history")


def lists(history: History) -> Iterator[Found]:
    """A page has what belongs on it, each order once, in its order."""
    walks: dict[int, list[Operation]] = defaultdict(list)
    for operation in history.of_kind(Kind.LIST):
        asked = operation.asked
        if operation.outcome is not Outcome.OK or asked is None:
            continue
        yield from _belonging(operation, asked)
        if asked.walk is not None:
            walks[asked.walk].append(operation)
        elif asked.page == 1 and asked.ordering == "-created_at":
            yield from _first_page(history, operation, asked)
    for pages in walks.values():
        yield from _walk(history, pages)


def _belonging(operation: Operation, asked: Asked) -> Iterator[Found]:
    keys = []
    for shown in operation.seen:
        order = order_of(shown.text)
        keys.append(_key(order, asked.ordering))
        if order["is_deleted"] is not asked.is_deleted or asked.status not in {None, order["status"]}:
            yield Found(Finding.MISPLACED, f"{operation} of {asked} shows {shown.text}")
    if keys != sorted(keys, reverse=asked.ordering.startswith("-")):
        yield Found(Finding.MISPLACED, f"{operation} of {asked} is not in its order")


def _key(order: dict[str, Any], ordering: str) -> tuple[Any, str]:
    name = ordering.removeprefix("-")
    value = order[name]
    if name == "total_price":
        value = int(value.replace(".", ""))
    return value, order["order_id"]


def _listed(order: dict[str, Any] | None, operation: Operation, asked: Asked) -> bool:
    """Whether the order belongs in this list, on whatever page."""
    return (
        order is not None
        and (operation.is_admin or order["user"] == operation.user)
        and order["is_deleted"] is asked.is_deleted
        and asked.status in {None, order["status"]}
    )


def _first_page(history: History, operation: Operation, asked: Asked) -> Iterator[Found]:
    """What is newer than the last one of the first page and belongs in the list is on it."""
    shown = {seen.order_id for seen in operation.seen}
    last = _bound(history, operation.seen, asked)
    for timeline in reversed(history.by_creation):
        if timeline.key < last:
            break
        if timeline.order_id not in shown and _must_be_listed(timeline, operation, operation, asked):
            yield Found(Finding.MISSING, f"{timeline.order_id} is not on {operation} of {asked}")


def _bound(history: History, shown: tuple[Seen, ...], asked: Asked) -> tuple[str, str]:
    """The place down to which a page tells of everything."""
    timeline = history.timelines.get(shown[-1].order_id) if shown and not asked.last else None
    return timeline.key if timeline else ("", "")


def _must_be_listed(timeline: Timeline, first: Operation, last: Operation, asked: Asked) -> bool:
    if not timeline.least(first.started):
        return False
    return all(_listed(order, first, asked) for order in timeline.possible(first.started, last.ended))


def _walk(history: History, pages: list[Operation]) -> Iterator[Found]:
    """Following the cursor visits everything that was there all the time exactly once.

    What moves to another place of the list meanwhile may be visited twice or not at all; only the time
    of creation never changes.
    """
    pages.sort(key=lambda operation: operation.started)
    first, last = pages[0], pages[-1]
    asked, ended = first.asked, last.asked
    if asked is None or ended is None or asked.after or not ended.last:
        return  # it broke off
    visits = Counter(shown.order_id for operation in pages for shown in operation.seen)
    settled = asked.ordering.removeprefix("-") == "created_at"
    for timeline in history.by_creation:
        count = visits[timeline.order_id]
        if count == 1:
            continue
        still = len(timeline.possible(first.started, last.ended)) == 1
        where = f"{timeline.order_id} in the walk that ended with {last} of {asked}"
        if count > 1 and (settled or still):
            yield Found(Finding.TWICE, f"{count} times {where}")
        if count == 0 and (settled or still) and _must_be_listed(timeline, first, last, asked):
            yield Found(Finding.MISSING, where)
