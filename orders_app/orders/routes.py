"""The endpoints for orders: authenticate, load the schema, call a service, answer."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

from flask import Response, request
from flask.views import MethodView

from orders_app.auth.guards import admin_required, current_actor, login_required, shows
from orders_app.extensions import read_connection, unit_of_work
from orders_app.http.api import Blueprint, NoParameters, id_parameter
from orders_app.http.conditional import ETAG_HEADER, IF_MATCH, IF_NONE_MATCH, expected_tags
from orders_app.http.identifiers import id_from_path
from orders_app.http.pagination import PAGE_HEADERS, page_from, page_size_from
from orders_app.idempotency.guards import IDEMPOTENCY_KEY, REPLAYED_HEADER, answer_once
from orders_app.orders import examples, links, services
from orders_app.orders.cache import Answer, cached_response
from orders_app.orders.domain import NewOrder, OrderChanges, OrderStatus
from orders_app.orders.filters import OrderFilter
from orders_app.orders.gates import NO_SUCH_ORDER
from orders_app.orders.listing import Listing
from orders_app.orders.past import order_as_of
from orders_app.orders.queries import one_order
from orders_app.orders.records import OrderRecord, entity_tag, line_json
from orders_app.orders.rows import with_lines
from orders_app.orders.schemas import (
    ChangeOrderSchema,
    NewOrderSchema,
    OrderQuerySchema,
    OrderSchema,
    ReplaceOrderSchema,
    VersionQuerySchema,
)
from orders_app.orders.showing import shown_order
from orders_app.shared.denials import deny
from orders_app.shared.errors import Forbidden, Invalid, NotFound
from orders_app.shared.identity import Actor
from orders_app.shared.unit_of_work import UnitOfWork

blp = Blueprint(
    "orders",
    __name__,
    url_prefix="/api/v1/orders",
    description="Make orders, find them, change them, follow their way from pending to completed.",
)
CACHE_HEADERS: dict[str, Any] = {
    "Cache-Status": {
        "description": "Whether the answer came from the cache (RFC 9211).",
        "schema": {"type": "string", "example": "orders; hit"},
    }
}


@blp.url_value_preprocessor
def say_what_is_read(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """A read of one order is answered from the cache until that order changes, not another of its owner."""
    if request.method in {"GET", "HEAD"} and values and "order_id" in values:
        with suppress(NotFound):  # what is no id is refused after the credentials were looked at
            shows(one_order(_id(values["order_id"])))


def _order_answer(description: str, headers: dict[str, Any] | None = None) -> dict[str, Any]:
    """How an answer that is one order documents itself."""
    headers = {**ETAG_HEADER, **(headers or {})}
    return {"headers": headers, "example": examples.ANSWER, "description": description}


@blp.route("/")
class Orders(MethodView):
    @login_required
    @blp.arguments(OrderQuerySchema, location="query")
    @blp.response(
        200,
        OrderSchema(many=True),
        headers={**PAGE_HEADERS, **CACHE_HEADERS, **ETAG_HEADER},
        example=[examples.ANSWER],
        description="A page of orders",
    )
    @blp.alt_response(304, "NOT_MODIFIED", success=True)
    @blp.problems(400, 401, 403)
    @blp.header(IF_NONE_MATCH)
    @blp.operation("listOrders")
    def get(self, query: dict[str, Any]) -> Response:
        """List orders

        Your own; all of them for an admin.  Newest first unless `ordering` says otherwise.
        """
        actor = current_actor()
        ordering = query.pop("ordering")
        cursor, count = query.pop("cursor", None), query.pop("count", None)
        asked = {"ordering": ordering}
        if cursor is None:
            page = page_from(query)
            listing = Listing(_filter(actor, query), ordering, actor.role, query)
            asked |= {"list": query, "page": page.number, "page_size": page.size}
            return cached_response(actor, asked, lambda: listing.page(page))
        size = page_size_from(query)
        listing = Listing(_filter(actor, query), ordering, actor.role, query)
        after = listing.position(cursor)
        asked |= {"list": query, "after": cursor, "page_size": size, "count": count}
        return cached_response(actor, asked, lambda: listing.following(after, size, count=count is not None))

    @login_required
    @blp.arguments(NewOrderSchema, example=examples.BODY)
    @blp.response(201, OrderSchema, **_order_answer("The order", REPLAYED_HEADER))
    @blp.problems(400, 401, 403, 409, 413, 415)
    @blp.header(IDEMPOTENCY_KEY)
    @blp.operation("createOrder", {201: links.FROM_NEW_ORDER})
    def post(self, new: dict[str, Any]) -> Response:
        """Make an order

        In any status, which is how existing orders are brought in; `pending` unless it says otherwise.
        """
        actor = current_actor()

        def make(uow: UnitOfWork) -> Response:
            order = services.create_order(uow, actor=actor, new=NewOrder(**_with_owner(actor, new)))
            response = _response(order, actor, 201)
            response.headers["Location"] = f"/api/v1/orders/{order.order_id}/"
            return response

        return answer_once(actor, make)


@blp.route("/<order_id>/", parameters=id_parameter("order_id"))
class OrderDetail(MethodView):
    @login_required
    @blp.arguments(VersionQuerySchema, location="query")
    @blp.response(
        200,
        OrderSchema,
        headers={**CACHE_HEADERS, **ETAG_HEADER},
        example=examples.ANSWER,
        description="The order",
    )
    @blp.alt_response(304, "NOT_MODIFIED", success=True)
    @blp.problems(401, 404)
    @blp.header(IF_NONE_MATCH)
    @blp.operation("readOrder", {200: links.FROM_ORDER})
    def get(self, query: dict[str, Any], order_id: str) -> Response:
        """Read an order

        As it is, or, with `version`, as it was then.
        """
        actor = current_actor()
        wanted = _id(order_id)
        version: int | None = query.get("version")

        def make() -> Answer:
            order, lines = shown_order(actor, wanted)
            if version is None:
                return Answer.of(order.encoded(actor.role, [line_json(*line) for line in lines]))
            with read_connection() as connection:
                past = order_as_of(connection, with_lines(order, lines), version)
            if past is None:
                raise NotFound("The order has no such version.", code="no_such_version")
            return Answer.of(past.encoded(actor.role))

        return cached_response(actor, {"order": wanted.hex, "version": version}, make)

    @login_required
    @blp.arguments(ReplaceOrderSchema, example=examples.BODY)
    @blp.response(200, OrderSchema, **_order_answer("The order as it is now"))
    @blp.problems(400, 401, 403, 404, 409, 412, 413, 415, 428)
    @blp.header(IF_MATCH)
    @blp.operation("replaceOrder", {200: links.FROM_ORDER})
    def put(self, replacement: dict[str, Any], order_id: str) -> Response:
        """Replace an order

        Lines that name a `product_id` of this order keep it.  Without a total it is summed anew.
        """
        return _change(order_id, {**replacement, "sum_anew": True})

    @login_required
    @blp.arguments(ChangeOrderSchema, example={"status": OrderStatus.CONFIRMED.value})
    @blp.response(200, OrderSchema, **_order_answer("The order as it is now"))
    @blp.problems(400, 401, 403, 404, 409, 412, 413, 415, 428)
    @blp.header(IF_MATCH)
    @blp.operation("changeOrder", {200: links.FROM_ORDER})
    def patch(self, changes: dict[str, Any], order_id: str) -> Response:
        """Change an order

        Changes what it names.  409 for a move that the lifecycle does not have, with what is allowed.
        """
        return _change(order_id, changes)

    @login_required
    @blp.arguments(NoParameters, location="query", as_kwargs=True)
    @blp.response(204, description="Deleted: it is kept, and no longer listed")
    @blp.problems(401, 404, 412, 428)
    @blp.header(IF_MATCH)
    @blp.operation("deleteOrder", {204: links.FROM_DELETED_ORDER})
    def delete(self, order_id: str) -> Response:
        """Delete an order

        It is kept, and an admin can restore it.  A second time: 404.
        """
        with unit_of_work() as uow:
            services.delete_order(
                uow, actor=current_actor(), order_id=_id(order_id), if_match=expected_tags()
            )
        return Response(status=204)


@blp.route("/<order_id>/restore/", parameters=id_parameter("order_id"), methods=["POST"])
@admin_required
@blp.arguments(NoParameters, location="query", as_kwargs=True)
@blp.response(200, OrderSchema, **_order_answer("The order, listed again", REPLAYED_HEADER))
@blp.problems(401, 403, 404, 409)
@blp.header(IDEMPOTENCY_KEY)
@blp.operation("restoreOrder", {200: links.FROM_ORDER})
def restore(order_id: str) -> Response:
    """Restore a deleted order

    For admins; 409 if it is not deleted.
    """
    actor = current_actor()

    def make(uow: UnitOfWork) -> Response:
        return _response(services.restore_order(uow, actor=actor, order_id=_id(order_id)), actor)

    return answer_once(actor, make)


def _change(order_id: str, changes: dict[str, Any]) -> Response:
    actor = current_actor()
    with unit_of_work() as uow:
        order = services.change_order(
            uow,
            actor=actor,
            order_id=_id(order_id),
            changes=OrderChanges(**_with_owner(actor, changes)),
            if_match=expected_tags(),
        )
    return _response(order, actor)


def _id(text: str) -> UUID:
    return id_from_path(text, NO_SUCH_ORDER)


def _response(order: OrderRecord, actor: Actor, status: int = 200) -> Response:
    body = order.encoded(actor.role)
    response = Response(body, status=status, mimetype="application/json")
    response.set_etag(entity_tag(body))
    return response


def _with_owner(actor: Actor, values: dict[str, Any]) -> dict[str, Any]:
    """Apply `user` from an admin who names somebody; clients of the original send a number there."""
    owner = values.pop("owner", None)
    if actor.is_admin and isinstance(owner, str):
        values["owner"] = owner
    elif actor.is_admin and isinstance(owner, bool | dict | list):
        raise Invalid("The owner is named by a string.", errors={"user": ["Not a valid string."]})
    return values


def _filter(actor: Actor, query: dict[str, Any]) -> OrderFilter:
    """What was asked for, within what this actor may see."""
    if not actor.is_admin:
        if "user" in query:
            deny("others_orders", actor.username)
            raise Forbidden("Only an admin may list the orders of others.")
        if query.get("is_deleted"):
            deny("deleted_orders", actor.username)
            raise Forbidden("Only an admin may list deleted orders.")
    named = dict(query)
    statuses = tuple(OrderStatus(status) for status in named.pop("status", ()))
    owner_id = None if actor.is_admin else actor.user_id
    return OrderFilter(owner_id=owner_id, statuses=statuses, **named)
