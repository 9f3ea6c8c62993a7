"""`flask orders import`: options, exit status, and what is said where."""

from __future__ import annotations

import csv
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from tests import shop
from tests.callers import Caller
from tests.cli.conftest import Run, read

DIRTY = Path(__file__).parents[1] / "data" / "dirty_shop.csv"
COLUMNS = [
    *("--order-column", "No", "--name-column", "Item"),
    *("--price-column", "Each", "--quantity-column", "Qty"),
]
SHOP = Path(__file__).parents[3] / "shared" / "data" / "shop"
SUMMARY = re.compile(
    r"orders: (\d+) (?:imported|to import), (\d+) known, (\d+) refused; "
    r"lines: (\d+) (?:imported|to import), (\d+) refused; \d+\.\d s"
)


def last_line(stdout: str) -> tuple[int, ...]:
    match = SUMMARY.fullmatch(stdout.splitlines()[-1])
    assert match, stdout
    return tuple(int(number) for number in match.groups())


def test_a_dirty_file(run: Run, tmp_path: Path, admin: Caller, log_dir: Path) -> None:
    rejects = tmp_path / "rejects.csv"
    args = [
        *("orders", "import", DIRTY, *COLUMNS, "--created-column", "When", "--user-column", "Who"),
        *("--timezone", "Europe/London", "--user", "shop", "--create-users", "--rejects", rejects),
        *("--negative-quantity", "absolute", "--status-prefix", "C=cancelled", "--source", "stall"),
    ]
    result = run(*args)
    assert result.exit_code == 3
    assert last_line(result.stdout) == (3, 0, 4, 5, 6)
    assert "Refused, see" in result.stderr
    assert "Reading" in result.stderr

    rows = list(csv.DictReader(rejects.read_text("utf-8").splitlines()))
    assert [(row["line"], row["reason"].partition(":")[0]) for row in rows] == [
        ("7", "Item"),
        ("8", "Each"),
        ("9", "When"),
        ("10", "6 cells where the header has 7."),
        ("13", "No"),
        ("14", "Who"),
    ]
    orders = {order["reference"]: order for order in read(admin, "/api/v1/orders/?ordering=created_at")}
    assert list(orders) == ["1001", "1002", "C1003"]
    first = orders["1001"]
    assert first["created_at"] == "2026-03-29T00:30:00.000000Z"
    assert first["total_price"] == "93.48"
    assert [line["name"] for line in first["products"]] == ["Fanny pack", "Кофе «Эспрессо»", "Tea   towel"]
    assert (orders["1002"]["user"], orders["1002"]["total_price"]) == ("shop", "4.50")
    assert (orders["C1003"]["status"], orders["C1003"]["total_price"]) == ("cancelled", "4.50")
    assert orders["C1003"]["created_at"] == "2026-10-25T00:30:00.000000Z"
    assert orders["1001"]["source"] == "stall"
    history = read(admin, f"/api/v1/orders/{first['order_id']}/events/")
    assert [(event["event"], event["user"]) for event in history] == [("order.created", "command line")]
    log = (log_dir / "general.log").read_text()
    assert log.count('"order.created"') == 3
    events = log_dir / "events.log"
    assert not events.exists() or events.read_text() == ""

    again = run(*args)
    assert again.exit_code == 3
    assert last_line(again.stdout) == (0, 3, 4, 0, 5)


