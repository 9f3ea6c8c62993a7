"""AD: what leaves for a spreadsheet, and how much memory that takes."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from config import ROOT
from orders_app.extensions import db
from orders_app.orders.importing.csv_rows import as_written, harmless
from tests import factories
from tests.callers import USERS, Caller
from tests.cli.conftest import Run
from tests.conftest import Backend

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|'/c calc'!A0", "＝1+1", "＋1", "－1", "＠x"]
BEHIND_APOSTROPHES = ["'=1+1", "''=1+1", "'-", "''''@"]
HARMLESS = ["affe", "'tis", "'", "''", "1-1", "a=b", '"=1"', "’=1", "#=1", "1+1", "привет", ","]
ORDERS_AT_ONCE = 1_000
LINES_EACH = 100
MEGABYTE = 1024
MOST_GROWTH = 24 * MEGABYTE
"""In kilobytes, as the system counts memory.  All rows at once would take hundreds of megabytes."""


@pytest.mark.parametrize("written", ["\t=1", "\tx", "\r", "\n=1", *FORMULAS, *BEHIND_APOSTROPHES])
def test_ad04_a_formula_gets_an_apostrophe_that_comes_off_again(written: str) -> None:
    assert harmless(written) == f"'{written}"
    assert as_written(harmless(written)) == written


@pytest.mark.parametrize("written", ["", *HARMLESS])
def test_ad04_other_text_is_left_alone(written: str) -> None:
    assert harmless(written) == as_written(written) == written


@pytest.fixture
def run(app: Flask) -> Run:
    """As `tests/cli` has it."""

    def invoke(*args: object, stdin: str | bytes | None = None) -> Any:
        result = app.test_cli_runner().invoke(args=[str(arg) for arg in args], input=stdin)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return invoke


class TestSpreadsheets:
    NAMES = (*FORMULAS, *BEHIND_APOSTROPHES, *HARMLESS)

    @pytest.fixture
    def exported(self, run: Run, admin: Caller, tmp_path: Path) -> Path:
        """An export of an order with a line of each name, of a user who is a formula too."""
        assert admin.post(USERS, {"username": "=1+1"}).status_code == 201
        lines = [factories.line(name=name, price="1", quantity=1) for name in self.NAMES]
        order = {"products": lines, "user": "=1+1", "source": "@shop", "reference": "-1"}
        source = tmp_path / "orders.jsonl"
        source.write_text(json.dumps(order))
        assert run("orders", "import", source).exit_code == 0
        path = tmp_path / "orders.csv"
        assert run("orders", "export", "--output", path).exit_code == 0
        return path

    def test_ad04_no_cell_of_a_csv_begins_like_a_formula(self, exported: Path) -> None:
        with exported.open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        assert len(rows) == len(self.NAMES) + 1
        assert not [cell for row in rows for cell in row if cell[:1] in "=+-@\t\r＝＋－＠" and cell]
        columns = dict(zip(rows[0], rows[1], strict=True))
        assert [columns[name] for name in ("user", "source", "reference", "name")] == [
            "'=1+1",
            "'@shop",
            "'-1",
            "'=1+1",
        ]

    def test_ad04_what_is_read_back_is_what_was_there(
        self, run: Run, admin: Caller, exported: Path, tmp_path: Path
    ) -> None:
        known = run("orders", "import", exported)
        assert known.stdout.startswith("orders: 0 imported, 1 known, 0 refused;")
        copied = run("orders", "import", exported, "--source", "copy")
        assert copied.exit_code == 0, copied.output
        copy, original = admin.orders()
        assert (copy["source"], copy["reference"], copy["user"]) == ("copy", "-1", "=1+1")
        for order in (copy, original):
            assert [line["name"] for line in order["products"]] == list(self.NAMES)

    def test_ad04_what_was_refused_can_be_mended_and_read_again(
        self, run: Run, admin: Caller, exported: Path, tmp_path: Path
    ) -> None:
        broken = tmp_path / "broken.csv"
        broken.write_text(exported.read_text().replace(",1.00,1\n", ",many,1\n"))
        assert run("orders", "import", broken, "--source", "copy").exit_code == 3
        rejects = Path(f"{broken}.rejects.csv")
        mended = tmp_path / "mended.csv"
        mended.write_text(rejects.read_text().replace(",many,1\n", ",1.00,1\n"))
        assert run("orders", "import", mended, "--source", "copy").exit_code == 0
        copy, original = admin.orders()
        assert [line["name"] for line in copy["products"]] == [line["name"] for line in original["products"]]

    def test_ad04_in_the_csv_of_another_shop_an_apostrophe_is_text(
        self, run: Run, admin: Caller, tmp_path: Path
    ) -> None:
        path = tmp_path / "shop.csv"
        path.write_text("No,Item,Each,Qty\n1,'=1+1,1,1\n")
        columns = ["--order-column", "No", "--name-column", "Item", "--price-column", "Each"]
        done = run("orders", "import", path, *columns, "--quantity-column", "Qty", "--user", "alice")
        assert done.exit_code == 0, done.output
        assert admin.orders()[0]["products"][0]["name"] == "'=1+1"


FILL = {
    "sqlite": (
        """
        INSERT INTO orders
            (id, user_id, status, total_price_cents, is_deleted, created_at, updated_at, version)
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :orders)
        SELECT printf('%032x', i), o.user_id, o.status, 1, o.is_deleted, o.created_at, o.updated_at, 1
        FROM n, orders o
        """,
        """
        INSERT INTO order_lines (id, order_id, position, name, name_folded, price_cents, quantity)
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :lines)
        SELECT lower(hex(randomblob(16))), o.id, i, 'a product of the usual kind', 'a', 1, 1 FROM orders o, n
        WHERE o.total_price_cents = 1
        """,
    ),
    "postgresql": (
        """
        INSERT INTO orders
            (id, user_id, status, total_price_cents, is_deleted, created_at, updated_at, version)
        SELECT gen_random_uuid(), o.user_id, o.status, 1, o.is_deleted, o.created_at, o.updated_at, 1
        FROM generate_series(1, :orders), orders o
        """,
        """
        INSERT INTO order_lines (id, order_id, position, name, name_folded, price_cents, quantity)
        SELECT gen_random_uuid(), o.id, i, 'a product of the usual kind', 'a', 1, 1
        FROM orders o, generate_series(1, :lines) i WHERE o.total_price_cents = 1
        """,
    ),
}


class TestManyRows:
    @pytest.fixture
    def environment(self, app: Flask, backend: Backend) -> dict[str, str]:
        """The settings of this back end, for a process of its own."""
        config = backend.config
        return {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": config.database_url,
            "REDIS_URL": config.redis_url,
            "CACHE_DIR": str(config.cache_dir),
            "LOG_DIR": str(config.log_dir),
            "SECRET_KEY": config.secret_key,
            "JWT_SECRET_KEY": config.jwt_secret_key,
        }

    def export(self, environment: dict[str, str]) -> tuple[int, int, int]:
        """Rows, bytes, and the most memory that the process took, in kilobytes; read as it is written."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "orders", "export"]
        with subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            assert process.stdout is not None
            size = rows = 0
            for line in process.stdout:
                size += len(line)
                rows += 1
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        return rows, size, used.ru_maxrss

    def test_ad17_an_export_of_100000_rows_takes_no_more_memory_than_one_of_one(
        self, app: Flask, environment: dict[str, str], alice: Caller
    ) -> None:
        alice.order()
        rows, _, small = self.export(environment)
        assert rows == 2
        with app.app_context():
            orders, lines = FILL[db.engine.dialect.name]
            with db.engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    connection.execute(text("SET LOCAL statement_timeout = 0"))
                connection.execute(text(orders), {"orders": ORDERS_AT_ONCE})
                connection.execute(text(lines), {"lines": LINES_EACH})
        rows, size, memory = self.export(environment)
        assert rows == ORDERS_AT_ONCE * LINES_EACH + 2
        assert size > 15_000_000
        assert memory - small < MOST_GROWTH
