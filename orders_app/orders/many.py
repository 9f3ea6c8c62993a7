"""Changing many orders at once: one transaction for all of them, and what became of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from uuid import UUID

from orders_app.orders import repository
from orders_app.orders.domain import OrderStatus, allowed_transitions, may_see
from orders_app.orders.models import Order
from orders_app.orders.notes import clean_reason, note
from orders_app.orders.recording import finish
from orders_app.shared.identity import Actor
from orders_app.shared.unit_of_work import UnitOfWork


class Fate(StrEnum):
    """What became of one order."""

    DONE = "done"
    OVERTAKEN = "overtaken"
    """Left as it is, because somebody had changed it since the caller saw it."""
    GONE = "gone"
    """Deleted, or not there at all as far as the caller is concerned."""
    IMPOSSIBLE = "impossible"
    """Its rules do not allow it."""


def move_orders(
    uow: UnitOfWork, *, actor: Actor, seen: Mapping[UUID, int], to: OrderStatus, reason: str | None = None
) -> dict[UUID, Fate]:
    """Give orders another status, as far as the lifecycle lets this actor.

    `seen` holds the version of each that the caller saw.  All that is changed is changed in one commit,
    with one event for each, and a `reason` is noted beside each of them.  Raises `Invalid` for the reason.
    """

    def move(order: Order) -> Fate:
        if order.is_deleted:
            return Fate.GONE
        if to not in allowed_transitions(OrderStatus(order.status), actor.role):
            return Fate.IMPOSSIBLE
        order.status = to.value
        return Fate.DONE

    return _each(uow, actor, seen, move, reason)


def delete_orders(
    uow: UnitOfWork, *, actor: Actor, seen: Mapping[UUID, int], reason: str | None = None
) -> dict[UUID, Fate]:
    """Take orders out of all lists, in the same way."""

    def delete(order: Order) -> Fate:
        if order.is_deleted:
            return Fate.GONE
        order.is_deleted = True
        return Fate.DONE

    return _each(uow, actor, seen, delete, reason)


def restore_orders(uow: UnitOfWork, *, actor: Actor, seen: Mapping[UUID, int]) -> dict[UUID, Fate]:
    """Bring deleted orders back, in the same way; only an admin sees any."""

    def restore(order: Order) -> Fate:
        if not order.is_deleted:
            return Fate.IMPOSSIBLE
        order.is_deleted = False
        return Fate.DONE

    return _each(uow, actor, seen, restore, of_deleted=True)


def _each(
    uow: UnitOfWork,
    actor: Actor,
    seen: Mapping[UUID, int],
    change: Callable[[Order], Fate],
    reason: str | None = None,
    *,
    of_deleted: bool = False,
) -> dict[UUID, Fate]:
    reason = clean_reason(reason)
    fates = dict.fromkeys(seen, Fate.GONE)
    orders = repository.get_orders_locked(uow.session, seen)
    owners = repository.owners_of(uow.session, orders)
    for order in orders:
        if not may_see(actor, order.user_id, order.is_deleted):
            continue
        if order.version != seen[order.id]:
            # Of two who deleted the same order the second is told that it is gone, not that it was changed.
            is_gone = order.is_deleted and not of_deleted
            fates[order.id] = Fate.GONE if is_gone else Fate.OVERTAKEN
            continue
        owner = owners[order.user_id]
        before = repository.order_record(order, owner)
        fates[order.id] = change(order)
        if fates[order.id] is Fate.DONE:
            after = finish(uow, actor, order, owner, before)
            if reason is not None:
                note(uow, actor, order.id, reason, sequence=after.version)
    return fates
