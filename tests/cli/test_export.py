"""`flask orders export`, and back again."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from orders_app.orders.importing.csv_rows import harmless
from tests.callers import Caller
from tests.cli.conftest import Run, read

ORDERS = "/api/v1/orders/"
LINES = [
    {"name": '=1+1; "quoted", ünï', "price": "19.99", "quantity": 2},
    {"name": "Кофе", "price": "3.50", "quantity": 0},
]
FREE = ("order_id", "updated_at", "version", "source", "reference", "allowed_transitions")


@pytest.fixture
def some_orders(alice: Caller, admin: Caller) -> list[dict[str, Any]]:
    """One whose total does not add up, one of another owner, one deleted."""
    made: list[Any] = [
        alice.post(ORDERS, body={"products": LINES, "total_price": "229", "status": "cancelled"}).json,
        admin.post(ORDERS, body={"products": LINES[1:], "user": "bob", "status": "completed"}).json,
        alice.post(ORDERS, body={"products": LINES}).json,
    ]
    assert alice.delete(f"{ORDERS}{made[2]['order_id']}/").status_code == 204
    return made


def comparable(order: dict[str, Any]) -> dict[str, Any]:
    """What another installation must have just so."""
    kept = {key: value for key, value in order.items() if key not in FREE}
    kept["products"] = [
        {key: line[key] for key in ("name", "price", "quantity")} for line in order["products"]
    ]
    return kept


def test_json_lines_are_what_the_api_answers(
    run: Run, admin: Caller, some_orders: list[dict[str, Any]]
) -> None:
    result = run("orders", "export", "--format", "jsonl")
    assert result.exit_code == 0
    assert [json.loads(line) for line in result.stdout.splitlines()] == read(
        admin, f"{ORDERS}?ordering=created_at"
    )
    assert "2 orders exported." in result.stderr


def test_csv_has_a_row_for_each_line(run: Run, some_orders: list[dict[str, Any]]) -> None:
    rows = list(csv.DictReader(run("orders", "export").stdout.splitlines()))
    assert [(row["order_id"], row["name"], row["price"], row["quantity"]) for row in rows] == [
        (order["order_id"], harmless(line["name"]), line["price"], str(line["quantity"]))
        for order in some_orders[:2]
        for line in order["products"]
    ]
    assert (rows[0]["user"], rows[0]["total_price"], rows[0]["is_deleted"]) == ("alice", "229.00", "false")


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["--status", "cancelled"], [0]),
        (["--status", "cancelled", "--status", "completed"], [0, 1]),
        (["--min-price", "1"], [0]),
        (["--max-price", "1"], [1]),
        (["--user", "BOB"], [1]),
        (["--user", "nobody"], []),
        (["--created-after", "2001-01-01"], [0, 1]),
        (["--created-before", "2001-01-01T00:00:00Z"], []),
        (["--updated-after", "9000-01-01"], []),
        (["--q", "QUOTED"], [0]),
        (["--source", "import"], []),
        (["--reference", "1"], []),
        (["--deleted"], [2]),
    ],
)
def test_filters(run: Run, some_orders: list[dict[str, Any]], args: list[str], expected: list[int]) -> None:
    result = run("orders", "export", "--format", "jsonl", *args)
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    ids = [order["order_id"] for order in some_orders]
    assert [ids.index(json.loads(line)["order_id"]) for line in lines] == expected


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--min-price", "2", "--max-price", "1"], "must not be less"),
        (["--created-after", "2026-02-01", "--created-before", "2026-01-31"], "must not be before"),
        (["--min-price", "many"], "Not a valid amount."),
        (["--created-after", "12/1/2010"], "Not a date"),
        (["--format", "xml"], "xml"),
        (["--output", "no/such/folder/x.csv"], "cannot be written"),
    ],
)
def test_failures(run: Run, args: list[str], message: str) -> None:
    result = run("orders", "export", *args)
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize("which", [[], ["--deleted"]])
def test_another_installation_gets_the_same(
    run: Run, admin: Caller, some_orders: list[dict[str, Any]], tmp_path: Path, kind: str, which: list[str]
) -> None:
    path = tmp_path / f"orders.{kind}"
    assert run("orders", "export", "--format", kind, "--output", path, *which).exit_code == 0
    assert [file.name for file in tmp_path.iterdir()] == [path.name]

    known = run("orders", "import", path)
    assert known.stdout.startswith(f"orders: 0 imported, {1 if which else 2} known, 0 refused;"), known.output

    # Under another source nothing of it is known, as in an empty installation.
    result = run("orders", "import", path, "--source", "copy")
    assert (result.exit_code, result.stderr.count("Refused")) == (0, 0), result.output
    wanted = "?is_deleted=true&ordering=created_at" if which else "?ordering=created_at"
    orders = read(admin, f"{ORDERS}{wanted}")
    copies = {order["reference"]: order for order in orders if order["source"] == "copy"}
    originals = {order["order_id"]: order for order in orders if order["source"] is None}
    assert set(copies) == set(originals)
    for reference, copy in copies.items():
        expected = comparable(originals[reference])
        if kind == "csv":  # the sum of the lines, as for any CSV
            expected["total_price"] = {"229.00": "39.98"}.get(
                expected["total_price"], expected["total_price"]
            )
        assert comparable(copy) == expected

    again = run("orders", "import", path, "--source", "copy")
    assert again.stdout.startswith(f"orders: 0 imported, {len(copies)} known, 0 refused;")


def test_an_imported_order_keeps_its_source_and_reference(run: Run, admin: Caller, tmp_path: Path) -> None:
    lines = [
        json.dumps({"products": LINES, "user": "alice", "source": source, "reference": "1"})
        for source in ("north", "south")
    ]
    path = tmp_path / "both.jsonl"
    path.write_text("\n".join(lines))
    assert run("orders", "import", path).exit_code == 0
    assert {(order["source"], order["reference"]) for order in read(admin, ORDERS)} == {
        ("north", "1"),
        ("south", "1"),
    }
    for kind in ("csv", "jsonl"):
        exported = tmp_path / f"all.{kind}"
        run("orders", "export", "--format", kind, "--output", exported)
        assert run("orders", "import", exported).stdout.startswith("orders: 0 imported, 2 known, 0 refused;")


def test_the_lines_of_two_exports_that_overlap_count_once(
    run: Run, admin: Caller, some_orders: list[dict[str, Any]], tmp_path: Path
) -> None:
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    run("orders", "export", "--output", one)
    run("orders", "export", "--output", other, "--user", "bob")
    result = run("orders", "import", one, other, "--source", "copy")
    assert "orders: 2 imported, 0 known, 0 refused; lines: 3 imported, 1 refused" in result.stdout
