"""One change, one commit: what listens inside the transaction, and what listens after it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from orders_app.extensions import db, unit_of_work
from orders_app.history.models import OrderEventRow
from orders_app.http.log_files import open_log_files
from orders_app.orders import services
from orders_app.orders.domain import Line, OrderStatus
from orders_app.orders.events import OrderEvent
from orders_app.orders.models import Order, OrderLine
from orders_app.shared import round_trips, signals
from orders_app.shared.events import Event
from orders_app.shared.identity import Actor
from orders_app.shared.inserts import Insert
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
    """With the session, as anybody would, though what is only added is written as late as can be."""
    seen: list[tuple[list[int], set[str]]] = []

    def look(uow: UnitOfWork, events: tuple[Event, ...]) -> None:
        versions = uow.session.scalars(select(Order.version).order_by(Order.version)).all()
        seen.append((list(versions), set(uow.session.scalars(select(OrderEventRow.event)))))

    order = make(as_alice)
    with connected(signals.events_recorded, look):
        change(as_alice, order, status=OrderStatus.CONFIRMED)
        make(as_alice)
    [(versions, told), (versions_with_another, _)] = seen
    assert (versions, versions_with_another) == ([2], [1, 2])
    assert {"order.created"} <= told <= {"order.created", "order.status_changed"}, "in no order promised"
    session.rollback()
    assert session.scalars(select(Order.version).order_by(Order.version)).all() == [1, 2]


def test_a_statement_that_fails_in_a_receiver_is_an_error_of_sqlalchemy(
    session: Session, as_alice: Actor
) -> None:
    def spoil(uow: UnitOfWork, events: tuple[Event, ...]) -> None:
        uow.session.execute(insert(OrderEventRow).values(id=new_id(), order_id=new_id(), sequence=0))

    with connected(signals.events_recorded, spoil), pytest.raises(IntegrityError):
        make(as_alice)
    assert count(session, Order) == 0


def test_a_row_of_a_receiver_is_part_of_the_commit(session: Session, as_alice: Actor) -> None:
    def add(uow: UnitOfWork, events: tuple[Event, ...]) -> None:
        uow.insert(Insert(ViewVersion, ("scope", "version"), [(number, 7)]))

    number = new_id()
    with connected(signals.events_recorded, add):
        make(as_alice)
        assert versions(session)[number] == 7
        with pytest.raises(IntegrityError):
            make(as_alice)
    assert count(session, Order) == 1


def test_a_connection_that_is_lost_in_a_receiver_is_told_as_that(session: Session, as_alice: Actor) -> None:
    """What answers the request has to know that the database went away: that is a 503, not a 500."""

    def lose(uow: UnitOfWork, events: tuple[Event, ...]) -> None:
        driver = uow.session.connection().connection.driver_connection
        assert driver is not None
        driver.close()
        uow.session.execute(insert(OrderEventRow).values(id=new_id(), order_id=new_id(), sequence=0))

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
    order = make(as_alice)
    told, before = lines_of(log_dir / "general.log"), everything(session)

    def fail(_connection: Any) -> None:
        raise ZeroDivisionError

    # A disk that fills up at the last moment: on PostgreSQL the COMMIT is the last of a pipeline.
    with monkeypatch.context() as patched:
        patched.setattr(round_trips, "send_commit", fail)
        patched.setattr(Session, "commit", fail)
        with pytest.raises(ZeroDivisionError):
            change(as_alice, order, total_price=Decimal(1))
    assert lines_of(log_dir / "general.log") == told
    assert (count(session, OrderEventRow), everything(session)) == (1, before)
    assert session.scalars(select(Order.version)).all() == [1]


def test_a_new_order_that_the_database_refuses_leaves_nothing(
    session: Session, as_alice: Actor, log_dir: Path
) -> None:
    """Its lines, its event and the versions are with it in one statement, or in one transaction."""
    make(as_alice, source="shop", reference="1")
    told, before = lines_of(log_dir / "general.log"), everything(session)
    for lines in (1, 60):
        with pytest.raises(IntegrityError):
            make(as_alice, *[Line("Lamp", Decimal(1), 1)] * lines, source="shop", reference="1")
    assert lines_of(log_dir / "general.log") == told
    assert [count(session, model) for model in (Order, OrderLine, OrderEventRow)] == [1, 1, 1]
    assert everything(session) == before


@pytest.mark.postgres
@pytest.mark.redis
@pytest.mark.parametrize("backend", ["postgresql+redis"], indirect=True)
def test_what_is_refused_at_the_end_of_a_single_statement_leaves_nothing(
    session: Session, as_alice: Actor, log_dir: Path
) -> None:
    """It has no COMMIT of its own, and the constraints that wait for one are looked at all the same."""
    refusing = "BEGIN RAISE EXCEPTION 'no more events' USING ERRCODE = 'check_violation'; END"
    deferred = "AFTER INSERT ON order_events DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
    session.execute(text(f"CREATE FUNCTION no_events() RETURNS trigger LANGUAGE plpgsql AS $$ {refusing} $$"))
    session.execute(text(f"CREATE CONSTRAINT TRIGGER no_events {deferred} EXECUTE FUNCTION no_events()"))
    session.commit()
    try:
        with pytest.raises(IntegrityError, match="no more events"):
            make(as_alice)
    finally:
        session.rollback()
        session.execute(text("DROP FUNCTION no_events CASCADE"))
        session.commit()
    assert lines_of(log_dir / "general.log") == []
    assert [count(session, model) for model in (Order, OrderLine, OrderEventRow)] == [0, 0, 0]
    assert make(as_alice).version == 1


@pytest.mark.parametrize("lines", [1, 16, 17, 18, 19, 20, 47, 60])
def test_an_order_is_stored_whole_however_many_statements_that_takes(
    session: Session, as_alice: Actor, as_admin: Actor, lines: int
) -> None:
    order = make(as_alice, *(Line(f"Lamp {number}", Decimal(number), 1) for number in range(lines)))
    assert [count(session, model) for model in (Order, OrderLine, OrderEventRow)] == [1, lines, 1]
    stored = session.scalars(select(OrderLine).order_by(OrderLine.position)).all()
    assert [line.name for line in stored] == [line.name for line in order.lines]
    change(as_admin, order, status=OrderStatus.CONFIRMED)
    assert count(session, OrderEventRow) == 2


def test_a_unit_of_work_in_which_nothing_happens_asks_nothing(session: Session) -> None:
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        with unit_of_work():
            pass
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert asked == (["BEGIN IMMEDIATE"] if db.engine.dialect.name == "sqlite" else [])


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
