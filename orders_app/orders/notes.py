"""What admins write about an order: rows that are only added, beside its history and no part of it."""

from __future__ import annotations

from uuid import UUID

from orders_app.orders.domain import LONGEST_NOTE
from orders_app.orders.events import NOTED, OrderNoted
from orders_app.orders.models import OrderNote
from orders_app.orders.records import NoteRecord
from orders_app.shared.clock import utcnow
from orders_app.shared.errors import Invalid
from orders_app.shared.identity import Actor
from orders_app.shared.persistence import new_id
from orders_app.shared.text import clean_lines
from orders_app.shared.unit_of_work import UnitOfWork


def clean_note(text: str, field: str = "text") -> str:
    """The text of a note after its rules.  Raises `Invalid`, naming the field that it was written in."""
    try:
        return clean_lines(text, longest=LONGEST_NOTE)
    except ValueError as error:
        raise Invalid("The note is not valid.", errors={field: [str(error)]}) from error


def clean_reason(reason: str | None) -> str | None:
    """Why something was changed; None where nothing was written.  Raises `Invalid`."""
    return clean_note(reason, "reason") if reason is not None and reason.strip() else None


def note(
    uow: UnitOfWork, actor: Actor, order_id: UUID, text: str, *, sequence: int | None = None
) -> NoteRecord:
    """Write a clean text down about an order that is there; `sequence` is the event that it explains."""
    record = NoteRecord(
        note_id=new_id(),
        order_id=order_id,
        sequence=sequence,
        at=utcnow(),
        author=actor.username,
        request_id=uow.request_id,
        text=text,
    )
    uow.session.add(
        OrderNote(
            id=record.note_id,
            order_id=order_id,
            sequence=sequence,
            at=record.at,
            author_id=actor.user_id,
            author_name=actor.username,
            request_id=uow.request_id,
            text=text,
        )
    )
    uow.record(
        OrderNoted(
            name=NOTED,
            at=record.at,
            actor_id=actor.user_id,
            actor_name=actor.username,
            request_id=uow.request_id,
            owner_ids=frozenset(),
            order_id=order_id,
        )
    )
    return record
