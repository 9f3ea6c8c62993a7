"""The least that can answer: psycopg with a pool, on the service's own tables, and none of its other duties.

Reading: a bare Flask view (`flask_app`) hands on the JSON that PostgreSQL built.  Creating: a bare WSGI
function (`app`) sends the statements that the service needs, one after another in one transaction: the order,
its lines, its event, and the versions of two views.  The token is checked; the account is not looked up.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain
from typing import Any

import jwt
from flask import Flask, Response, abort, request
from psycopg.types.json import Json
from psycopg_pool import ConnectionPool

pool = ConnectionPool(
    os.environ["DATABASE_URL"], min_size=4, max_size=4, kwargs={"autocommit": True}, open=True
)
flask_app = Flask(__name__)

SHOWN = """
    json_build_object(
        'order_id', o.id, 'user', u.username, 'status', o.status,
        'total_price', (o.total_price_cents / 100.0)::numeric(12, 2)::text, 'is_deleted', o.is_deleted,
        'created_at', to_char(o.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'products', (
            SELECT json_agg(json_build_object(
                'product_id', l.id, 'name', l.name, 'price', (l.price_cents / 100.0)::numeric(12, 2)::text,
                'quantity', l.quantity
            ) ORDER BY l.position)
            FROM order_lines l WHERE l.order_id = o.id
        )
    )
"""
ONE = f"""
    SELECT {SHOWN}::text FROM orders o JOIN users u ON u.id = o.user_id
    WHERE o.id = %s AND o.user_id = %s AND NOT o.is_deleted
"""  # noqa: S608  (of constants)
PAGE = f"""
    WITH wanted AS (
        SELECT * FROM orders
        WHERE (user_id = %(user)s OR EXISTS (SELECT FROM users WHERE id = %(user)s AND role = 'admin'))
        AND NOT is_deleted AND (%(status)s::text IS NULL OR status = %(status)s)
    )
    SELECT coalesce(json_agg(page.shown ORDER BY page.created_at DESC, page.id DESC), '[]')::text,
        (SELECT count(*) FROM wanted)
    FROM (
        SELECT o.id, o.created_at, {SHOWN} AS shown FROM wanted o JOIN users u ON u.id = o.user_id
        ORDER BY o.created_at DESC, o.id DESC LIMIT %(size)s OFFSET %(offset)s
    ) page
"""  # noqa: S608  (of constants)

NEW_ORDER = """
    INSERT INTO orders (id, user_id, status, total_price_cents, is_deleted, created_at, updated_at, version)
    VALUES (%s, %s, 'pending', %s, false, %s, %s, 1)
"""
NEW_LINES = """
    INSERT INTO order_lines (id, order_id, position, name, name_folded, price_cents, quantity) VALUES
"""
NEW_LINE = "(%s, %s, %s, %s, %s, %s, %s)"
NEW_EVENT = """
    INSERT INTO order_events
    (id, order_id, sequence, event, at, actor_id, actor_name, request_id, changes, began_from, state, seal)
    VALUES (%s, %s, 1, 'order.created', %s, %s, 'shop', '-', %s, %s, %s, %s)
"""
NEXT_VERSION = """
    INSERT INTO view_versions (scope, version) VALUES (%s, 1)
    ON CONFLICT (scope) DO UPDATE SET version = view_versions.version + 1
"""


def owner_in(authorization: str) -> uuid.UUID:
    """Whose token it is.  Raises `jwt.InvalidTokenError`."""
    claims = jwt.decode(authorization.partition(" ")[2], os.environ["JWT_SECRET"], algorithms=["HS256"])
    return uuid.UUID(claims["sub"])


@flask_app.get("/api/v1/orders/<uuid:order_id>/")
def read(order_id: uuid.UUID) -> Response:
    with pool.connection() as connection:
        row = connection.execute(ONE, (order_id, owner_in(request.headers["Authorization"]))).fetchone()
    if row is None:
        abort(404)
    return Response(row[0], mimetype="application/json")


@flask_app.get("/api/v1/orders/")
def read_list() -> Response:
    size, page = int(request.args["page_size"]), int(request.args["page"])
    values = {
        "user": owner_in(request.headers["Authorization"]),
        "status": request.args.get("status"),
        "size": size,
        "offset": (page - 1) * size,
    }
    with pool.connection() as connection:
        row = connection.execute(PAGE, values).fetchone()
    assert row is not None
    return Response(row[0], mimetype="application/json", headers={"X-Pagination": f'{{"total": {row[1]}}}'})


def create(owner: uuid.UUID, body: dict[str, Any]) -> dict[str, Any]:
    """Make an order with the statements that the service needs for it."""
    now, order = datetime.now(UTC), uuid.uuid4()
    lines = [
        (uuid.uuid4(), at, line["name"], round(Decimal(line["price"]) * 100), line["quantity"])
        for at, line in enumerate(body["products"])
    ]
    total = sum(cents * quantity for _, _, _, cents, quantity in lines)
    with pool.connection() as connection, connection.transaction(), connection.cursor() as cursor:
        cursor.execute(NEW_ORDER, (order, owner, total, now, now))
        values = ((line, order, at, name, name.casefold(), *others) for line, at, name, *others in lines)
        cursor.execute(NEW_LINES + ", ".join([NEW_LINE] * len(lines)), [*chain.from_iterable(values)])
        nothing = bytes(32)
        cursor.execute(NEW_EVENT, (uuid.uuid4(), order, now, owner, Json({}), nothing, nothing, nothing))
        for scope in (owner, uuid.UUID(int=order.int % 16)):
            cursor.execute(NEXT_VERSION, (scope,))
    products = [
        {
            "product_id": str(line),
            "name": name,
            "price": f"{cents // 100}.{cents % 100:02}",
            "quantity": quantity,
        }
        for line, _, name, cents, quantity in lines
    ]
    return {"order_id": str(order), "total_price": f"{total // 100}.{total % 100:02}", "products": products}


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """A WSGI application that creates by itself, and leaves reading to Flask."""
    if environ["REQUEST_METHOD"] != "POST":
        return flask_app(environ, start_response)
    body = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    made = json.dumps(create(owner_in(environ["HTTP_AUTHORIZATION"]), body)).encode()
    start_response("201 Created", [("Content-Type", "application/json"), ("Content-Length", f"{len(made)}")])
    return [made]
