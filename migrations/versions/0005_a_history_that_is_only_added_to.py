"""a history that is only added to, each event sealed to the one before it

Revision: 0005
Follows: 0004
Date: 2026-11-25 02:30:00
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError
from flask import current_app

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

REFUSED = "the history of orders is only added to"
SQLITE = {
    "order_events_not_changed": "BEFORE UPDATE ON order_events BEGIN",
    "order_events_not_removed": "BEFORE DELETE ON order_events BEGIN",
    # INSERT OR REPLACE removes what is in its way without asking the trigger above.
    "order_events_not_replaced": "BEFORE INSERT ON order_events WHEN EXISTS (SELECT 1 FROM order_events WHERE "
    "id = NEW.id OR (order_id = NEW.order_id AND sequence = NEW.sequence)) BEGIN",
}
POSTGRESQL = {
    "order_events_not_changed": "BEFORE UPDATE OR DELETE ON order_events FOR EACH ROW",
    "order_events_not_emptied": "BEFORE TRUNCATE ON order_events FOR EACH STATEMENT",
}

events = sa.table(
    "order_events",
    sa.column("order_id", sa.Uuid()),
    sa.column("sequence", sa.Integer()),
    sa.column("event", sa.String()),
    sa.column("at", sa.DateTime(timezone=True)),
    sa.column("actor_id", sa.Uuid()),
    sa.column("actor_name", sa.String()),
    sa.column("request_id", sa.String()),
    sa.column("changes", sa.JSON()),
    sa.column("old_status", sa.String()),
    sa.column("new_status", sa.String()),
    sa.column("state", sa.LargeBinary()),
    sa.column("seal", sa.LargeBinary()),
)
orders = sa.table(
    "orders",
    sa.column("id", sa.Uuid()),
    sa.column("user_id", sa.Uuid()),
    sa.column("status", sa.String()),
    sa.column("total_price_cents", sa.BigInteger()),
    sa.column("is_deleted", sa.Boolean()),
    sa.column("created_at", sa.DateTime(timezone=True)),
    sa.column("updated_at", sa.DateTime(timezone=True)),
    sa.column("version", sa.Integer()),
    sa.column("source", sa.String()),
    sa.column("reference", sa.String()),
)
lines = sa.table(
    "order_lines",
    sa.column("order_id", sa.Uuid()),
    sa.column("position", sa.Integer()),
    sa.column("id", sa.Uuid()),
    sa.column("name", sa.String()),
    sa.column("price_cents", sa.BigInteger()),
    sa.column("quantity", sa.BigInteger()),
)


def upgrade() -> None:
    connection = op.get_bind()
    op.add_column("order_events", sa.Column("state", sa.LargeBinary(length=32), nullable=True))
    op.add_column("order_events", sa.Column("seal", sa.LargeBinary(length=32), nullable=True))
    _seal_what_is_there(connection)
    with op.batch_alter_table("order_events") as table:
        table.alter_column("seal", existing_type=sa.LargeBinary(length=32), nullable=False)
        table.create_check_constraint(op.f("ck_order_events_seal_whole"), "length(seal) = 32")
    if connection.dialect.name == "sqlite":
        for name, when in SQLITE.items():
            op.execute(f"CREATE TRIGGER {name} {when} SELECT RAISE(ABORT, '{REFUSED}'); END")
        return
    op.execute(
        "CREATE FUNCTION order_events_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSED}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    for name, when in POSTGRESQL.items():
        op.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION order_events_refuse()")


def downgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        for name in SQLITE:
            op.execute(f"DROP TRIGGER {name}")
    else:
        for name in POSTGRESQL:
            op.execute(f"DROP TRIGGER {name} ON order_events")
        op.execute("DROP FUNCTION order_events_refuse()")
    columns = {column["name"] for column in sa.inspect(connection).get_columns("order_events")}
    with op.batch_alter_table("order_events") as table:
        table.drop_constraint(op.f("ck_order_events_seal_whole"), type_="check")
        table.drop_column("seal")
        table.drop_column("state")
        if "began_from" in columns:  # step 0007 leaves it, for the sake of the seals
            table.drop_column("began_from")


def _seal_what_is_there(connection: sa.Connection) -> None:
    """Seal the events that were written before there were seals, as they stand now.

    What an order was like after an earlier event than its last is not known; those have no `state`.
    """
    if not connection.execute(sa.select(events.c.sequence).limit(1)).first():
        return
    secret = current_app.config["ORDERS"].history_secret
    if not secret:
        raise CommandError(
            "The history of orders is sealed in this step, which needs the key that the server has: "
            "set HISTORY_KEY, or SECRET_KEY."
        )
    key = hashlib.sha256(b"orders.history\0" + secret.encode()).digest()
    ids = connection.execute(sa.select(orders.c.id).order_by(orders.c.id)).scalars().all()
    for order_id in ids:
        previous = bytes(32)
        digest = _digest(connection, order_id)
        found = list(_events_of(connection, order_id))
        for number, values in enumerate(found, start=1):
            values["state"] = digest if number == len(found) else None
            previous = _seal(key, previous, values)
            connection.execute(
                sa.update(events)
                .where(events.c.order_id == order_id, events.c.sequence == values["sequence"])
                .values(state=values["state"], seal=previous)
            )


def _seal(key: bytes, previous: bytes, values: dict[str, Any]) -> bytes:
    """The seal as `history.domain.seal_of` made it at the time of this step."""
    said = [
        previous.hex(),
        values["order_id"].hex,
        values["sequence"],
        values["event"],
        _text(values["at"]),
        values["actor_id"].hex if values["actor_id"] else None,
        values["actor_name"],
        values["request_id"],
        values["changes"],
        values["old_status"],
        values["new_status"],
        values["state"].hex() if values["state"] else None,
    ]
    return hmac.digest(key, json.dumps(said, sort_keys=True, separators=(",", ":")).encode(), "sha256")


def _events_of(connection: sa.Connection, order_id: Any) -> Iterator[dict[str, Any]]:
    columns = [column for column in events.c if column.name not in {"state", "seal"}]
    statement = sa.select(*columns).where(events.c.order_id == order_id).order_by(events.c.sequence)
    for row in connection.execute(statement).mappings().all():
        yield {**row, "at": _utc(row["at"])}


def _digest(connection: sa.Connection, order_id: Any) -> bytes:
    """The digest of an order as `OrderRecord.digest` made it at the time of this step."""
    order = connection.execute(sa.select(orders).where(orders.c.id == order_id)).mappings().one()
    of_order = sa.select(lines).where(lines.c.order_id == order_id).order_by(lines.c.position)
    stored = [
        order["id"].hex,
        order["user_id"].hex,
        order["status"],
        order["total_price_cents"],
        order["is_deleted"],
        _text(order["created_at"]),
        _text(order["updated_at"]),
        order["version"],
        order["source"],
        order["reference"],
        [
            [line["id"].hex, line["name"], line["price_cents"], line["quantity"]]
            for line in connection.execute(of_order).mappings()
        ],
    ]
    return hashlib.sha256(orjson.dumps(stored)).digest()


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _text(moment: datetime) -> str:
    return _utc(moment).strftime("%Y-%m-%dT%H:%M:%S.%f").rjust(26, "0") + "Z"
