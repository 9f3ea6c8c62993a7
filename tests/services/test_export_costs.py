"""What an export costs: one statement along an index, a few orders in memory; and what it writes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import orjson
import pytest
from sqlalchemy import Connection, event, insert, text
from sqlalchemy.orm import Session

from orders_app.extensions import db, read_connection, snapshot_connection, unit_of_work
from orders_app.orders import exporting, streaming
from orders_app.orders.domain import Owner
from orders_app.orders.exporting import export_orders
from orders_app.orders.filters import OrderFilter
from orders_app.orders.importing.csv_rows import OWN_COLUMNS
from orders_app.orders.importing.options import Format
from orders_app.orders.models import Order
from orders_app.orders.queries import get_order
from orders_app.orders.records import OrderRecord
from orders_app.orders.rows import PlainLine
from orders_app.orders.services import create_orders_for
from orders_app.orders.streaming import stream_orders, stream_with_plain_lines
from orders_app.shared.clock import utcnow
from orders_app.shared.identity import Actor, Role, command_line_actor
from tests import factories

NAMES = ["affe", 'a "quoted", \\ one', "\\u0041", "Кофе ☕", "</script>", "' or", "ǅ\u2009x"]


@pytest.fixture
def some(session: Session, as_alice: Actor) -> list[OrderRecord]:
    """Orders of one to seven lines, and one without any, as nobody can make it here; oldest first."""
    assert as_alice.user_id is not None
    owner = Owner(as_alice.user_id, as_alice.username)
    new = [
        factories.new_order(
            *(
                factories.order_line(name=name, price=Decimal("0.01"), quantity=2_147_483_647)
                for name in NAMES[: 1 + number % 7]
            )
        )
        for number in range(30)
    ]
    with unit_of_work() as uow:
        made = create_orders_for(uow, actor=command_line_actor(), orders=[(owner, one) for one in new])
    with unit_of_work() as uow:
        now = utcnow()
        values = {
            "status": "pending",
            "total_price_cents": 0,
            "version": 1,
            "created_at": now,
            "updated_at": now,
        }
        empty = uuid4()
        uow.session.execute(insert(Order).values(id=empty, user_id=owner.user_id, is_deleted=False, **values))
    ids = [order.order_id for order in sorted(made, key=lambda order: (order.created_at, order.order_id))]
    with read_connection() as connection:
        found = [get_order(connection, order_id) for order_id in [*ids, empty]]
    return [order for order in found if order is not None]


def test_all_orders_are_those_that_are_read_one_by_one(
    some: list[OrderRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "ORDERS_AT_ONCE", 4)
    with snapshot_connection() as connection:
        assert list(stream_orders(connection, OrderFilter())) == some
        by_id = list(stream_orders(connection, None, by_id=True))
    assert by_id == sorted(some, key=lambda order: order.order_id)
    assert {len(order.lines) for order in by_id} == set(range(8))


@pytest.mark.parametrize("piece", [1, exporting.PIECE])
def test_what_is_written_is_what_the_api_answers(
    some: list[OrderRecord], monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr(exporting, "PIECE", piece)
    answers = [order.encoded(Role.ADMIN) for order in some]
    with snapshot_connection() as connection:
        orders = list(stream_with_plain_lines(connection, OrderFilter()))
    assert b"".join(export_orders(orders, Format.JSONL)) == b"".join(answer + b"\n" for answer in answers)

    rows: list[list[Any]] = [list(OWN_COLUMNS)]
    for answer in map(orjson.loads, answers):
        for line in answer["products"]:
            said = {**answer, **line, "is_deleted": "false"}
            rows.append([said[name] or "" for name in OWN_COLUMNS])
    expected = io.StringIO()
    csv.writer(expected, lineterminator="\n").writerows(rows)
    written = b"".join(export_orders(orders, Format.CSV)).decode()
    assert written.replace("'' or", "' or") == expected.getvalue()


def test_an_export_holds_a_few_orders_at_a_time(
    some: list[OrderRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "ORDERS_AT_ONCE", 5)
    monkeypatch.setattr(exporting, "PIECE", 1)
    taken = 0

    def counted(
        orders: Iterator[tuple[OrderRecord, list[PlainLine]]],
    ) -> Iterator[tuple[OrderRecord, list[PlainLine]]]:
        nonlocal taken
        for order in orders:
            taken += 1
            yield order

    with snapshot_connection() as connection:
        pieces = export_orders(counted(stream_with_plain_lines(connection, OrderFilter())), Format.JSONL)
        next(pieces)
        assert taken == 1
        assert sum(1 for _ in pieces) == len(some)


@pytest.mark.parametrize("by_id", [False, True])
@pytest.mark.parametrize("deleted", [False, True])
def test_all_are_read_by_one_statement_along_an_index(
    some: list[OrderRecord], by_id: bool, deleted: bool
) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        asked.append((statement, parameters))

    with snapshot_connection() as connection:
        event.listen(db.engine, "before_cursor_execute", note)
        try:
            wanted = None if by_id else OrderFilter(is_deleted=deleted)
            list(stream_orders(connection, wanted, by_id=by_id))
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
    ((statement, parameters),) = [one for one in asked if one[0].startswith("SELECT")]
    with snapshot_connection() as connection:
        plan = _plan(connection, statement, parameters)
    assert "TEMP B-TREE FOR ORDER BY" not in plan, plan
    assert "Sort" not in plan, plan


def _plan(connection: Connection, statement: str, parameters: Any) -> str:
    if connection.dialect.name == "sqlite":
        return "\n".join(
            str(row[3]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        )
    for choice in ("seqscan", "bitmapscan", "sort", "incremental_sort", "hashjoin", "mergejoin"):
        connection.execute(text(f"SET LOCAL enable_{choice} = off"))
    return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters))
