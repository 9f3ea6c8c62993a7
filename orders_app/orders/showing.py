"""The order that a request is about, as whoever asks may see it."""

from __future__ import annotations

from uuid import UUID

from orders_app.auth.guards import read_along
from orders_app.extensions import read_connection
from orders_app.orders.gates import NO_SUCH_ORDER, check_seen
from orders_app.orders.queries import order_read_along, plain_order
from orders_app.orders.rows import Listed
from orders_app.shared.errors import NotFound
from orders_app.shared.identity import Actor


def shown_order(actor: Actor, order_id: UUID) -> Listed:
    """The order, and its lines beside it; from the statement that read the caller, where that read it too.

    The request has said that it shows this order (`guards.shows`).  Raises `NotFound`.
    """
    row = read_along()
    if row is not None:
        found = order_read_along(row)
    else:
        with read_connection() as connection:
            found = plain_order(connection, order_id)
    if found is None:
        raise NotFound(NO_SUCH_ORDER)
    order, _ = found
    check_seen(actor, order.order_id, order.user_id, order.is_deleted)
    return found