def test_a_dry_run_brings_nothing_in(run: Run, alice: Caller, tmp_path: Path) -> None:
    path = tmp_path / "shop.csv"
    path.write_text("No,Item,Each,Qty\n1,Lamp,1,1\n1,Mug,1,1\n2,,1,1\n3,Pen,1,1\n")
    result = run("orders", "import", path, *COLUMNS, "--user", "alice", "--dry-run")
    assert (result.exit_code, last_line(result.stdout)) == (3, (2, 0, 1, 3, 1))
    assert "2 to import" in result.stdout
    assert read(alice, "/api/v1/orders/") == []
    rejects = (tmp_path / "shop.csv.rejects.csv").read_text().splitlines()
    assert rejects[1].endswith(",4,Item: Must not be empty.,2,,1,1")
    assert last_line(run("orders", "import", path, *COLUMNS, "--user", "alice").stdout) == (2, 0, 1, 3, 1)
    again = run("orders", "import", path, *COLUMNS, "--user", "alice", "--dry-run")
    assert last_line(again.stdout) == (0, 2, 1, 0, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04rest", "is a ZIP file or a workbook"),
        (b"\x89PNG\r\n\0\0", "is no text"),
        (b' [\n {"products": []}]', "is a JSON array"),
        (b"x" * 2_000_000, "cannot be read: field larger than field limit"),
        ("No;Item\n".encode("utf-16"), "is no text.  If it is UTF-16"),
    ],
)
def test_what_is_no_table_is_called_by_its_name(
    run: Run, tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "shop.csv"
    path.write_bytes(content)
    result = run("orders", "import", path, *COLUMNS)
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr


def test_a_reader_sees_what_came_in_at_once(run: Run, alice: Caller, tmp_path: Path) -> None:
    path = tmp_path / "shop.csv"
    path.write_text("No,Item,Each,Qty\n1,Lamp,1,1\n")
    assert read(alice, "/api/v1/orders/") == []
    assert alice.get("/api/v1/orders/").headers["Cache-Status"] == "orders; hit"
    result = run("orders", "import", path, *COLUMNS, "--user", "alice")
    assert (result.exit_code, last_line(result.stdout)) == (0, (1, 0, 0, 1, 0))
    assert [order["reference"] for order in read(alice, "/api/v1/orders/")] == ["1"]
    assert not (tmp_path / "shop.csv.rejects.csv").exists()


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_encodings(run: Run, alice: Caller, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "shop.csv"
    path.write_bytes("No,Item,Each,Qty\r\n1,Café,1,1\r\n".encode(encoding))
    assert run("orders", "import", path, *COLUMNS, "--user", "alice", "--encoding", encoding).exit_code == 0
    assert read(alice, "/api/v1/orders/")[0]["products"][0]["name"] == "Café"


def test_standard_input(run: Run, alice: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = "No,Item,Each,Qty\n1,Lamp,1,1\n2,,1,1\n"
    result = run("orders", "import", "-", *COLUMNS, "--user", "alice", stdin=text)
    assert (result.exit_code, last_line(result.stdout)) == (3, (1, 0, 1, 1, 1))
    assert (
        Path("stdin.rejects.csv").read_text().splitlines()[1].startswith("stdin,3,Item: Must not be empty.")
    )
    line = '\n {"products": [{"name": "Mug", "price": 1, "quantity": 2}], "reference": "9"}\n'
    assert run("orders", "import", "-", "--user", "alice", stdin=line).exit_code == 0
    assert {order["reference"] for order in read(alice, "/api/v1/orders/")} == {"1", "9"}
    assert run("orders", "import", "-", stdin="").exit_code == 0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["missing.csv"], "missing.csv cannot be read: No such file or directory."),
        (["."], "Is a directory"),
        (["-", "-"], "- is given twice."),
        (["shop.csv", "./shop.csv", *COLUMNS], "./shop.csv is given twice."),
        ([], "Missing argument"),
        (["shop.csv"], "--order-column, --name-column, --price-column, --quantity-column"),
        (["shop.csv", *COLUMNS, "--created-column", "When"], "no column 'When'"),
        (["shop.csv", *COLUMNS, "--timezone", "Mars/Base"], "There is no time zone 'Mars/Base'"),
        (["shop.csv", *COLUMNS, "--timezone", "../etc"], "There is no time zone"),
        (["shop.csv", *COLUMNS, "--encoding", "klingon"], "There is no text encoding"),
        (["shop.csv", *COLUMNS, "--encoding", "base64"], "There is no text encoding"),
        (["shop.csv", *COLUMNS, "--status-prefix", "C"], "Must be one of"),
        (["shop.csv", *COLUMNS, "--status-prefix", "=pending"], "write it like C=cancelled"),
        (["shop.csv", *COLUMNS, "--status", "nope"], "nope"),
        (["shop.csv", *COLUMNS, "--user", "a:b"], "A colon is not allowed"),
        (["shop.csv", *COLUMNS, "--source", ""], "Must not be empty."),
        (["shop.csv", *COLUMNS, "--rejects", "no/such/folder.csv", "--user", "x"], "Name another place"),
        (["shop.csv", *COLUMNS, "--rejects", "shop.csv"], "is one of the files to import"),
    ],
)
def test_failures(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("shop.csv").write_text("No,Item,Each,Qty\n1,Lamp,1,1\n")
    result = run("orders", "import", *args)
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr


def test_without_an_owner_all_is_refused(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "shop.csv"
    path.write_text("No,Item,Each,Qty\n1,Lamp,1,1\n")
    result = run("orders", "import", path, *COLUMNS)
    assert (result.exit_code, last_line(result.stdout)) == (3, (0, 0, 1, 0, 1))
    assert "--user NAME" in result.stderr
    result = run("orders", "import", path, *COLUMNS, "--user", "nobody")
    assert (result.exit_code, last_line(result.stdout)) == (3, (0, 0, 1, 0, 1))
    assert "There is no user 'nobody'" in result.stderr


def test_two_days_of_a_real_shop(run: Run, admin: Caller, tmp_path: Path) -> None:
    args = [
        *("orders", "import", *shop.DAYS, *shop.OPTIONS, "--timezone", "Europe/London"),
        *("--rejects", tmp_path / "rejects.csv"),
    ]
    result = run(*args)
    assert (result.exit_code, last_line(result.stdout)) == (0, (47, 0, 0, 813, 0))
    cancelled = read(admin, "/api/v1/orders/?status=cancelled&page_size=200")
    assert {order["reference"] for order in cancelled} == {
        *("C539467", "C539476", "C539827", "C539830", "C539832", "C539838", "C539857")
    }
    (first,) = read(admin, "/api/v1/orders/?reference=539461")
    assert (first["user"], first["created_at"]) == ("17243.0", "2010-12-19T10:21:00.000000Z")
    again = run(*args)
    assert (again.exit_code, last_line(again.stdout)) == (0, (0, 47, 0, 0, 0))


@pytest.mark.parametrize("days", [2, 30])
def test_the_days_are_moved_and_otherwise_left_as_they_are(days: int) -> None:
    today = date(2026, 3, 4)
    rows = list(shop.moved_days(today, days))
    moments = [datetime.fromisoformat(row["InvoiceDate"]) for row in rows]
    assert max(moments).date() == today
    assert today - timedelta(days=30) < min(moments).date() < today
    assert all(10 <= moment.hour < 17 for moment in moments)
    (last,) = [path.read_text() for path in shop.DAYS if path.stem == "2010-12-22"]
    of_today = [row for row in rows if row["InvoiceDate"].startswith(str(today))]
    assert len(of_today) == last.count("\n") - 1
    assert all(f"{row['InvoiceNo']},{row['StockCode']}," in last for row in of_today)
    assert "pending" in {row["Status"] for row in rows if not row["InvoiceDate"].startswith(str(today))}


def test_a_shop_that_just_closed_is_found_at_any_hour() -> None:
    for hour in range(24 * 365):
        now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
        assert now.astimezone(ZoneInfo(shop.evening_zone(now))).hour >= 17


@pytest.mark.skipif(not SHOP.is_dir(), reason=f"the sample of a real shop is not there: {SHOP}")
def test_five_days_of_a_real_shop(run: Run, app: Flask, admin: Caller, tmp_path: Path) -> None:
    args = [
        *("orders", "import", *sorted(SHOP.glob("*.csv")), *shop.OPTIONS, "--timezone", "Europe/London"),
        *("--rejects", tmp_path / "rejects.csv"),
    ]
    result = run(*args)
    assert (result.exit_code, last_line(result.stdout)) == (3, (279, 0, 18, 5929, 18))
    cancelled = read(admin, "/api/v1/orders/?status=cancelled&page_size=200")
    assert len(cancelled) == 30
    assert all(order["reference"].startswith("C") for order in cancelled)
    rows = list(csv.DictReader((tmp_path / "rejects.csv").read_text("utf-8").splitlines()))
    assert [row["reason"] for row in rows] == ["Description: Must not be empty."] * 18
    # It stands in two places of its file.
    split = read(admin, "/api/v1/orders/?reference=542806")
    assert len(split) == 1
    again = run(*args)
    assert (again.exit_code, last_line(again.stdout)) == (3, (0, 279, 18, 0, 18))
