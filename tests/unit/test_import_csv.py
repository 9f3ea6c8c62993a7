"""The CSV reader: headers of any shop, and rows as broken as they come."""

from __future__ import annotations

import io

import pytest

from orders_app.orders.importing.csv_rows import OWN_COLUMNS, Header, Row, read_header
from orders_app.orders.importing.options import Columns, ImportFailed

SHOP = Columns(order="No", name="Item", price="Each", quantity="Qty")


def read(text: str, columns: Columns = SHOP) -> tuple[Header, list[Row]]:
    header, rows = read_header("shop.csv", iter(io.StringIO(text, newline="")), columns)
    return header, list(rows)


def test_a_header_in_any_order_with_blanks_and_a_mark() -> None:
    header, rows = read('\ufeffItem ,"No",x, Qty,Each\nLamp,1,,2,3\n')
    assert (header.order, header.name, header.price, header.quantity) == (1, 0, 4, 3)
    assert not header.own
    assert rows == [Row(2, ["Lamp", "1", "", "2", "3"])]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_by_the_columns(delimiter: str) -> None:
    _, rows = read(delimiter.join(["No", "Item", "Each", "Qty"]) + "\n" + delimiter.join("abcd") + "\n")
    assert rows == [Row(2, ["a", "b", "c", "d"])]


def test_lines_are_counted_as_they_stand_in_the_file() -> None:
    _, rows = read('\r\nNo,Item,Each,Qty\r\n1,"two\r\nlines",1,1\r\n\r\n2,Lamp,1,1')
    assert [(row.line, row.cells[0]) for row in rows] == [(3, "1"), (6, "2")]


def test_ragged_rows_have_a_problem_and_keep_their_cells() -> None:
    _, rows = read("No,Item,Each,Qty\n1,Lamp,1\n2,Lamp,1,1,1\n3,Lamp,1,1\n")
    assert [row.problem for row in rows] == [
        "3 cells where the header has 4.",
        "5 cells where the header has 4.",
        None,
    ]
    assert rows[1].cells == ["2", "Lamp", "1", "1", "1"]


def test_a_huge_field_is_one_bad_row() -> None:
    _, rows = read(f"No,Item,Each,Qty\n1,{'x' * 1_100_000},1,1\n2,Lamp,1,1\n")
    assert rows[0].line == 2
    assert "field larger than" in str(rows[0].problem)
    assert rows[1] == Row(3, ["2", "Lamp", "1", "1"])


def test_a_quotation_mark_that_is_never_closed_swallows_no_rows() -> None:
    with pytest.raises(ImportFailed, match=r"shop.csv, line 3: .* quotation mark"):
        read('No,Item,Each,Qty\n1,Lamp,1,1\n2,"Lamp,1,1\n' + "3,Lamp,1,1\n" * 120_000)


@pytest.mark.parametrize(
    ("text", "columns", "message"),
    [
        ("", SHOP, "shop.csv is empty"),
        ("\n\r\n", SHOP, "shop.csv is empty"),
        ("No,Item,Each\n", SHOP, "no column 'Qty'.  Its columns are: No, Item, Each."),
        ("No,Item,Each,Qty,No\n", SHOP, "more than one column 'No'"),
        ("No,Item\n", Columns(order="No", name="Item"), "--price-column, --quantity-column"),
        ("No,Item\n", Columns(), "not an export of this service"),
        (
            "No,Item,Each,Qty\n",
            Columns(order="No", name="Item", price="Each", quantity="Qty", user="Who"),
            "no column 'Who'",
        ),
    ],
)
def test_columns_that_are_not_there(text: str, columns: Columns, message: str) -> None:
    with pytest.raises(ImportFailed) as caught:
        read(text, columns)
    assert message in str(caught.value)


def test_an_export_is_recognised_by_its_header() -> None:
    header, _ = read(",".join(OWN_COLUMNS) + "\n", Columns())
    assert header.own
    assert header.columns.order == "order_id"


def test_columns_that_are_named_win_over_the_header_of_an_export() -> None:
    named = Columns(order="reference", name="name", price="price", quantity="quantity")
    header, _ = read(",".join(OWN_COLUMNS) + "\n", named)
    assert not header.own
    assert header.order == OWN_COLUMNS.index("reference")
