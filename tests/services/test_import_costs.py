"""What an import costs: statements a batch, memory an order; and that it writes what others write."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, current_app
from sqlalchemy import event
from sqlalchemy.orm import Session

from orders_app.events_log.verification import Finding, Verification
from orders_app.extensions import db, snapshot_connection, unit_of_work
from orders_app.history.domain import sealing_key
from orders_app.orders.domain import Line, NewOrder, OrderStatus
from orders_app.orders.importing import writing
from orders_app.orders.services import create_order
from orders_app.shared.identity import command_line_actor
from orders_app.shared.inserts import COPIED_FROM
from tests.services.importing import COLUMNS, HEADER, OPTIONS, Importing

NAMES = ["Lamp", "\\N", "\\.", "C:\\temp\\new", 'a "quoted", one', "Кофе ☕", "ǅ", "'", "{}", "NULL"]
MADE_ANEW = {"id", "order_id", "reference", "updated_at", "at", "request_id", "state", "seal"}


@pytest.fixture
def bring_in(session: Session, tmp_path: Path) -> Importing:
    return Importing(tmp_path)


@contextmanager
def statements() -> Iterator[list[tuple[str, int]]]:
    """What the database is asked meanwhile: the statements, and for how many rows each."""
    asked: list[tuple[str, int]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        is_many = rest[-1]
        asked.append((statement, len(parameters) if is_many else 1))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def orders(prefix: str, count: int, lines: int = 3) -> str:
    """So many orders in CSV, with so many lines each."""
    row = ",Lamp,1,1\n"
    return HEADER + "".join(f"{prefix}{number}{row}" * lines for number in range(count))


def test_a_batch_takes_so_many_statements_whatever_is_in_it(bring_in: Importing, session: Session) -> None:
    bring_in(orders("first", 1))
    with statements() as for_few:
        assert bring_in(orders("a", 2 * COPIED_FROM)).orders_imported == 2 * COPIED_FROM
    with statements() as for_many:
        assert bring_in(orders("b", 20 * COPIED_FROM)).lines_imported == 60 * COPIED_FROM
    assert len(for_many) == len(for_few)
    rows = {statement: count for statement, count in for_many if "order" in statement and count > 2}
    assert sorted(rows.values()) == [20 * COPIED_FROM, 20 * COPIED_FROM, 60 * COPIED_FROM]
    begins = "COPY" if db.engine.dialect.name == "postgresql" else "INSERT"
    assert [statement for statement in rows if not statement.startswith(begins)] == []


def test_memory_does_not_grow_with_the_rows(
    bring_in: Importing, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "LINES_AT_ONCE", 500)
    bring_in(orders("warm up", 20))

    def peak(prefix: str, lines: int) -> int:
        text = orders(prefix, 50, lines)
        tracemalloc.start()
        try:
            assert bring_in(text).lines_imported == 50 * lines
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = peak("a", 20), peak("b", 200)
    # 9,000 more rows, of which each takes some hundred bytes while it is in hand.
    assert many < few + 300_000


def test_an_import_writes_what_a_single_order_is_written_as(
    bring_in: Importing, session: Session, app: Flask
) -> None:
    created_at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    lines = tuple(Line(name, Decimal("12.34") * number, number) for number, name in enumerate(NAMES, start=1))
    new = NewOrder(
        lines=lines,
        status=OrderStatus.COMPLETED,
        owner="bob",
        created_at=created_at,
        source="shop",
        reference="1",
    )
    with unit_of_work() as uow:
        create_order(uow, actor=command_line_actor(), new=new)
    rows = []
    for line in lines:
        quoted = line.name.replace('"', '""')
        rows.append(f'2,"{quoted}",{line.price},{line.quantity},{created_at.isoformat()}\n')
    others = "".join(f"other {number},Mug,1,1,2026-01-01\n" for number in range(2 * COPIED_FROM))
    columns = replace(COLUMNS, created="When")
    options = replace(OPTIONS, columns=columns, user="bob", source="shop", status=OrderStatus.COMPLETED)
    text = HEADER.replace("\n", ",When\n") + "".join(rows) + others
    assert bring_in(text, options=options).orders_imported == 1 + 2 * COPIED_FROM

    single, imported = written("1"), written("2")
    assert single == imported
    assert len(single["order_lines"]) == len(NAMES)
    findings: list[Finding] = []
    key = sealing_key(current_app.config["ORDERS"].history_secret)
    with snapshot_connection() as connection:
        report = Verification(key, findings.append).run(connection)
    assert (report.events, findings) == (2 + 2 * COPIED_FROM, [])


def written(reference: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of an order as the driver hands them over; of what is made anew each time, the kind alone."""
    mark = "?" if db.engine.dialect.name == "sqlite" else "%s"
    found = {}
    with db.engine.connect() as connection:
        for table, others in (
            ("orders", "WHERE orders.reference"),
            ("order_lines", "JOIN orders ON orders.id = order_id AND orders.reference"),
            ("order_events", "JOIN orders ON orders.id = order_id AND orders.reference"),
        ):
            statement = f"SELECT {table}.* FROM {table} {others} = {mark}"  # noqa: S608  (names of ours)
            rows = connection.exec_driver_sql(statement, (reference,)).mappings().all()
            found[table] = [
                {
                    name: (type(value), len(str(value)) if isinstance(value, str) else None)
                    if name in MADE_ANEW
                    else value
                    for name, value in row.items()
                }
                for row in sorted(rows, key=lambda row: row.get("position", 0))
            ]
    return found
