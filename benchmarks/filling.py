"""Fills the service's database with what the service itself would have written, by its own functions.

Every order has its sealed event in the history, unless that is left out for a very large database, whose
history `flask orders verify` would then find missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from sqlalchemy import create_engine, insert
from sqlalchemy.orm import Session

from benchmarks.dataset import BEGAN, USERS, SampleOrder
from orders_app.auth.domain import username_key
from orders_app.auth.models import User
from orders_app.auth.passwords import hash_password
from orders_app.history.domain import FIRST, Entry, sealing_key
from orders_app.history.repository import sealed
from orders_app.orders.events import OrderEventName
from orders_app.orders.records import LineRecord, OrderRecord
from orders_app.orders.repository import rows_of
from orders_app.shared.identity import Role
from orders_app.shared.inserts import run_inserts
from orders_app.shared.persistence import new_id
from orders_app.shared.view_versions import counting_up

AT_ONCE = 5_000


def fill(url: str, orders: Iterable[SampleOrder], secret: str, *, history: bool = True) -> None:
    """Put the accounts and these orders into a database that is migrated and has neither.

    `secret` is the setting that the history is sealed with.
    """
    engine = create_engine(url)
    key = sealing_key(secret)
    remaining = iter(orders)
    with engine.begin() as connection, Session(connection) as session:
        connection.execute(insert(User), list(_accounts()))
        while records := [record_of(order) for order in islice(remaining, AT_ONCE)]:
            run_inserts(connection, rows_of(records))
            if history:
                events = [_event(record) for record in records]
                run_inserts(connection, [sealed(key, events, lambda: session)])
        run_inserts(connection, counting_up(user.user_id for user in USERS if not user.is_admin))
    engine.dispose()


def record_of(order: SampleOrder) -> OrderRecord:
    """An order of the data set as the service knows it."""
    return OrderRecord(
        order_id=order.order_id,
        user_id=order.owner.user_id,
        user=order.owner.name,
        status=order.status,
        total_price_cents=order.total_cents,
        is_deleted=False,
        created_at=order.created_at,
        updated_at=order.created_at,
        version=1,
        source="benchmark",
        reference=f"B{order.number}",
        lines=[LineRecord(row.line_id, row.name, row.price_cents, row.quantity) for row in order.lines],
    )


def _accounts() -> Iterator[dict[str, Any]]:
    for user in USERS:
        yield {
            "id": user.user_id,
            "username": user.name,
            "username_key": username_key(user.name),
            "password_hash": hash_password(user.password),
            "role": (Role.ADMIN if user.is_admin else Role.USER).value,
            "is_active": True,
            "created_at": BEGAN,
            "updated_at": BEGAN,
        }


def _event(record: OrderRecord) -> Entry:
    return Entry(
        id=new_id(),
        order_id=record.order_id,
        sequence=record.version,
        event=OrderEventName.CREATED.value,
        at=record.created_at,
        actor_id=record.user_id,
        actor_name=record.user,
        request_id="benchmark",
        changes={},
        old_status=None,
        new_status=None,
        began_from=FIRST,
        state=record.digest(),
    )
