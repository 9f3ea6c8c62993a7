"""The history of an order over HTTP."""

from __future__ import annotations

import orjson
from flask import Response

from orders_app.auth.guards import current_actor, login_required
from orders_app.events_log.schemas import OrderEventSchema
from orders_app.extensions import read_connection
from orders_app.history.repository import history_of
from orders_app.http.api import Blueprint, NoParameters, id_parameter
from orders_app.http.identifiers import id_from_path
from orders_app.orders.gates import NO_SUCH_ORDER
from orders_app.orders.showing import shown_order

blp = Blueprint("history", __name__, url_prefix="/api/v1/orders", description="What happened to an order.")


@blp.route("/<order_id>/events/", parameters=id_parameter("order_id"), methods=["GET"])
@login_required
@blp.arguments(NoParameters, location="query", as_kwargs=True)
@blp.response(200, OrderEventSchema(many=True), description="All events, oldest first")
@blp.problems(401, 404)
@blp.operation("readOrderHistory")
def events(order_id: str) -> Response:
    """Read the history of an order

    Every change since its creation, oldest first: who, when, what from, what to.
    """
    actor = current_actor()
    wanted = id_from_path(order_id, NO_SUCH_ORDER)
    shown_order(actor, wanted)
    with read_connection() as connection:
        history = history_of(connection, wanted)
    return Response(orjson.dumps([event.as_json() for event in history]), mimetype="application/json")
