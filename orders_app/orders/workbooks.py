"""Orders as a workbook for spreadsheet programs (Office Open XML), one row a line item.

Its cells say what they are: amounts are numbers, times are times in a time zone, and a text is a text
whatever it begins with, so nothing in it is ever worked out as a formula.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import IO, Any, Final

import xlsxwriter

from orders_app.orders.records import OrderRecord
from orders_app.orders.rows import PlainLine

MOST_ROWS: Final = 250_000
"""Lines in one workbook: a file of this kind is worked out as a whole before the first byte can be sent."""
COLUMNS: Final = (
    "order_id",
    "user",
    "status",
    "total_price",
    "created_at",
    "updated_at",
    "source",
    "reference",
    "product",
    "price",
    "quantity",
    "sum",
)
_WIDTHS: Final = (38, 18, 12, 14, 19, 19, 14, 14, 40, 12, 10, 14)


class TooManyRows(Exception):
    """There are more lines than one workbook is made for."""


def write_workbook(
    file: IO[bytes],
    orders: Iterable[tuple[OrderRecord, list[PlainLine]]],
    *,
    headings: Sequence[str] = COLUMNS,
    zone: tzinfo,
) -> None:
    """Write the orders, a row at a time in memory.  Raises `TooManyRows`; the file is of no use then."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        sheet = book.add_worksheet("Orders")
        sheet.freeze_panes(1, 0)
        bold = book.add_format({"bold": True})
        amount = book.add_format({"num_format": "#,##0.00"})
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for column, (heading, width) in enumerate(zip(headings, _WIDTHS, strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, heading, bold)
        row = 0
        for order, lines in orders:
            times = [_local(value, zone) for value in (order.created_at, order.updated_at)]
            for _, name, price_cents, quantity in lines:
                row += 1
                if row > MOST_ROWS:
                    raise TooManyRows
                sheet.write_string(row, 0, str(order.order_id))
                sheet.write_string(row, 1, order.user)
                sheet.write_string(row, 2, order.status)
                sheet.write_number(row, 3, _amount(order.total_price_cents), amount)
                sheet.write_datetime(row, 4, times[0], moment)
                sheet.write_datetime(row, 5, times[1], moment)
                sheet.write_string(row, 6, order.source or "")
                sheet.write_string(row, 7, order.reference or "")
                sheet.write_string(row, 8, name)
                sheet.write_number(row, 9, _amount(price_cents), amount)
                sheet.write_number(row, 10, quantity)
                sheet.write_number(row, 11, _amount(price_cents * quantity), amount)


def _local(value: datetime, zone: tzinfo) -> datetime:
    """The time there, without its zone: a cell holds none."""
    return value.astimezone(zone).replace(tzinfo=None)


def _amount(cents: int) -> Any:
    return Decimal(cents) / 100
