"""Notes on orders: what is written stands, beside an order that stays what it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from orders_app.extensions import db, read_connection, unit_of_work
from orders_app.orders import services
from orders_app.orders.domain import LONGEST_NOTE, OrderChanges, OrderStatus
from orders_app.orders.models import Order, OrderNote
from orders_app.orders.queries import get_order
from orders_app.orders.records import NoteRecord, OrderRecord
from orders_app.orders.repository import notes_of
from orders_app.shared.errors import Conflict, Forbidden, Invalid, NotFound
from orders_app.shared.identity import Actor, command_line_actor
from tests.services.test_import_costs import statements
from tests.services.test_orders import history, make
from tests.services.test_plans import plan
from tests.services.test_unit_of_work import lines_of, versions

REFUSED = "the notes on orders are only added to"
CONFIRMED = OrderChanges(status=OrderStatus.CONFIRMED)


def note(actor: Actor, order: OrderRecord, said: str = "Called back.") -> NoteRecord:
    with unit_of_work() as uow:
        return services.add_note(uow, actor=actor, order_id=order.order_id, text=said)


def notes(order: OrderRecord) -> list[NoteRecord]:
    with read_connection() as connection:
        return notes_of(connection, order.order_id)


def test_notes_are_read_in_the_order_in_which_they_were_written(
    session: Session, as_alice: Actor, as_admin: Actor
) -> None:
    order, other = make(as_alice), make(as_alice)
    written = [
        note(as_admin, order),
        note(as_admin, order, " First line.\r\n\tSecond one. \n"),
        note(command_line_actor(), order, "Ёлка ☕"),
    ]
    note(as_admin, other)
    with statements() as asked:
        assert notes(order) == written
    assert len(asked) == 1
    assert [found.text for found in written] == ["Called back.", "First line.\n Second one.", "Ёлка ☕"]
    assert [(found.author, found.sequence) for found in written] == [
        ("admin", None),
        ("admin", None),
        ("command line", None),
    ]


def test_a_note_changes_nothing_that_anybody_is_shown(
    session: Session, as_alice: Actor, as_admin: Actor
) -> None:
    order, before = make(as_alice), versions(session)
    note(as_admin, order)
    assert versions(session) == before
    assert len(history(session, order)) == 1
    with read_connection() as connection:
        assert get_order(connection, order.order_id) == order


def test_a_note_is_logged_without_what_it_says(
    session: Session, as_alice: Actor, as_admin: Actor, log_dir: Path
) -> None:
    order = make(as_alice)
    note(as_admin, order, "between us")
    *_, line = lines_of(log_dir / "general.log")
    assert (line["event"], line["user"], line["order_id"]) == ("order.noted", "admin", str(order.order_id))
    assert "between us" not in (log_dir / "general.log").read_text()
    assert lines_of(log_dir / "events.log") == []


@pytest.mark.parametrize("said", ["", " \r\n\t ", "n" * (LONGEST_NOTE + 1), "a\0b", "a\rb", "a\u2028b"])
def test_what_is_no_text_is_refused(session: Session, as_alice: Actor, as_admin: Actor, said: str) -> None:
    order = make(as_alice)
    with pytest.raises(Invalid) as refused:
        note(as_admin, order, said)
    assert refused.value.errors.keys() == {"text"}
    assert notes(order) == []


def test_the_longest_note_is_taken(session: Session, as_alice: Actor, as_admin: Actor) -> None:
    order = make(as_alice)
    note(as_admin, order, "🧶\n" * (LONGEST_NOTE // 2 - 1) + "🧶.")
    assert len(notes(order)[0].text) == LONGEST_NOTE


def test_only_admins_write_them(session: Session, as_alice: Actor) -> None:
    order = make(as_alice)
    with pytest.raises(Forbidden):
        note(as_alice, order)
    assert notes(order) == []


def test_what_is_not_there_is_not_noted(session: Session, as_alice: Actor, as_admin: Actor) -> None:
    order = make(as_alice)
    with unit_of_work() as uow:
        services.delete_order(uow, actor=as_alice, order_id=order.order_id)
    assert note(as_admin, order).order_id == order.order_id, "deleted ones are there"
    with unit_of_work() as uow, pytest.raises(NotFound):
        services.add_note(uow, actor=as_admin, order_id=uuid4(), text="?")


def test_a_reason_stands_beside_the_event_that_it_explains(
    session: Session, as_alice: Actor, as_admin: Actor
) -> None:
    order = make(as_alice)
    with unit_of_work() as uow:
        services.change_order(
            uow, actor=as_admin, order_id=order.order_id, changes=CONFIRMED, reason=" Paid.\r\nIn cash. "
        )
    with unit_of_work() as uow:
        services.delete_order(uow, actor=as_admin, order_id=order.order_id, reason="Twice the same.")
    found = notes(order)
    assert [(one.sequence, one.text) for one in found] == [(2, "Paid.\nIn cash."), (3, "Twice the same.")]
    events = history(session, order)[1:]
    assert [one.request_id for one in found] == [event.request_id for event in events]


@pytest.mark.parametrize("reason", [None, "", " \r\n "])
def test_without_a_reason_there_is_no_note(
    session: Session, as_alice: Actor, as_admin: Actor, reason: str | None
) -> None:
    order = make(as_alice)
    with unit_of_work() as uow:
        services.change_order(uow, actor=as_admin, order_id=order.order_id, changes=CONFIRMED, reason=reason)
        services.delete_order(uow, actor=as_admin, order_id=order.order_id, reason=reason)
    assert notes(order) == []


def test_what_changes_nothing_needs_no_reason(session: Session, as_alice: Actor, as_admin: Actor) -> None:
    order = make(as_alice, status=OrderStatus.CONFIRMED)
    with unit_of_work() as uow:
        after = services.change_order(
            uow, actor=as_admin, order_id=order.order_id, changes=CONFIRMED, reason="Why not."
        )
    assert (after.version, notes(order)) == (1, [])


def test_a_reason_that_is_no_text_keeps_the_order_as_it_is(
    session: Session, as_alice: Actor, as_admin: Actor
) -> None:
    order = make(as_alice)
    for service, others in ((services.change_order, {"changes": CONFIRMED}), (services.delete_order, {})):
        act: Any = service
        with pytest.raises(Invalid) as refused, unit_of_work() as uow:
            act(uow, actor=as_admin, order_id=order.order_id, reason="a\0b", **others)
        assert refused.value.errors.keys() == {"reason"}
    assert session.get_one(Order, order.order_id).version == 1


def test_a_reason_for_what_is_refused_is_not_kept(session: Session, as_alice: Actor, as_admin: Actor) -> None:
    order = make(as_alice, status=OrderStatus.COMPLETED)
    with pytest.raises(Conflict), unit_of_work() as uow:
        services.change_order(
            uow, actor=as_admin, order_id=order.order_id, changes=CONFIRMED, reason="Please."
        )
    assert notes(order) == []


def test_no_note_is_changed_removed_or_replaced(session: Session, as_alice: Actor, as_admin: Actor) -> None:
    order = make(as_alice)
    note(as_admin, order)
    sqlite = db.engine.dialect.name == "sqlite"
    columns = OrderNote.__table__.columns
    stored = session.execute(select(*columns)).mappings().one()
    forged = insert(OrderNote).values({**stored, "text": "forged"})
    tries: list[Any] = [
        update(OrderNote).values(text="forged"),
        delete(OrderNote),
        text("DELETE FROM order_notes" if sqlite else "TRUNCATE order_notes"),
    ]
    for statement in tries:
        with pytest.raises(IntegrityError, match=REFUSED):
            session.execute(statement)
        session.rollback()
    with pytest.raises(IntegrityError):
        session.execute(forged.prefix_with("OR REPLACE") if sqlite else forged)
    session.rollback()
    assert [found.text for found in notes(order)] == ["Called back."]


def test_they_are_found_by_an_index(session: Session) -> None:
    statement = select(OrderNote.text).where(OrderNote.order_id == uuid4()).order_by(OrderNote.id)
    found = plan(session.connection(), statement)
    assert "ix_order_notes_order_id_id" in found, found
    assert "TEMP B-TREE" not in found, found
