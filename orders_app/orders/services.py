"""Use cases.  Each loads and locks first, asks the rules second, changes third, records last."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from orders_app.auth.domain import clean_username
from orders_app.auth.repository import get_user_by_name
from orders_app.orders import repository
from orders_app.orders.domain import (
    Line,
    NewOrder,
    OrderChanges,
    OrderStatus,
    Owner,
    total_of,
)
from orders_app.orders.gates import NO_SUCH_ORDER, check_move, check_seen
from orders_app.orders.models import Order, OrderLine
from orders_app.orders.notes import clean_note, clean_reason, note
from orders_app.orders.recording import add, finish
from orders_app.orders.records import NoteRecord, OrderRecord, new_record
from orders_app.shared.clock import utcnow
from orders_app.shared.denials import deny
from orders_app.shared.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed
from orders_app.shared.identity import Actor
from orders_app.shared.money import to_cents
from orders_app.shared.persistence import new_id
from orders_app.shared.text import fold
from orders_app.shared.unit_of_work import UnitOfWork

ANY_TAG = "*"
"""In `if_match`: whatever stands now will do."""


def create_order(uow: UnitOfWork, *, actor: Actor, new: NewOrder) -> OrderRecord:
    """Make an order for the caller, or, as an admin, for the owner that it names.

    Raises `Invalid` for an owner that does not exist and for a sum beyond what money goes to.
    """
    if actor.is_admin and new.owner is not None:
        owner = _owner_named(uow, new.owner)
    elif actor.user_id is not None:
        owner = Owner(actor.user_id, actor.username)
    else:
        raise Invalid("Say whose order it is.", errors={"user": ["Say whose order it is."]})
    return create_order_for(uow, actor=actor, owner=owner, new=new)


def create_order_for(uow: UnitOfWork, *, actor: Actor, owner: Owner, new: NewOrder) -> OrderRecord:
    """Make an order for an owner who is known to exist; `new.owner` is not looked at."""
    return create_orders_for(uow, actor=actor, orders=[(owner, new)])[0]


def create_orders_for(
    uow: UnitOfWork, *, actor: Actor, orders: Iterable[tuple[Owner, NewOrder]]
) -> list[OrderRecord]:
    """Make any number of orders, as `recording.add` stores them.

    The owners are known to exist; `owner` of a new order is not looked at.
    """
    now = utcnow()
    records = [_new_record(owner, new, now) for owner, new in orders]
    add(uow, actor, records)
    return records


def change_order(
    uow: UnitOfWork,
    *,
    actor: Actor,
    order_id: UUID,
    changes: OrderChanges,
    if_match: Collection[str] | None = None,
    reason: str | None = None,
) -> OrderRecord:
    """Change what is named of an order; a request that changes nothing leaves its version alone.

    `if_match` holds the entity tags that the caller is content with.  They are compared under the lock,
    so of two writers who saw the same order only one gets through.  A `reason` is noted beside the change.

    Raises `NotFound`, `PreconditionFailed`, `Conflict` (deleted, or no such transition), `Forbidden`,
    `Invalid`.
    """
    reason = clean_reason(reason)
    order = repository.get_order_locked(uow.session, order_id)
    if order is None:
        raise NotFound(NO_SUCH_ORDER)
    check_seen(actor, order.id, order.user_id, order.is_deleted)
    before = repository.order_record(order, repository.owner_of(uow.session, order))
    _check_match(before, actor, if_match)
    if order.is_deleted:
        raise Conflict("The order is deleted; restore it first.", code="order_deleted")
    _check_version(order, changes.expected_version)
    owner = Owner(before.user_id, before.user)
    if changes.status is not None and changes.status != order.status:
        check_move(actor, order.id, OrderStatus(order.status), changes.status)
        order.status = changes.status.value
    if actor.is_admin and changes.owner is not None:
        owner = _owner_named(uow, changes.owner)
        order.user_id = owner.user_id
    _apply_lines(order, changes)
    after = finish(uow, actor, order, owner, before)
    if reason is not None and after is not before:
        note(uow, actor, order.id, reason, sequence=after.version)
    return after


def delete_order(
    uow: UnitOfWork,
    *,
    actor: Actor,
    order_id: UUID,
    if_match: Collection[str] | None = None,
    expected_version: int | None = None,
    reason: str | None = None,
) -> OrderRecord:
    """Take an order out of all lists; it stays in the database.  A `reason` is noted beside that.

    Raises `NotFound`, also the second time, `PreconditionFailed`, `Conflict` and `Invalid` as `change_order`
    does.
    """
    reason = clean_reason(reason)
    order = repository.get_order_locked(uow.session, order_id)
    if order is None:
        raise NotFound(NO_SUCH_ORDER)
    check_seen(actor, order.id, order.user_id, order.is_deleted)
    if order.is_deleted:
        raise NotFound(NO_SUCH_ORDER)
    before = repository.order_record(order, repository.owner_of(uow.session, order))
    _check_match(before, actor, if_match)
    _check_version(order, expected_version)
    order.is_deleted = True
    after = finish(uow, actor, order, Owner(before.user_id, before.user), before)
    if reason is not None:
        note(uow, actor, order.id, reason, sequence=after.version)
    return after


def restore_order(
    uow: UnitOfWork, *, actor: Actor, order_id: UUID, expected_version: int | None = None
) -> OrderRecord:
    """Bring a deleted order back.

    Raises `Forbidden`, `NotFound`, `Conflict` if it is not deleted or not what the caller saw.
    """
    if not actor.is_admin:
        deny("not_an_admin", actor.username, order_id=order_id)
        raise Forbidden("Only an admin may restore an order.")
    order = repository.get_order_locked(uow.session, order_id)
    if order is None:
        raise NotFound(NO_SUCH_ORDER)
    if not order.is_deleted:
        raise Conflict("The order is not deleted.", code="order_not_deleted")
    _check_version(order, expected_version)
    before = repository.order_record(order, repository.owner_of(uow.session, order))
    order.is_deleted = False
    return finish(uow, actor, order, Owner(before.user_id, before.user), before)


def add_note(uow: UnitOfWork, *, actor: Actor, order_id: UUID, text: str) -> NoteRecord:
    """Write something down about an order, deleted or not; the order itself stays what it is.

    Raises `Forbidden`, `Invalid`, `NotFound`.
    """
    if not actor.is_admin:
        deny("not_an_admin", actor.username, order_id=order_id)
        raise Forbidden("Only an admin may write a note.")
    text = clean_note(text)
    if not repository.is_there(uow.session, order_id):
        raise NotFound(NO_SUCH_ORDER)
    return note(uow, actor, order_id, text)


def _check_match(order: OrderRecord, actor: Actor, if_match: Collection[str] | None) -> None:
    if if_match is None or ANY_TAG in if_match or order.entity_tag(actor.role) in if_match:
        return
    raise PreconditionFailed(
        "The order is no longer what you saw; read it again.", current_version=order.version
    )


def _check_version(order: Order, expected: int | None) -> None:
    if expected not in {None, order.version}:
        raise Conflict(
            "Somebody else changed the order meanwhile.",
            code="version_mismatch",
            current_version=order.version,
        )


def _owner_named(uow: UnitOfWork, username: str) -> Owner:
    try:
        # What can be no name may be text that the database cannot even compare.
        user = get_user_by_name(uow.session, clean_username(username))
    except ValueError:
        user = None
    if user is None:
        raise Invalid("There is no such user.", errors={"user": ["There is no such user."]})
    return Owner(user.id, user.username)


def _new_record(owner: Owner, new: NewOrder, now: datetime) -> OrderRecord:
    total = new.total_price if new.total_price is not None else total_of(new.lines)
    return new_record(
        owner,
        [(line.name, to_cents(line.price), line.quantity) for line in new.lines],
        now,
        status=new.status,
        total_price_cents=to_cents(total),
        created_at=new.created_at,
        source=new.source,
        reference=new.reference,
        is_deleted=new.is_deleted,
    )


def _lines(lines: Iterable[Line], kept: dict[UUID, OrderLine]) -> list[OrderLine]:
    """Rows for the lines: those that name a kept one change it, the others are new."""
    free = dict(kept)
    rows = []
    for position, line in enumerate(lines):
        row = free.pop(line.product_id, None) if line.product_id else None
        row = row or OrderLine(id=new_id())
        row.position = position
        row.name = line.name
        row.name_folded = fold(line.name)
        row.price_cents = to_cents(line.price)
        row.quantity = line.quantity
        rows.append(row)
    return rows


def _apply_lines(order: Order, changes: OrderChanges) -> None:
    lines_changed = False
    if changes.lines is not None:
        before = [line.as_line() for line in order.lines]
        order.lines = _lines(changes.lines, kept={line.id: line for line in order.lines})
        lines_changed = before != [line.as_line() for line in order.lines]
    if changes.total_price is not None:
        order.total_price_cents = to_cents(changes.total_price)
    elif lines_changed or changes.sum_anew:
        order.total_price_cents = to_cents(total_of(line.as_line() for line in order.lines))
