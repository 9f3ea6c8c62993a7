"""What is selected of an order, and what becomes of it: records, or plain values for who writes them out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Text, cast, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

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
_DIGITS: Final = 32
PlainLine = tuple[str, str, int, int]
"""What a `LineRecord` consists of, with the id as it is written."""
Listed = tuple[OrderRecord, list[PlainLine]]
"""An order without its lines, and these beside it, for who only writes them out."""


class _Array(FunctionElement[str]):
    """A JSON array of these values."""

    inherit_cache = True


class _ArrayOfAll(FunctionElement[str]):
    """A JSON array of this value of all rows."""

    inherit_cache = True


@compiles(_Array)
@compiles(_ArrayOfAll)
def _in_postgresql(element: _Array | _ArrayOfAll, compiler: SQLCompiler, **how: Any) -> str:
    name = "json_build_array" if isinstance(element, _Array) else "json_agg"
    return f"{name}({compiler.process(element.clauses, **how)})"


@compiles(_Array, "sqlite")
@compiles(_ArrayOfAll, "sqlite")
def _in_sqlite(element: _Array | _ArrayOfAll, compiler: SQLCompiler, **how: Any) -> str:
    name = "json_array" if isinstance(element, _Array) else "json_group_array"
    return f"{name}({compiler.process(element.clauses, **how)})"


def _lines_as_json() -> ColumnElement[str]:
    lines = (
        select(*LINE_COLUMNS)
        .where(OrderLine.order_id == Order.id)
        .order_by(OrderLine.position)
        .correlate(Order)
        .subquery()
    )
    return select(cast(_ArrayOfAll(_Array(*lines.c)), Text)).select_from(lines).scalar_subquery()


LINES_AS_JSON: Final = _lines_as_json()
"""The lines of an order as text: JSON, an array of what `LineRecord` consists of for each."""


def plain_lines(text: str | None) -> list[PlainLine]:
    """The lines that stand in such a value."""
    lines: list[Any] = orjson.loads(text or b"[]")
    if lines and len(lines[0][0]) == _DIGITS:  # SQLite keeps the digits of an id alone
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
