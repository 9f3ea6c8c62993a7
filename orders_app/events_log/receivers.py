"""What listens: the histories inside the transaction, the log files after it."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from flask import current_app

from orders_app.auth.events import UserEvent
from orders_app.auth.repository import account_events
from orders_app.events_log.counting import count_denial, count_event
from orders_app.history import repository as history
from orders_app.history.domain import Entry, sealing_key
from orders_app.http.log_files import EVENTS, GENERAL, write_line
from orders_app.http.metrics import RECEIVER_FAILURES, begin_at_zero
from orders_app.orders.events import OrderEvent, OrderEventName
from orders_app.shared import signals, view_versions
from orders_app.shared.clock import rfc3339, utcnow
from orders_app.shared.correlation import current_address, current_request_id
from orders_app.shared.events import Event
from orders_app.shared.persistence import new_id
from orders_app.shared.unit_of_work import UnitOfWork


def connect() -> None:
    """Connect all receivers; doing so twice changes nothing."""
    signals.events_recorded.connect(write_history)
    signals.events_recorded.connect(write_account_history)
    signals.events_recorded.connect(count_changes)
    for told_of_events in AFTER_COMMIT:
        signals.event_committed.connect(told_of_events)
    for told_of_denials in AFTER_DENIAL:
        signals.access_denied.connect(told_of_denials)
    signals.receiver_failed.connect(count_failure)
    begin_at_zero(RECEIVER_FAILURES, [receiver.__qualname__ for receiver in (*AFTER_COMMIT, *AFTER_DENIAL)])


def write_history(uow: UnitOfWork, events: tuple[Event, ...]) -> None:
    """Add a row of history for each event of an order, in the same transaction."""
    entries = [
        Entry(
            id=new_id(),
            order_id=event.order_id,
            sequence=event.sequence,
            event=event.name,
            at=event.at,
            actor_id=event.actor_id,
            actor_name=event.actor_name,
            request_id=event.request_id,
            changes=event.changes,
            old_status=event.old_status,
            new_status=event.new_status,
            began_from=event.began_from,
            state=event.state,
        )
        for event in events
        if isinstance(event, OrderEvent)
    ]
    if entries:
        key = sealing_key(current_app.config["ORDERS"].history_secret)
        uow.insert(history.sealed(key, entries, lambda: uow.session))


def write_account_history(uow: UnitOfWork, events: tuple[Event, ...]) -> None:
    """Add a row for each event of an account, in the same transaction."""
    of_accounts = [event for event in events if isinstance(event, UserEvent)]
    if of_accounts:
        uow.insert(account_events(of_accounts, current_address()))


def count_changes(uow: UnitOfWork, events: tuple[Event, ...]) -> None:
    """Make what caches hold of these owners' data stale, in the same transaction."""
    owners = frozenset().union(*(event.owner_ids for event in events))
    if owners:
        uow.insert(*view_versions.counting_up(owners))


def log_event(_sender: UnitOfWork, event: Event) -> None:
    """One line in `general.log` for what somebody did, and from where unless it was a command."""
    address = current_address()
    write_line(GENERAL, {**_fields(event), "address": address} if address else _fields(event))


def log_status_change(_sender: UnitOfWork, event: Event) -> None:
    """One line in `events.log` for each status change of an existing order."""
    if isinstance(event, OrderEvent) and event.name == OrderEventName.STATUS_CHANGED:
        write_line(EVENTS, _fields(event))


def log_denial(_sender: None, reason: str, username: str, order_id: UUID | None) -> None:
    """One line in `general.log` for somebody who was refused."""
    fields = {
        "at": rfc3339(utcnow()),
        "event": "access.denied",
        "user": username[:150],
        "request_id": current_request_id(),
        "reason": reason,
        "address": current_address(),
    }
    if order_id is not None:
        fields["order_id"] = str(order_id)
    write_line(GENERAL, fields)


def count_failure(_sender: UnitOfWork | None, receiver: str, **_payload: Any) -> None:
    """Count a receiver that failed, so that an alert can be put on it."""
    RECEIVER_FAILURES.labels(receiver).inc()


AFTER_COMMIT: Final = (log_event, log_status_change, count_event)
AFTER_DENIAL: Final = (log_denial, count_denial)


def _fields(event: Event) -> dict[str, Any]:
    return {
        "at": rfc3339(event.at),
        "event": event.name,
        "user": event.actor_name,
        "request_id": event.request_id,
        **event.details(),
    }
