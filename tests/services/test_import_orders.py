"""Bringing orders in: what becomes of the rows, on both back ends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from orders_app.auth.models import User
from orders_app.extensions import unit_of_work
from orders_app.history.models import OrderEventRow
from orders_app.orders.importing import import_orders
from orders_app.orders.importing.input_files import InputFile
from orders_app.orders.importing.options import ImportFailed, NegativeQuantity
from orders_app.orders.models import Order
from orders_app.shared.identity import command_line_actor
from tests.services.importing import (
    COLUMNS,
    HEADER,
    OPTIONS,
    Importing,
    Watching,
    counts,
    json_order,
    stored,
    value_of,
)

NEGATIVE = "Qty: Must not be negative; --negative-quantity absolute takes it without its sign."


@pytest.fixture
def bring_in(session: Session, tmp_path: Path) -> Importing:
    return Importing(tmp_path)


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
            f"Item: Must not be empty. {NEGATIVE}",
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
    carol = value_of(session, select(User).where(User.username == "carol"))
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
