"""The list as a file: all that its filter lets through, in three kinds."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import datetime
from xml.etree import ElementTree as ET

import pytest
from flask import Flask

from orders_app.admin.orders import files
from orders_app.extensions import unit_of_work
from orders_app.orders import services, workbooks
from tests import factories
from tests.admin.visitor import Visitor, made_order
from tests.callers import ORDERS, Caller

PATH = "/admin/orders/export/"
_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def cells(workbook: bytes) -> list[list[tuple[str, str]]]:
    """The kind and the text of each cell, a row after the other."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        sheet = ET.fromstring(archive.read("xl/worksheets/sheet1.xml"))  # noqa: S314  (our own)
    return [
        [(cell.get("t", "n"), "".join(cell.itertext())) for cell in row.iter(f"{_SHEET}c")]
        for row in sheet.iter(f"{_SHEET}row")
    ]


def test_a_file_holds_what_the_filter_lets_through(panel: Visitor, admin: Caller, alice: Caller) -> None:
    made = alice.order(products=[{"name": "Kettle", "price": "2.50", "quantity": 4}])
    made_order(admin, user="bob")
    answer = panel.get(PATH, query_string={"format": "csv", "user": "alice"})
    assert answer.status_code == 200
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="orders-')
    assert answer.headers["Cache-Control"] == "no-store"
    [row] = csv.DictReader(io.StringIO(answer.text))
    assert (row["order_id"], row["name"], row["quantity"]) == (made["order_id"], "Kettle", "4")
    whole = panel.get(PATH, query_string={"format": "jsonl"})
    assert [json.loads(line)["user"] for line in whole.text.splitlines()] == ["alice", "bob"]
    product = panel.get(PATH, query_string={"format": "jsonl", "product": "KETT"})
    assert [json.loads(line)["order_id"] for line in product.text.splitlines()] == [made["order_id"]]


def test_a_workbook_says_what_its_cells_are(panel: Visitor, alice: Caller) -> None:
    formula = "=HYPERLINK(1)"
    alice.order(products=[{"name": formula, "price": "2.50", "quantity": 4}])
    answer = panel.get(PATH, query_string={"format": "xlsx"})
    assert answer.headers["Content-Disposition"].endswith('.xlsx"')
    heading, row = cells(answer.data)
    assert heading[0][1] == "Order"
    assert row[1] == ("inlineStr", "alice")
    assert row[8] == ("inlineStr", formula)
    assert [float(text) for kind, text in (row[3], *row[9:]) if kind == "n"] == [10.0, 2.5, 4.0, 10.0]
    assert row[4][0] == "n"


def test_days_are_those_of_the_person(app: Flask, panel: Visitor) -> None:
    """An order of half past ten in the evening, in UTC, is one of the next day in Moscow."""
    evening = datetime.fromisoformat("2026-11-23T22:30:00+00:00")
    with app.app_context(), unit_of_work() as uow:
        new = factories.new_order(created_at=evening)
        order = services.create_order(uow, actor=factories.actor("alice"), new=new)
    asked = {"format": "jsonl", "created_after": "2026-11-24"}
    assert panel.get(PATH, query_string=asked).text == ""
    panel.client.set_cookie("orders_time_zone", "Europe/Moscow", path="/admin")
    assert json.loads(panel.get(PATH, query_string=asked).text)["order_id"] == str(order.order_id)


@pytest.mark.parametrize(
    "query",
    [{}, {"format": "exe"}, {"format": "csv", "min_price": "much"}, {"format": "xlsx", "status": "x"}],
)
def test_what_cannot_be_read_exports_nothing(panel: Visitor, query: dict[str, str]) -> None:
    answer = panel.get(PATH, query_string=query)
    assert (answer.status_code, answer.mimetype) == (400, "text/html")


def test_a_workbook_has_an_end(panel: Visitor, alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MOST_ROWS", 1)
    monkeypatch.setattr(files, "MOST_ROWS", 1)
    alice.order()
    assert panel.get(PATH, query_string={"format": "xlsx"}).status_code == 200
    alice.order()
    answer = panel.get(PATH, query_string={"format": "xlsx"})
    assert answer.status_code == 413
    assert "A workbook holds at most 1 lines." in answer.text
    assert panel.get(PATH, query_string={"format": "csv"}).text.count("\n") == 3
    assert len(alice.get(ORDERS).get_json()) == 2


def test_several_statuses_stay_in_the_links(panel: Visitor, admin: Caller) -> None:
    for status in ("pending", "confirmed", "cancelled"):
        made_order(admin, status=status)
    page = panel.get("/admin/orders/?status=pending&status=confirmed&page_size=20").text
    assert page.count('data-status="') == 2
    assert "status=pending,confirmed" in page or "status=pending%2Cconfirmed" in page
    assert panel.get("/admin/orders/?status=pending,confirmed").text.count('data-status="') == 2
