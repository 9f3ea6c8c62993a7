"""What is selected of an order, and what becomes of it: records, or plain values for who writes them out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Text, cast, func, select

from orders_app.auth.models import User
from orders_app.orders.models import Order, OrderLine
from orders_app.orders.records import LineRecord, OrderRecord

ORDER_COLUMNS: Final[tuple[Any, ...]] = (
    Order.id,
    Order.user_id,
    User.username,
    Order.status,
    Order.total_price_cents,
    Order.is_deleted,
    Order.created_at,
    Order.updated_at,
    Order.version,
    Order.source,
    Order.reference,
)
WIDTH: Final = len(ORDER_COLUMNS)
LINE_COLUMNS: Final[tuple[Any, ...]] = (
    OrderLine.id.label("line_id"),
    OrderLine.name,
    OrderLine.price_cents,
    OrderLine.quantity,
)
PlainLine = tuple[str, str, int, int]
"""What a `LineRecord` consists of, with the id as it is written."""
Listed = tuple[OrderRecord, list[PlainLine]]
"""An order without its lines, and these beside it, for who only writes them out."""


def lines_as_json(dialect: str) -> ColumnElement[str]:
    """The lines of an order as text: JSON, an array of what `LineRecord` consists of for each."""
    lines = (
        select(*LINE_COLUMNS)
        .where(OrderLine.order_id == Order.id)
        .order_by(OrderLine.position)
        .correlate(Order)
        .subquery()
    )
    one, all_of_them = (
        (func.json_array, func.json_group_array)
        if dialect == "sqlite"
        else (func.json_build_array, func.json_agg)
    )
    return select(cast(all_of_them(one(*lines.c)), Text)).select_from(lines).scalar_subquery()


def plain_lines(text: Any, dialect: str) -> list[PlainLine]:
    """The lines that stand in such a value."""
    lines: list[Any] = orjson.loads(text or b"[]")
    if dialect == "sqlite":  # which keeps the digits of an id alone
        for line in lines:
            digits = line[0]
            line[0] = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    return lines


def with_lines(order: OrderRecord, lines: Iterable[PlainLine]) -> OrderRecord:
    """The order, with the lines that were beside it."""
    order.lines.extend(
        LineRecord(UUID(hex=line_id), name, price_cents, quantity)
        for line_id, name, price_cents, quantity in lines
    )
    return order
