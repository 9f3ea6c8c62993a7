"""Earlier versions of an order, told from its history."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from orders_app.history.repository import EventRecord, history_of
from orders_app.orders.records import LineRecord, OrderRecord
from orders_app.shared.money import to_cents


def order_as_of(connection: Connection, order: OrderRecord, version: int) -> OrderRecord | None:
    """The order as its version `version` was; None if it has not come so far.

    Events hold what was before, so they are taken back one after another, from what stands now.
    """
    if version == order.version:
        return order
    events = [
        event
        for event in history_of(connection, order.order_id, since=version)
        # Of a change that was committed after the order was read, the order knows nothing.
        if event.sequence <= order.version
    ]
    if not events or events[0].sequence != version:
        return None
    for event in reversed(events[1:]):
        order = _before(order, event)
    return replace(order, version=version, updated_at=events[0].at, is_past=True)


def _before(order: OrderRecord, event: EventRecord) -> OrderRecord:
    values = {field: _value(field, before) for field, (before, _after) in event.changes.items()}
    names = {"total_price": "total_price_cents", "products": "lines"}
    changed: dict[str, Any] = {names.get(field, field): value for field, value in values.items()}
    return replace(order, **changed)


def _value(field: str, written: Any) -> Any:
    """What stands in the history, which is as the API writes it, as a record holds it."""
    if field == "total_price":
        return to_cents(Decimal(written))
    if field == "products":
        return [_line(line) for line in written]
    return written


def _line(written: dict[str, Any]) -> LineRecord:
    return LineRecord(
        UUID(written["product_id"]), written["name"], to_cents(Decimal(written["price"])), written["quantity"]
    )
