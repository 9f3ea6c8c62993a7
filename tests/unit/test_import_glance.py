"""What is recognised of a file before anybody has said anything about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from orders_app.orders.importing.csv_rows import OWN_COLUMNS
from orders_app.orders.importing.glance import Glance, is_utf_16, likely_columns, look_at
from orders_app.orders.importing.input_files import InputFile
from orders_app.orders.importing.options import Columns, Format, ImportFailed, ImportOptions, WrongEncoding


def glance(folder: Path, content: bytes, name: str = "shop.csv", encoding: str = "utf-8-sig") -> Glance:
    path = folder / "content"
    path.write_bytes(content)
    return look_at(InputFile(str(path), label=name), ImportOptions(encoding=encoding), rows=2)


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_sign_between_cells(tmp_path: Path, sign: str) -> None:
    rows = (["No", "What", "How many"], ["1", "a", "2"], ["2", "b", "3"], ["3", "c", "4"])
    seen = glance(tmp_path, "\n".join(sign.join(row) for row in rows).encode())
    assert (seen.format, seen.delimiter, seen.columns) == (Format.CSV, sign, ("No", "What", "How many"))
    assert seen.rows == (["1", "a", "2"], ["2", "b", "3"])
    assert not seen.is_own


def test_an_export_of_ours(tmp_path: Path) -> None:
    assert glance(tmp_path, f"{','.join(OWN_COLUMNS)}\n".encode()).is_own


@pytest.mark.parametrize("name", ["orders.jsonl", "orders"])
def test_json_lines_by_the_name_or_the_first_character(tmp_path: Path, name: str) -> None:
    assert glance(tmp_path, b' {"products": []}\n', name).format is Format.JSONL


def test_a_mark_tells_utf_16(tmp_path: Path) -> None:
    path = tmp_path / "content"
    path.write_bytes("No\n1\n".encode("utf-16"))
    assert is_utf_16(path)
    assert glance(tmp_path, path.read_bytes(), encoding="utf-16").columns == ("No",)
    path.write_bytes(b"No\n1\n")
    assert not is_utf_16(path)


def test_what_is_in_another_encoding_says_so(tmp_path: Path) -> None:
    with pytest.raises(WrongEncoding, match=r"shop\.csv is not utf-8"):
        glance(tmp_path, "Größe\n1\n".encode("cp1252"))
    assert glance(tmp_path, "Größe\n1\n".encode("cp1252"), encoding="cp1252").columns == ("Größe",)


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_nothing_is_nothing(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ImportFailed, match=r"shop\.csv is empty"):
        glance(tmp_path, content)


@pytest.mark.parametrize(
    ("names", "columns"),
    [
        (
            ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"),
            Columns(
                order="InvoiceNo",
                name="Description",
                price="UnitPrice",
                quantity="Quantity",
                created="InvoiceDate",
            ),
        ),
        (
            ("Номер заказа", "Товар", "Цена", "Кол-во", "Дата"),
            Columns(order="Номер заказа", name="Товар", price="Цена", quantity="Кол-во", created="Дата"),
        ),
        (
            ("order_id", "order", "qty", "Lineitem name"),
            Columns(order="order_id", name="Lineitem name", quantity="qty"),
        ),
        (("a", "", "total"), Columns()),
    ],
)
def test_names_that_say_plainly_what_they_hold(names: tuple[str, ...], columns: Columns) -> None:
    assert likely_columns(names) == columns
