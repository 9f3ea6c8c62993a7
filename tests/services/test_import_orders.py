"""Bringing orders in: what becomes of the rows, on both back ends."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from orders_app.auth.models import User
from orders_app.events_log.models import OrderEventRow
from orders_app.extensions import unit_of_work
from orders_app.orders.importing import Summary, import_orders, writing
from orders_app.orders.importing.input_files import InputFile
from orders_app.orders.importing.options import Columns, ImportFailed, ImportOptions, NegativeQuantity
from orders_app.orders.models import Order
from orders_app.shared.identity import command_line_actor
from orders_app.shared.money import cents_text
from orders_app.shared.view_versions import ViewVersion

COLUMNS = Columns(order="No", name="Item", price="Each", quantity="Qty")
OPTIONS = ImportOptions(columns=COLUMNS, user="alice")
HEADER = "No,Item,Each,Qty\n"


@dataclass
class Watching:
    """Stops after so many batches."""

    stop_after: int = 10**9
    batches: int = 0

    def reading(self, size: int | None) -> Callable[[int], object]:
        return lambda _count: None

    def writing(self, orders: int) -> Callable[[int], object]:
        def advance(_count: int) -> None:
            self.batches += 1

        return advance

    def wants_to_stop(self) -> bool:
        return self.batches >= self.stop_after


@dataclass
class Importing:
    """Files in a folder, and what importing them gives."""

    folder: Path

    def __call__(
        self, *texts: str, options: ImportOptions = OPTIONS, suffix: str = ".csv", stop_after: int = 10**9
    ) -> Summary:
        files = []
        for number, text in enumerate(texts, start=1):
            path = self.folder / f"{number}{suffix}"
            path.write_text(text, encoding="utf-8", newline="")
            files.append(InputFile(str(path)))
        return import_orders(
            files,
            options,
            unit_of_work=unit_of_work,
            actor=command_line_actor(),
            watcher=Watching(stop_after),
        )

    def rejects(self, name: str = "1.csv.rejects.csv") -> list[list[str]]:
        path = self.folder / name
        return list(csv.reader(path.read_text("utf-8").splitlines())) if path.exists() else []


@pytest.fixture
def bring_in(session: Session, tmp_path: Path) -> Importing:
    return Importing(tmp_path)


def counts(summary: Summary) -> str:
    return str(summary).rsplit(";", 1)[0]


def stored(session: Session) -> dict[str, Any]:
    """What is there, by reference."""
    orders = session.execute(
        select(Order, User.username)
        .join(User, User.id == Order.user_id)
        .execution_options(populate_existing=True)
    )
    return {
        str(order.reference): (
            owner,
            order.status,
            cents_text(order.total_price_cents),
            [(line.name, line.quantity) for line in order.lines],
        )
        for order, owner in orders
    }


def test_rows_of_an_order_may_stand_anywhere(bring_in: Importing, session: Session) -> None:
    summary = bring_in(
        HEADER + "1,Lamp,2.50,2\n2,Mug,1,1\n1,Tea,0.10,1\n", "Qty,No,Each,Item\n3,1,1,Cup\n1,3,1,Pen\n"
    )
    assert counts(summary) == "orders: 3 imported, 0 known, 0 refused; lines: 5 imported, 0 refused"
    assert stored(session) == {
        "1": ("alice", "confirmed", "8.10", [("Lamp", 2), ("Tea", 1), ("Cup", 3)]),
        "2": ("alice", "confirmed", "1.00", [("Mug", 1)]),
        "3": ("alice", "confirmed", "1.00", [("Pen", 1)]),
    }
    events = session.execute(
        select(OrderEventRow.event, OrderEventRow.sequence, OrderEventRow.actor_name)
    ).all()
    assert sorted(events) == [("order.created", 1, "command line")] * 3
    assert bring_in.rejects() == []


def test_what_is_refused_is_kept_with_its_reason(bring_in: Importing, session: Session) -> None:
    summary = bring_in(
        HEADER + "1,Lamp,2.505,2\n1,Tea,1,1\n2,,1,-1\n,Mug,1,1\n3,Mug\n",
        "Extra,No,Item,Each,Qty\nx,1,Cup,1,many\n",
    )
    assert counts(summary) == "orders: 1 imported, 0 known, 2 refused; lines: 1 imported, 5 refused"
    first, second = (str(bring_in.folder / name) for name in ("1.csv", "2.csv"))
    assert bring_in.rejects() == [
        ["file", "line", "reason", "No", "Item", "Each", "Qty", "Extra"],
        [first, "2", "Each: At most 2 decimal places.", "1", "Lamp", "2.505", "2", ""],
        [
            first,
            "4",
            "Item: Must not be empty. "
            "Qty: Must not be negative; --negative-quantity absolute takes it without its sign.",
            "2",
            "",
            "1",
            "-1",
            "",
        ],
        [first, "5", "No: Must not be empty.", "", "Mug", "1", "1", ""],
        [first, "6", "2 cells where the header has 4.", "3", "Mug", "", "", ""],
        [second, "2", "Qty: Not a valid integer.", "1", "Cup", "1", "many", "x"],
    ]
    assert list(stored(session)) == ["1"]


def test_running_again_leaves_alone_what_is_here(bring_in: Importing, session: Session) -> None:
    text = HEADER + "1,Lamp,1,1\n1,,1,1\n2,,1,1\n"
    assert counts(bring_in(text)) == "orders: 1 imported, 0 known, 1 refused; lines: 1 imported, 2 refused"
    again = bring_in(text + "1,Mug,1,1\n3,Pen,1,1\n")
    assert counts(again) == "orders: 1 imported, 1 known, 1 refused; lines: 1 imported, 1 refused"
    assert [row[3] for row in bring_in.rejects()] == ["No", "2"]
    assert stored(session)["1"][3] == [("Lamp", 1)]
    other = bring_in(text, options=replace(OPTIONS, source="elsewhere"))
    assert other.orders_imported == 1
    assert session.scalar(select(func.count()).select_from(OrderEventRow)) == 3


def test_a_rejects_file_tells_of_the_last_run(bring_in: Importing, session: Session) -> None:
    bring_in(HEADER + "1,,1,1\n")
    assert len(bring_in.rejects()) == 2
    assert bring_in(HEADER + "1,Lamp,1,1\n").rejects is None
    assert bring_in.rejects() == []


def test_the_first_row_says_what_the_order_is(bring_in: Importing, session: Session) -> None:
    columns = replace(COLUMNS, created="When", user="Who", status="State")
    summary = bring_in(
        "No,Item,Each,Qty,When,Who,State\n"
        "1,,1,1,2026-01-01,bob,pending\n"
        "1,Lamp,1,1,garbage,alice,nope\n"
        "2,Lamp,1,1,garbage,bob,\n"
        "2,Mug,1,1,2026-01-02,,\n"
        "2,Pen,1,1,,bob,\n",
        options=replace(OPTIONS, columns=columns, status_prefixes=()),
    )
    assert counts(summary) == "orders: 2 imported, 0 known, 0 refused; lines: 3 imported, 2 refused"
    assert stored(session)["1"] == ("bob", "pending", "1.00", [("Lamp", 1)])
    assert stored(session)["2"] == ("alice", "confirmed", "2.00", [("Mug", 1), ("Pen", 1)])
    created = session.scalars(select(Order.created_at).order_by(Order.created_at)).all()
    assert [moment.isoformat() for moment in created] == [
        "2026-01-01T00:00:00+00:00",
        "2026-01-02T00:00:00+00:00",
    ]


def test_unknown_owners(bring_in: Importing, session: Session) -> None:
    options = replace(OPTIONS, columns=replace(COLUMNS, user="Who"))
    text = "No,Item,Each,Qty,Who\n1,Lamp,1,1, carol \n1,Mug,1,1,\n2,Pen,1,1,ALICE\n3,Pen,1,1,a:b\n"
    summary = bring_in(text, options=options)
    assert counts(summary) == "orders: 1 imported, 0 known, 2 refused; lines: 1 imported, 3 refused"
    assert stored(session)["2"][0] == "alice"
    assert [row[2] for row in bring_in.rejects()[1:3]] == [
        "There is no user 'carol'; --create-users makes those who are missing."
    ] * 2
    summary = bring_in(text, options=replace(options, create_users=True))
    assert counts(summary) == "orders: 1 imported, 1 known, 1 refused; lines: 2 imported, 1 refused"
    carol = session.scalars(select(User).where(User.username == "carol")).one()
    assert carol.password_hash is None
    assert carol.role == "user"


def test_an_order_holds_so_many_lines_and_so_much_money(bring_in: Importing, session: Session) -> None:
    big = "2,Gold,9999999999.99,1\n2,Lead,0.01,1\n"
    summary = bring_in(HEADER + "1,Pin,1,1\n" * 2001 + big + "3,Pen,1,1\n")
    assert counts(summary) == "orders: 2 imported, 0 known, 1 refused; lines: 2001 imported, 3 refused"
    assert [row[2] for row in bring_in.rejects()[1:]] == [
        "An order has at most 2000 lines.",
        "The sum of the lines is more than 9999999999.99.",
        "The sum of the lines is more than 9999999999.99.",
    ]


def test_negative_quantities_by_choice(bring_in: Importing, session: Session) -> None:
    bring_in(HEADER + "1,Lamp,2,-3\n", options=replace(OPTIONS, negative_quantity=NegativeQuantity.ABSOLUTE))
    assert stored(session)["1"] == ("alice", "confirmed", "6.00", [("Lamp", 3)])


def json_order(**fields: Any) -> str:
    line = {"name": "affe", "price": "42", "quantity": 0}
    return json.dumps({"products": [line], **fields}) + "\n"


def test_json_lines_keep_what_they_say(bring_in: Importing, session: Session) -> None:
    text = json_order(total_price="229", status="cancelled", reference="A1", user="bob") + json_order(
        order_id="x"
    )
    summary = bring_in(text, suffix=".jsonl")
    assert counts(summary) == "orders: 2 imported, 0 known, 0 refused; lines: 2 imported, 0 refused"
    assert stored(session) == {
        "A1": ("bob", "cancelled", "229.00", [("affe", 0)]),
        "x": ("alice", "confirmed", "0.00", [("affe", 0)]),
    }


def test_a_line_of_json_comes_in_whole_or_not_at_all(bring_in: Importing, session: Session) -> None:
    good = {"name": "affe", "price": "42", "quantity": 1}
    bad = json_order(reference="A1", products=[good, {**good, "price": "-1"}])
    text = bad + "\n{broken\n" + json_order(reference="A2") + json_order(reference="A2")
    summary = bring_in(text, suffix=".jsonl")
    assert counts(summary) == "orders: 1 imported, 0 known, 3 refused; lines: 1 imported, 4 refused"
    rejects = bring_in.rejects("1.jsonl.rejects.csv")
    assert rejects[0] == ["file", "line", "reason", "json"]
    assert [row[1] for row in rejects[1:]] == ["1", "3", "5"]
    assert rejects[1][2:] == ["products.1.price: Must not be negative.", bad.strip()]
    assert rejects[3][2].startswith("Another order of the input has the reference 'A2'")


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
    assert session.scalar(select(func.count()).select_from(Order)) == 4
    summary = bring_in(text)
    assert (summary.orders_imported, summary.orders_known, summary.orders_left) == (3, 4, 0)


def test_each_batch_counts_once_in_what_caches_compare(bring_in: Importing, session: Session) -> None:
    alice = session.scalars(select(User.id).where(User.username == "alice")).one()
    bring_in(HEADER + "".join(f"{number},Lamp,1,1\n" for number in range(150)))
    assert session.scalar(select(ViewVersion.version).where(ViewVersion.scope == alice)) == 2


def test_two_imports_at_once_bring_each_order_in_once(
    bring_in: Importing, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one commits after this one has looked for what is here."""
    text = HEADER + "1,Lamp,1,1\n2,Mug,1,1\n2,,1,1\n3,Pen,1,1\n"
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
    assert counts(summary) == "orders: 2 imported, 1 known, 0 refused; lines: 2 imported, 0 refused"
    assert bring_in.rejects() == []
    assert {name: order[0] for name, order in stored(session).items()} == dict.fromkeys("123", "carol")
    assert session.scalar(select(func.count()).select_from(OrderEventRow)) == 3


def test_a_failure_while_writing_takes_back_its_batch_only(
    bring_in: Importing, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "ORDERS_AT_ONCE", 1)
    create = writing.create_orders_for
    calls = iter(range(10))

    def fail_second(*args: Any, **kwargs: Any) -> Any:
        if next(calls) == 1:
            raise RuntimeError("power cut")
        return create(*args, **kwargs)

    monkeypatch.setattr(writing, "create_orders_for", fail_second)
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


def test_the_rejects_file_is_never_an_input(bring_in: Importing, session: Session) -> None:
    path = bring_in.folder / "shop.csv"
    path.write_text(HEADER + "1,Lamp,1,1\n")
    with pytest.raises(ImportFailed, match="is one of the files"):
        import_orders(
            [InputFile(str(path))],
            OPTIONS,
            unit_of_work=unit_of_work,
            actor=command_line_actor(),
            watcher=Watching(),
            rejects=path,
        )
    assert path.exists()
