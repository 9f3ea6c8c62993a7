"""Bugs to be found: what a service of this kind gets wrong, planted into the application before it starts.

Nothing in `orders_app` knows of them.  `planted_wsgi.py` plants the one that `PLANTED_BUG` names in each
worker process of a server that `launcher.py` starts.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import wraps
from typing import Any
from uuid import UUID

import orjson
from flask import Flask, Response, current_app
from sqlalchemy import ColumnElement, literal, select, text
from sqlalchemy.orm import Session

from orders_app.auth.credentials import CredentialQueries, Shown
from orders_app.auth.guards import Standing, current_actor
from orders_app.events_log import receivers
from orders_app.extensions import cache, unit_of_work
from orders_app.idempotency import guards
from orders_app.idempotency import services as idempotency
from orders_app.idempotency.domain import scope_of
from orders_app.orders import cache as answers
from orders_app.orders import filters, queries, repository, routes, services
from orders_app.orders.domain import OrderChanges
from orders_app.orders.events import OrderEvent
from orders_app.orders.models import Order
from orders_app.shared import view_versions
from orders_app.shared.clock import utcnow
from orders_app.shared.errors import PreconditionFailed
from orders_app.shared.events import Event
from orders_app.shared.identity import Actor, Role
from orders_app.shared.round_trips import commit_with
from orders_app.shared.unit_of_work import UnitOfWork

Events = tuple[Event, ...]
MOMENT = 0.03
"""So long a race stays open, in seconds: what happens once in a thousand times is to happen in a hundred."""
LATER = 0.1


def plant(name: str) -> None:
    """Put the bug of this name into the application that is about to be made."""
    PLANTS[name]()


# The cache.


def version_counted_later() -> None:
    """The version of the view is counted after the answer, by a thread of its own."""

    def count_changes(uow: UnitOfWork, events: Events) -> None:
        threading.Timer(LATER, _count, [uow.session.get_bind(), _owners(events)]).start()

    receivers.count_changes = count_changes


def version_counted_first() -> None:
    """The version is counted before the commit and outside of it: who reads in between keeps what was."""

    def count_changes(uow: UnitOfWork, events: Events) -> None:
        _count(uow.session.get_bind(), _owners(events))
        time.sleep(MOMENT)

    receivers.count_changes = count_changes


def version_of_the_caller() -> None:
    """The version of who made the change is counted, not that of whose order it is."""

    def count_changes(uow: UnitOfWork, events: Events) -> None:
        uow.insert(*view_versions.counting_up({event.actor_id for event in events if event.actor_id}))

    receivers.count_changes = count_changes


def any_version_will_do() -> None:
    """A cached answer is served under whatever version it was made."""

    def read(key: str, version: str) -> answers.Answer | None:
        entry = cache.get(key)
        if not isinstance(entry, bytes):
            return None
        head, _, body = entry[answers._MAC_BYTES :].partition(b"\n")
        _, tag, headers = orjson.loads(head)
        return answers.Answer(body, headers, tag)

    answers._read = read


def order_without_its_version() -> None:
    """An order that was read is served again whatever became of it; lists are looked at."""
    nothing = Shown(CredentialQueries(literal("")), {})

    def one_order(order_id: UUID) -> Shown:
        return nothing

    vars(routes)["one_order"] = one_order


def ready_without_a_look() -> None:
    """An answer that is kept ready is given again without a look at what it was made under."""
    Standing.holds = lambda self: utcnow() < self.until  # type: ignore[method-assign]


def key_without_the_caller() -> None:
    """Answers are cached by what was asked for, whoever asks."""
    key_of = answers._key
    answers._key = lambda actor, asked: "all" + key_of(actor, asked).partition(":")[2]


# Two writers.


def no_lock() -> None:
    """Orders are read, changed and written without a lock; the versions are counted by the database."""
    written = receivers.write_history

    def read(session: Session, order_id: UUID) -> Order | None:
        order = session.scalars(select(Order).where(Order.id == order_id)).one_or_none()
        time.sleep(MOMENT)
        return order

    def write_history(uow: UnitOfWork, events: Events) -> None:
        count = text("SELECT coalesce(max(sequence), 0) + 1 FROM order_events WHERE order_id = :order_id")
        for event in events:
            if isinstance(event, OrderEvent):
                sequence = uow.session.scalar(count, {"order_id": event.order_id})
                object.__setattr__(event, "sequence", sequence)
                uow.session.execute(
                    text("UPDATE orders SET version = :version WHERE id = :order_id"),
                    {"version": sequence, "order_id": event.order_id},
                )
        written(uow, events)

    repository.get_order_locked = read
    receivers.write_history = write_history


def match_compared_too_early() -> None:
    """If-Match is compared with what was read before the order is locked."""
    change_order = services.change_order

    @wraps(change_order)
    def change(uow: UnitOfWork, *, if_match: Collection[str] | None = None, **rest: Any) -> Any:
        if if_match is not None:
            with uow.session.get_bind().engine.connect() as connection:
                order = queries.get_order(connection, rest["order_id"])
            if order is not None:
                services._check_match(order, rest["actor"], if_match)
            time.sleep(MOMENT)
        return change_order(uow, **rest)

    services.change_order = change


def refused_and_done() -> None:
    """What If-Match refuses is done all the same."""
    change = routes._change

    def change_anyway(order_id: str, changes: dict[str, Any]) -> Response:
        try:
            return change(order_id, dict(changes))
        except PreconditionFailed:
            actor = current_actor()
            with unit_of_work() as uow:
                wanted = OrderChanges(**routes._with_owner(actor, dict(changes)))
                services.change_order(uow, actor=actor, order_id=UUID(order_id), changes=wanted)
            raise

    routes._change = change_anyway


def resurrected() -> None:
    """A change of a deleted order brings it back."""
    change_order = services.change_order

    @wraps(change_order)
    def change(uow: UnitOfWork, *, actor: Actor, order_id: UUID, **rest: Any) -> Any:
        order = repository.get_order_locked(uow.session, order_id)
        if order is not None and order.is_deleted and (actor.is_admin or actor.user_id == order.user_id):
            services.restore_order(uow, actor=replace(actor, role=Role.ADMIN), order_id=order_id)
        return change_order(uow, actor=actor, order_id=order_id, **rest)

    services.change_order = change


def acknowledged_without_commit() -> None:
    """Some changes are acknowledged and rolled back."""
    leave = UnitOfWork.__exit__

    def leave_or_not(self: UnitOfWork, *error: Any) -> None:
        if error[0] is None and self._events and random.random() < 0.1:
            self.session.rollback()
        else:
            leave(self, *error)

    UnitOfWork.__exit__ = leave_or_not  # type: ignore[method-assign]  # that is what it is for


# The history.


def event_forgotten() -> None:
    """Some changes leave no event."""
    written = receivers.write_history

    def write_history(uow: UnitOfWork, events: Events) -> None:
        if random.random() > 0.1:
            written(uow, events)

    receivers.write_history = write_history


def event_written_later() -> None:
    """The event is written after the commit, in a transaction of its own."""
    written = receivers.write_history

    def write(app: Flask, events: Events) -> None:
        with app.app_context(), unit_of_work() as own:
            written(own, events)

    def write_history(uow: UnitOfWork, events: Events) -> None:
        app: Any = current_app
        threading.Timer(LATER, write, [app._get_current_object(), events]).start()

    receivers.write_history = write_history


def event_written_twice() -> None:
    """A change of the status is told as a change of the order as well."""
    written = receivers.write_history

    def write_history(uow: UnitOfWork, events: Events) -> None:
        written(uow, events)
        for event in events:
            if isinstance(event, OrderEvent) and event.new_status is not None:
                order = uow.session.get_one(Order, event.order_id)
                order.version += 1
                uow.session.flush()
                more = replace(event, name="order.updated", sequence=order.version, changes={})
                written(uow, (replace(more, old_status=None, new_status=None),))

    receivers.write_history = write_history


def version_counted_twice() -> None:
    """Some changes count the version twice, which leaves a gap in the sequence."""
    read = repository.get_order_locked

    def read_and_count(session: Session, order_id: UUID) -> Order | None:
        order = read(session, order_id)
        if order is not None and random.random() < 0.1:
            order.version += 1
        return order

    repository.get_order_locked = read_and_count


# Requests sent again.


def answer_kept_later() -> None:
    """The answer under a key is kept after the commit of the order, in another transaction."""

    def answer_once(actor: Actor, make: Callable[[UnitOfWork], Response]) -> Response:
        attempt = guards._attempt(actor)
        with unit_of_work() as uow:
            first = idempotency.claim(uow, actor=actor, attempt=attempt) if attempt else None
            if first is not None:
                return guards._replayed(first)
            response = make(uow)
        if attempt is not None:
            time.sleep(MOMENT)
            try:
                with unit_of_work() as uow:
                    idempotency.keep(uow, actor=actor, attempt=attempt, answer=guards._kept(response))
            except idempotency.InProgress:
                pass
        return response

    routes.answer_once = answer_once  # type: ignore[attr-defined]  # imported there, not exported


def key_of_everybody() -> None:
    """A key means the same whoever sends it."""

    def scope(*, user_id: UUID, **rest: str) -> bytes:
        return scope_of(user_id=UUID(int=0), **rest)

    guards.scope_of = scope  # type: ignore[attr-defined]  # imported there, not exported


def key_ignored() -> None:
    """Keys are taken and not looked at."""

    def attempt(_actor: Actor) -> None:
        return None

    guards._attempt = attempt  # type: ignore[assignment]  # the name of its argument does not matter


# Lists.


def cursor_without_the_id() -> None:
    """A cursor goes on behind the value of the last order, and skips what has the same."""

    def behind(
        ordering: str, value: ColumnElement[Any], order_id: ColumnElement[UUID], of: Any = Order
    ) -> ColumnElement[bool]:
        column: Any = getattr(of, filters.ordered_column(ordering).key)
        further: ColumnElement[bool] = column < value if ordering.startswith("-") else column > value
        return further

    filters.behind = behind
    vars(queries)["behind"] = behind


PLANTS: dict[str, Callable[[], None]] = {
    plant.__name__.replace("_", "-"): plant
    for plant in (
        version_counted_later,
        version_counted_first,
        version_of_the_caller,
        any_version_will_do,
        order_without_its_version,
        ready_without_a_look,
        key_without_the_caller,
        no_lock,
        match_compared_too_early,
        refused_and_done,
        resurrected,
        acknowledged_without_commit,
        event_forgotten,
        event_written_later,
        event_written_twice,
        version_counted_twice,
        answer_kept_later,
        key_of_everybody,
        key_ignored,
        cursor_without_the_id,
    )
}


def _owners(events: Events) -> frozenset[UUID]:
    return frozenset().union(*(event.owner_ids for event in events))


def _count(engine: Any, owners: Collection[UUID]) -> None:
    with Session(engine) as own:
        commit_with(own, view_versions.counting_up(owners))
