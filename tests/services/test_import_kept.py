"""An import that stops after each unit of work and goes on later: nothing lost, nothing doubled, all told."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from orders_app.auth.models import User
from orders_app.extensions import unit_of_work
from orders_app.history.models import OrderEventRow
from orders_app.orders.importing import kept, writing
from orders_app.orders.importing.input_files import InputFile
from orders_app.orders.importing.kept import KeptImport, Progress
from orders_app.orders.importing.options import ImportFailed, ImportOptions
from orders_app.orders.importing.rejects import write_rejects
from orders_app.orders.models import Order
from orders_app.shared.identity import Actor
from tests.services.importing import COLUMNS, HEADER, OPTIONS, Importing, counts, stored, value_of

FIVE = HEADER + "".join(f"{number},Lamp,2.50,2\n{number},Mug,1,1\n" for number in range(1, 6))


class Killed(BaseException):
    """What ends a process, as far as what it has noted is concerned."""


@contextmanager
def looking() -> Iterator[Session]:
    with unit_of_work() as uow:
        yield uow.session


@pytest.fixture
def two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "ORDERS_AT_ONCE", 2)


class Keeping:
    """A file that is kept, and what becomes of it."""

    def __init__(self, folder: Path, actor: Actor) -> None:
        self.path = folder / "plan.db"
        self._file = folder / "shop.csv"
        self._actor = actor

    def keep(self, text: str, options: ImportOptions = OPTIONS, **others: Any) -> None:
        self._file.write_text(text, encoding="utf-8", newline="")
        kept.keep(self.path, InputFile(str(self._file), label="shop.csv"), options, looking=looking, **others)

    def go_on(self) -> Progress:
        with KeptImport(self.path) as plan:
            plan.go_on(unit_of_work, self._actor, looking=looking)
            return plan.progress()

    def to_the_end(self) -> Progress:
        progress = self.go_on()
        while progress.left:
            progress = self.go_on()
        return progress

    def rejects(self) -> list[list[str]]:
        with KeptImport(self.path) as plan:
            text = io.StringIO()
            write_rejects(text, plan.refused(), ["shop.csv"], [plan.columns])
        return list(csv.reader(text.getvalue().splitlines()))


@pytest.fixture
def keeping(session: Session, tmp_path: Path, as_admin: Actor) -> Keeping:
    return Keeping(tmp_path, as_admin)


def test_it_comes_in_a_batch_at_a_time(keeping: Keeping, session: Session, two_at_once: None) -> None:
    keeping.keep(FIVE + "6,Pen,1,-1\n1,,1,1\n")
    with KeptImport(keeping.path) as plan:
        assert plan.progress() == Progress(5, 0, 0, lines_left=10, known=0, refused=1, begun=0, left=5)
        assert [sample.entry.reference for sample in plan.samples(orders=3, lines=1)] == ["1", "2", "3"]
        assert plan.samples(orders=1, lines=1)[0].total_cents == 600
        assert plan.count_refused() == 2
    assert stored(session) == {}
    assert [keeping.go_on().imported for _ in range(3)] == [2, 4, 5]
    assert list(stored(session)) == ["1", "2", "3", "4", "5"]
    assert keeping.go_on().done == 5
    events = session.execute(select(OrderEventRow.event, OrderEventRow.actor_name)).all()
    assert [tuple(event) for event in events] == [("order.created", "admin")] * 5
    assert [row[:3] for row in keeping.rejects()] == [
        ["file", "line", "reason"],
        [
            "shop.csv",
            "12",
            "Qty: Must not be negative; --negative-quantity absolute takes it without its sign.",
        ],
        ["shop.csv", "13", "Item: Must not be empty."],
    ]


def test_what_came_in_before_is_left_alone(keeping: Keeping, session: Session, tmp_path: Path) -> None:
    """Whoever brought it in, the command line among them, and with the rows of it that were refused."""
    Importing(tmp_path)(HEADER + "2,Cup,9,9\n")
    keeping.keep(FIVE + "2,,1,1\n3,,1,1\n")
    progress = keeping.to_the_end()
    assert (progress.imported, progress.known, progress.lines_imported) == (4, 1, 8)
    assert stored(session)["2"][3] == [("Cup", 9)]
    assert [row[1] for row in keeping.rejects()] == ["line", "13"]
    keeping.keep(FIVE)
    progress = keeping.to_the_end()
    assert (progress.imported, progress.known, progress.wanted) == (0, 5, 0)
    assert value_of(session, select(func.count()).select_from(Order)) == 5


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_that_is_killed_loses_and_doubles_nothing(
    keeping: Keeping, session: Session, two_at_once: None, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """Before its commit, or after that and before it could note it."""
    keeping.keep(FIVE)
    assert keeping.go_on().imported == 2
    write = writing.Writer.write

    def killed(self: writing.Writer, *arguments: Any) -> bool:
        if when == "after":
            write(self, *arguments)
        raise Killed

    monkeypatch.setattr(writing.Writer, "write", killed)
    with pytest.raises(Killed):
        keeping.go_on()
    monkeypatch.undo()
    assert len(stored(session)) == (4 if when == "after" else 2)
    progress = keeping.to_the_end()
    assert (progress.imported, progress.known, progress.lines_imported) == (5, 0, 10)
    assert value_of(session, select(func.count()).select_from(Order)) == 5
    events = session.scalars(select(OrderEventRow.event)).all()
    assert list(events) == ["order.created"] * 5


def test_somebody_else_brings_the_same_in_meanwhile(
    keeping: Keeping, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the last look and the commit: the database refuses the batch, and each order is tried alone."""
    keeping.keep(FIVE)
    write = writing.Writer.write

    def overtaken(self: writing.Writer, *arguments: Any) -> bool:
        monkeypatch.undo()
        Importing(tmp_path)(HEADER + "2,Cup,9,9\n4,Cup,9,9\n")
        return write(self, *arguments)

    monkeypatch.setattr(writing.Writer, "write", overtaken)
    progress = keeping.to_the_end()
    assert (progress.imported, progress.known) == (3, 2)
    assert [order[3][0][0] for order in stored(session).values()].count("Cup") == 2


