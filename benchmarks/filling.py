"""Fills the service's database, fast, with what the service itself would have written.

Rows are made by the service's own functions and go past it: COPY on PostgreSQL, many at once on SQLite.
Every order has its sealed event in the history, unless that is left out for a very large database, whose
history `flask orders verify` would then find missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Table, create_engine, insert
from sqlalchemy.orm import Session

from benchmarks.arena import plain
from benchmarks.dataset import BEGAN, USERS, SampleOrder
from orders_app.auth.domain import username_key
from orders_app.auth.models import User
from orders_app.auth.passwords import hash_password
from orders_app.history.domain import FIRST, Entry, seal_of, sealing_key
from orders_app.history.models import OrderEventRow
from orders_app.orders import repository
from orders_app.orders.events import OrderEventName
from orders_app.orders.models import Order, OrderLine
from orders_app.orders.records import LineRecord, OrderRecord
from orders_app.shared.identity import Role
from orders_app.shared.persistence import Base, new_id
from orders_app.shared.view_versions import bump

AT_ONCE = 5_000


def fill(url: str, orders: Iterable[SampleOrder], secret: str, *, history: bool = True) -> None:
    """Put the accounts and these orders into a database that is migrated and has neither.

    `secret` is the setting that the history is sealed with.
    """
    engine = create_engine(url)
    key = sealing_key(secret)
    with engine.begin() as connection:
        connection.execute(insert(_table(User)), list(_accounts()))
        if url.startswith("sqlite"):
            for table, rows in _tables(orders, key, history=history):
                connection.execute(insert(table), list(rows))
        with Session(connection) as session:
            bump(session, [user.user_id for user in USERS if not user.is_admin])
            session.flush()
    engine.dispose()
    if url.startswith("sqlite"):
        return
    with psycopg.connect(plain(url)) as copying:
        for table, rows in _tables(orders, key, history=history):
            _copy(copying, table, rows)


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


def _tables(
    orders: Iterable[SampleOrder], key: bytes, *, history: bool
) -> Iterator[tuple[Table, Sequence[Mapping[str, Any]]]]:
    """Rows for each table in turn, some thousand orders at a time."""
    remaining = iter(orders)
    while records := [record_of(order) for order in islice(remaining, AT_ONCE)]:
        yield _table(Order), [repository.order_row(record) for record in records]
        yield _table(OrderLine), [row for record in records for row in repository.line_rows(record)]
        if history:
            yield _table(OrderEventRow), [_event(record, key) for record in records]


def _event(record: OrderRecord, key: bytes) -> dict[str, Any]:
    entry = Entry(
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
    return {name: getattr(entry, name) for name in Entry.__slots__} | {"seal": seal_of(key, FIRST, entry)}


def _copy(connection: psycopg.Connection[Any], table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    names = list(rows[0])
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), columns)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([_plain_value(row[name]) for name in names])


def _plain_value(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict) else value


def _table(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table
