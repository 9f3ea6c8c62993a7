"""One change, one commit: what listens inside the transaction, and what listens after it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from orders_app.extensions import db, unit_of_work
from orders_app.history.models import OrderEventRow
from orders_app.http.log_files import open_log_files
from orders_app.orders import services
from orders_app.orders.domain import OrderStatus
from orders_app.orders.events import OrderEvent
from orders_app.orders.models import Order
from orders_app.shared import round_trips, signals
from orders_app.shared.events import Event
from orders_app.shared.identity import Actor
from orders_app.shared.persistence import new_id
from orders_app.shared.unit_of_work import UnitOfWork
from orders_app.shared.view_versions import SHARDS, ViewVersion
from tests.factories import new_order
from tests.services.test_orders import change, make


@contextmanager
def connected(signal: Any, receiver: Any) -> Iterator[None]:
    signal.connect(receiver)
    try:
        yield
    finally:
        signal.disconnect(receiver)


def versions(session: Session) -> dict[UUID, int]:
    session.rollback()
    return {row.scope: row.version for row in session.scalars(select(ViewVersion)).all()}


def everything(session: Session) -> int:
    return sum(version for scope, version in versions(session).items() if scope in SHARDS)


def count(session: Session, model: type[Any]) -> int:
    session.rollback()
    return len(session.scalars(select(model)).all())


def lines_of(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def test_a_change_and_its_history_are_one_commit(session: Session, as_alice: Actor) -> None:
    order = make(as_alice)
    assert count(session, Order) == 1
    [event] = session.scalars(select(OrderEventRow)).all()
    assert event.order_id == order.order_id


def test_a_change_counts_for_its_owner_and_for_everything(
    session: Session, as_alice: Actor, as_admin: Actor, as_bob: Actor
) -> None:
    order = make(as_alice)
    assert as_alice.user_id
    assert as_bob.user_id
    before, all_before = versions(session), everything(session)
    change(as_admin, order, status=OrderStatus.CONFIRMED)
    assert versions(session)[as_alice.user_id] == before[as_alice.user_id] + 1
    assert everything(session) == all_before + 1
    assert as_bob.user_id not in versions(session)


def test_a_moved_order_counts_for_both_owners(
    session: Session, as_alice: Actor, as_bob: Actor, as_admin: Actor
) -> None:
    order = make(as_alice)
    before = versions(session)
    change(as_admin, order, owner="bob")
    after = versions(session)
    for person in (as_alice, as_bob):
        assert person.user_id
        assert after[person.user_id] == before.get(person.user_id, 0) + 1


def test_what_raises_inside_writes_nothing_and_counts_nothing(
    session: Session, as_alice: Actor, log_dir: Path
) -> None:
    before = everything(session)
    with pytest.raises(ZeroDivisionError), unit_of_work() as uow:  # noqa: PT012  (the block is what rolls back)
        services.create_order(uow, actor=as_alice, new=new_order())
        raise ZeroDivisionError
    assert (count(session, Order), count(session, OrderEventRow)) == (0, 0)
    assert everything(session) == before
    assert lines_of(log_dir / "general.log") == []


def test_a_receiver_that_raises_inside_rolls_everything_back(
    session: Session, as_alice: Actor, log_dir: Path
) -> None:
    def refuse(_sender: UnitOfWork, **_payload: Any) -> None:
        raise ZeroDivisionError

    before = everything(session)
    with connected(signals.events_recorded, refuse), pytest.raises(ZeroDivisionError):
        make(as_alice)
    assert (count(session, Order), count(session, OrderEventRow)) == (0, 0)
    assert everything(session) == before
    assert lines_of(log_dir / "general.log") == []


def fails_after_commit(_sender: UnitOfWork, event: Event) -> None:
    raise ZeroDivisionError


def test_a_receiver_inside_reads_what_was_written_before_it(session: Session, as_alice: Actor) -> None:
    """With the session, as anybody would, though what is written is not waited for."""
    seen: list[tuple[int, list[str]]] = []

    def look(_sender: UnitOfWork, session: Session, events: tuple[Event, ...]) -> None:
        number = session.scalars(select(Order.version)).all()
        told = session.execute(select(OrderEventRow.event).order_by(OrderEventRow.sequence)).all()
        seen.append((number[0], [event for (event,) in told]))

    order = make(as_alice)
    with connected(signals.events_recorded, look):
        change(as_alice, order, status=OrderStatus.CONFIRMED)
    [(version, told)] = seen
    assert (version, told[0]) == (2, "order.created")
    assert set(told[1:]) <= {"order.status_changed"}, "receivers come in no order that is promised"
    session.rollback()
    assert session.scalars(select(Order.version)).all() == [2]


def test_a_statement_that_fails_in_a_receiver_is_an_error_of_sqlalchemy(
    session: Session, as_alice: Actor
) -> None:
    """Wherever it comes to light: the statements after it are on their way by then."""

    def spoil(_sender: UnitOfWork, session: Session, events: tuple[Event, ...]) -> None:
        session.execute(insert(OrderEventRow).values(id=new_id(), order_id=new_id(), sequence=0))

    with connected(signals.events_recorded, spoil), pytest.raises(IntegrityError):
        make(as_alice)
    assert count(session, Order) == 0


def test_a_connection_that_is_lost_in_a_receiver_is_told_as_that(session: Session, as_alice: Actor) -> None:
    """What answers the request has to know that the database went away: that is a 503, not a 500."""

    def lose(_sender: UnitOfWork, session: Session, events: tuple[Event, ...]) -> None:
        driver = session.connection().connection.driver_connection
        assert driver is not None
        driver.close()
        session.execute(insert(OrderEventRow).values(id=new_id(), order_id=new_id(), sequence=0))

    with connected(signals.events_recorded, lose), pytest.raises(DBAPIError) as told:
        make(as_alice)
    assert told.value.connection_invalidated
    session.rollback()
    assert count(session, Order) == 0


def test_a_receiver_that_fails_after_the_commit_changes_nothing(
    session: Session, as_alice: Actor, log_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Event] = []

    def listen(_sender: UnitOfWork, event: Event) -> None:
        heard.append(event)

    told: list[str] = []

    def told_of(_sender: UnitOfWork, receiver: str, **_payload: Any) -> None:
        told.append(receiver)

    with (
        caplog.at_level(logging.ERROR),
        connected(signals.event_committed, fails_after_commit),
        connected(signals.event_committed, listen),
        connected(signals.receiver_failed, told_of),
    ):
        order = make(as_alice)
    assert count(session, Order) == 1
    assert [event.name for event in heard] == ["order.created"]
    assert [line["event"] for line in lines_of(log_dir / "general.log")] == ["order.created"]
    assert told == ["fails_after_commit"]
    assert "fails_after_commit" in caplog.text
    assert order.version == 1


def test_a_log_that_cannot_be_written_is_counted_and_changes_nothing(
    session: Session, as_alice: Actor, tmp_path: Path, log_dir: Path
) -> None:
    open_log_files(tmp_path / "no such folder")
    told: list[str] = []

    def told_of(_sender: UnitOfWork, receiver: str, **_payload: Any) -> None:
        told.append(receiver)

    with connected(signals.receiver_failed, told_of):
        make(as_alice)
    assert told == ["log_event"]
    assert count(session, Order) == 1


def test_receivers_after_the_commit_see_plain_values_of_what_is_saved(
    session: Session, as_alice: Actor
) -> None:
    seen: list[tuple[Event, bool]] = []

    def look(_sender: UnitOfWork, event: Event) -> None:
        assert isinstance(event, OrderEvent)
        with db.engine.connect() as other:
            found = other.execute(select(Order.id).where(Order.id == event.order_id)).one_or_none()
        seen.append((event, found is not None))

    with connected(signals.event_committed, look):
        make(as_alice)
    assert [is_saved for _, is_saved in seen] == [True]


def test_a_commit_that_fails_tells_nobody(
    session: Session, as_alice: Actor, log_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_session: Session) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(round_trips, "send_commit", fail)  # a disk that fills up at the last moment
    with pytest.raises(ZeroDivisionError), unit_of_work() as uow:
        services.create_order(uow, actor=as_alice, new=new_order())
    assert lines_of(log_dir / "general.log") == []
    assert count(session, Order) == 0


def test_status_changes_and_nothing_else_are_in_the_events_log(as_alice: Actor, log_dir: Path) -> None:
    order = make(as_alice, status=OrderStatus.CANCELLED)
    change(as_alice, order, status=OrderStatus.CONFIRMED)
    change(as_alice, order, status=OrderStatus.CONFIRMED)
    [line] = lines_of(log_dir / "events.log")
    assert line.pop("at").endswith("Z")
    assert line.pop("request_id")
    assert line == {
        "event": "order.status_changed",
        "user": "alice",
        "order_id": str(order.order_id),
        "old_status": "cancelled",
        "new_status": "confirmed",
    }
    assert [line["event"] for line in lines_of(log_dir / "general.log")] == [
        "order.created",
        "order.status_changed",
    ]
