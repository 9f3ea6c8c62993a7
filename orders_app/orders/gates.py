"""Where an order is kept from somebody: the rules of the domain, with the refusal told to the logs."""

from __future__ import annotations

from uuid import UUID

from orders_app.orders.domain import OrderStatus, check_transition, may_see
from orders_app.shared.denials import deny
from orders_app.shared.errors import Forbidden, NotFound
from orders_app.shared.identity import Actor

NO_SUCH_ORDER = "There is no such order."


def check_seen(actor: Actor, order_id: UUID, owner_id: UUID, is_deleted: bool) -> None:
    """Raise `NotFound` for an order that does not exist as far as the actor is concerned.

    Somebody else's looks like one that never was; only the log knows that it was asked for.
    """
    if may_see(actor, owner_id, is_deleted):
        return
    if actor.user_id != owner_id:
        deny("anothers_order", actor.username, order_id=order_id)
    raise NotFound(NO_SUCH_ORDER)


def check_move(actor: Actor, order_id: UUID, status: OrderStatus, to: OrderStatus) -> None:
    """Raise `Conflict` for a transition that there is not, `Forbidden` for one that is an admin's."""
    try:
        check_transition(status, to, actor.role)
    except Forbidden:
        deny("not_an_admin", actor.username, order_id=order_id)
        raise
