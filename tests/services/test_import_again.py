"""Imports that are repeated, interrupted, overtaken or that fail: each order comes in once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from orders_app.auth.models import User
from orders_app.extensions import unit_of_work
from orders_app.history.models import OrderEventRow
from orders_app.orders.importing import import_orders, writing
from orders_app.orders.importing.input_files import InputFile
from orders_app.orders.importing.options import ImportFailed
from orders_app.orders.models import Order
from orders_app.orders.recording import add
from orders_app.shared.identity import command_line_actor
from orders_app.shared.inserts import COPIED_FROM
from orders_app.shared.view_versions import ViewVersion
from tests.services.importing import (
    HEADER,
    OPTIONS,
    Importing,
    Watching,
    counts,
    json_order,
    stored,
    value_of,
)


@pytest.fixture
def bring_in(session: Session, tmp_path: Path) -> Importing:
    return Importing(tmp_path)


def test_running_again_leaves_alone_what_is_here(bring_in: Importing, session: Session) -> None:
    text = HEADER + "1,Lamp,1,1\n1,,1,1\n2,,1,1\n"
    assert counts(bring_in(text)) == "orders: 1 imported, 0 known, 1 refused; lines: 1 imported, 2 refused"
    again = bring_in(text + "1,Mug,1,1\n3,Pen,1,1\n")
    assert counts(again) == "orders: 1 imported, 1 known, 1 refused; lines: 1 imported, 1 refused"
    assert [row[3] for row in bring_in.rejects()] == ["No", "2"]
    assert stored(session)["1"][3] == [("Lamp", 1)]
    other = bring_in(text, options=replace(OPTIONS, source="elsewhere"))
    assert other.orders_imported == 1
    assert value_of(session, select(func.count()).select_from(OrderEventRow)) == 3


def test_a_rejects_file_tells_of_the_last_run(bring_in: Importing, session: Session) -> None:
    bring_in(HEADER + "1,,1,1\n")
    assert len(bring_in.rejects()) == 2
    assert bring_in(HEADER + "1,Lamp,1,1\n").rejects is None
    assert bring_in.rejects() == []


def test_json_without_a_number_is_found_again_by_what_it_says(bring_in: Importing, session: Session) -> None:
    text = json_order() * 2 + json_order(status="pending")
    assert bring_in(text, suffix=".jsonl").orders_imported == 3
    again = bring_in(text, suffix=".jsonl")
    assert (again.orders_imported, again.orders_known) == (0, 3)


def test_an_interrupted_import_is_completed_by_the_next(
    bring_in: Importing, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "ORDERS_AT_ONCE", 2)
    text = HEADER + "".join(f"{number},Lamp,1,1\n" for number in range(7)) + "9,,1,1\n"
    summary = bring_in(text, stop_after=2)
    assert (summary.orders_imported, summary.orders_left) == (4, 3)
    assert len(bring_in.rejects()) == 2
    assert value_of(session, select(func.count()).select_from(Order)) == 4
    summary = bring_in(text)
    assert (summary.orders_imported, summary.orders_known, summary.orders_left) == (3, 4, 0)


def test_each_batch_counts_once_in_what_caches_compare(
    bring_in: Importing, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "ORDERS_AT_ONCE", 100)
    alice = value_of(session, select(User.id).where(User.username == "alice"))
    bring_in(HEADER + "".join(f"{number},Lamp,1,1\n" for number in range(150)))
    assert value_of(session, select(ViewVersion.version).where(ViewVersion.scope == alice)) == 2


@pytest.mark.parametrize("more", [0, 2 * COPIED_FROM])
def test_two_imports_at_once_bring_each_order_in_once(
    bring_in: Importing, session: Session, monkeypatch: pytest.MonkeyPatch, more: int
) -> None:
    """The other one commits after this one has looked for what is here."""
    text = HEADER + "1,Lamp,1,1\n2,Mug,1,1\n2,,1,1\n3,Pen,1,1\n"
    others = [f"other {number}" for number in range(more)]
    text += "".join(f"{reference},Cup,1,1\n" for reference in others)
    options = replace(OPTIONS, user="carol", create_users=True)
    write = writing.Writer.write

    def write_late(self: writing.Writer, *args: Any) -> bool:
        monkeypatch.setattr(writing.Writer, "write", write)
        other = bring_in.folder / "other.csv"
        other.write_text(HEADER + "2,Mug,1,1\n")
        import_orders(
            [InputFile(str(other))],
            options,
            unit_of_work=unit_of_work,
            actor=command_line_actor(),
            watcher=Watching(),
        )
        return write(self, *args)

    monkeypatch.setattr(writing.Writer, "write", write_late)
    summary = bring_in(text, options=options)
    new = 2 + more
    assert counts(summary) == f"orders: {new} imported, 1 known, 0 refused; lines: {new} imported, 0 refused"
    assert bring_in.rejects() == []
    owners = {name: order[0] for name, order in stored(session).items()}
    assert owners == dict.fromkeys(["1", "2", "3", *others], "carol")
    assert value_of(session, select(func.count()).select_from(OrderEventRow)) == 3 + more


def test_a_failure_while_writing_takes_back_its_batch_only(
    bring_in: Importing, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "ORDERS_AT_ONCE", 1)
    calls = iter(range(10))

    def fail_second(*args: Any, **kwargs: Any) -> Any:
        if next(calls) == 1:
            raise RuntimeError("power cut")
        return add(*args, **kwargs)

    monkeypatch.setattr(writing, "add", fail_second)
    with pytest.raises(RuntimeError, match="power cut"):
        bring_in(HEADER + "1,Lamp,1,1\n2,Mug,1,1\n3,,1,1\n")
    assert list(stored(session)) == ["1"]
    assert len(bring_in.rejects()) == 2


def test_nothing_comes_in_from_a_file_that_turns_out_unreadable(
    bring_in: Importing, session: Session
) -> None:
    path = bring_in.folder / "latin.csv"
    path.write_bytes(HEADER.encode() + b"1,Lamp,1,1\n" * 50_000 + b"2,Caf\xe9,1,1\n")
    with pytest.raises(ImportFailed, match=r"latin.csv is not utf-8 .*--encoding cp1252"):
        import_orders(
            [InputFile(str(path))],
            OPTIONS,
            unit_of_work=unit_of_work,
            actor=command_line_actor(),
            watcher=Watching(),
        )
    assert stored(session) == {}
