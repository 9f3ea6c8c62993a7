"""What is left: the database read past the application, `events.log`, and the service's own check."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, create_engine, text

from tests.consistency.records import Final, StoredAnswer, StoredEvent, event_text

# Statements of its own: what reads as the application does would share its mistakes.
_ORDERS = """
    SELECT orders.id, username, status, total_price_cents, is_deleted,
           orders.created_at, orders.updated_at, version
    FROM orders JOIN users ON users.id = orders.user_id
"""
_LINES = (
    "SELECT order_id, position, id, name, price_cents, quantity FROM order_lines ORDER BY order_id, position"
)
_EVENTS = """
    SELECT id, order_id, sequence, event, at, actor_name, request_id, changes, old_status, new_status
    FROM order_events ORDER BY order_id, sequence
"""
_ANSWERS = "SELECT username, body, status FROM idempotency_keys JOIN users ON users.id = user_id"


def read_final(database_url: str, log_dir: Path) -> Final:
    """The state that a run has left, in one transaction."""
    engine = create_engine(
        database_url, isolation_level="REPEATABLE READ" if "postgres" in database_url else None
    )
    try:
        with engine.connect() as connection:
            final = _read(connection)
    finally:
        engine.dispose()
    final.status_lines = list(_status_lines(log_dir))
    return final


def _read(connection: Connection) -> Final:
    final = Final(complaints=_integrity(connection))
    lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for order_id, position, line_id, name, price, quantity in connection.execute(text(_LINES)):
        final.positions.setdefault(_id(order_id), []).append(position)
        line = {"product_id": _id(line_id), "name": name, "price": _money(price), "quantity": quantity}
        lines[_id(order_id)].append(line)
    for row in connection.execute(text(_ORDERS)):
        order_id, user, status, total, is_deleted, created_at, updated_at, version = row
        final.orders[_id(order_id)] = {
            "order_id": _id(order_id),
            "user": user,
            "status": status,
            "total_price": _money(total),
            "products": lines[_id(order_id)],
            "is_deleted": bool(is_deleted),
            "created_at": _moment(created_at),
            "updated_at": _moment(updated_at),
            "version": version,
        }
    final.events = [_event(row) for row in connection.execute(text(_EVENTS))]
    for user, body, status in connection.execute(text(_ANSWERS)):
        order_id = json.loads(bytes(body)).get("order_id")
        final.answers.append(StoredAnswer(user=user, order_id=order_id, status=status))
    return final


def _integrity(connection: Connection) -> list[str]:
    """What SQLite finds wrong with its own file, which processes were killed over."""
    if connection.dialect.name != "sqlite":
        return []
    damage = [str(row) for row in connection.execute(text("PRAGMA integrity_check")) if row[0] != "ok"]
    return damage + [str(row) for row in connection.execute(text("PRAGMA foreign_key_check"))]


def _event(row: Any) -> StoredEvent:
    event_id, order_id, sequence, event, at, user, request_id, changes, old, new = row
    fields: dict[str, Any] = {
        "sequence": sequence,
        "event": event,
        "at": _moment(at),
        "user": user,
        "request_id": request_id,
        "changes": json.loads(changes) if isinstance(changes, str) else changes,
        "old_status": old,
        "new_status": new,
    }
    return StoredEvent(
        order_id=_id(order_id), text=event_text({"event_id": _id(event_id), **fields}), **fields
    )


def _status_lines(log_dir: Path) -> Iterator[tuple[str, str]]:
    """Of every file that `events.log` has been, as a fault may have moved it aside."""
    for path in sorted(log_dir.glob("events.log*")):
        if path.is_file():
            for line in path.read_text().splitlines():
                fields = json.loads(line)
                yield fields["order_id"], fields["request_id"]


def _id(value: Any) -> str:
    return str(value if isinstance(value, UUID) else UUID(value))


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _moment(value: Any) -> str:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return str(moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