def test_an_owner_who_is_gone_meanwhile_is_not_made(keeping: Keeping, session: Session) -> None:
    keeping.keep(FIVE)
    with unit_of_work() as uow:
        user = uow.session.scalars(select(User).where(User.username == "alice")).one()
        user.username, user.username_key = "alicia", "alicia"
    progress = keeping.to_the_end()
    assert (progress.imported, progress.refused, progress.left) == (0, 5, 0)
    assert "There is no user 'alice'" in keeping.rejects()[1][2]
    assert stored(session) == {}


def test_missing_owners_are_made_if_that_was_asked_for(keeping: Keeping, session: Session) -> None:
    keeping.keep(FIVE, replace(OPTIONS, user="carol", create_users=True))
    assert keeping.to_the_end().imported == 5
    assert {order[0] for order in stored(session).values()} == {"carol"}


def test_what_cannot_be_read_leaves_what_was_there(keeping: Keeping) -> None:
    keeping.keep(FIVE)
    for text in ("", "No,Item\n"):
        with pytest.raises(ImportFailed):
            keeping.keep(text)
    with KeptImport(keeping.path) as plan:
        assert plan.progress().wanted == 5
    assert [path.name for path in keeping.path.parent.iterdir() if path.suffix == ".part"] == []


def test_there_is_a_limit_to_the_orders_of_one(keeping: Keeping) -> None:
    keeping.keep(FIVE, most_orders=5)
    with pytest.raises(ImportFailed, match="There are more than 4 orders"):
        keeping.keep(FIVE, most_orders=4)


def test_one_that_was_removed_is_not_made_anew(keeping: Keeping) -> None:
    with pytest.raises(sqlite3.OperationalError):
        KeptImport(keeping.path)
    assert not keeping.path.exists()


def test_it_agrees_with_an_import_at_one_go(keeping: Keeping, session: Session, tmp_path: Path) -> None:
    """The same figures, the same orders, whichever way they come."""
    text = FIVE + "6,,1,1\n7,Pen,x,1\n,Pen,1,1\n1,Cup,3,3\n"
    keeping.keep(text)
    progress = keeping.to_the_end()
    here = stored(session)
    lines_refused = len(keeping.rejects()) - 1
    summary = Importing(tmp_path)(text, options=replace(OPTIONS, source="another", columns=COLUMNS))
    assert counts(summary) == (
        f"orders: {progress.imported} imported, 0 known, {progress.refused} refused; "
        f"lines: {progress.lines_imported} imported, {lines_refused} refused"
    )
    assert stored(session) == here
