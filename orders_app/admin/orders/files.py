"""What the files hold that the list of orders is exported to."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import IO, Final

from flask_babel import get_timezone, gettext
from werkzeug.exceptions import RequestEntityTooLarge

from orders_app.admin.frame.presentation import number
from orders_app.extensions import snapshot_connection
from orders_app.orders.exporting import PIECE, export_orders
from orders_app.orders.filters import OrderFilter
from orders_app.orders.importing.options import Format
from orders_app.orders.streaming import stream_with_plain_lines
from orders_app.orders.workbooks import COLUMNS, MOST_ROWS, TooManyRows, write_workbook

_IN_MEMORY: Final = 1024 * 1024


def text(wanted: OrderFilter, kind: str) -> Iterator[bytes]:
    """In pieces, as the database hands them over: the first comes at once, however many there are."""
    with snapshot_connection() as connection:
        yield from export_orders(stream_with_plain_lines(connection, wanted), Format(kind))


def workbook(wanted: OrderFilter) -> Iterator[bytes]:
    with ExitStack() as stack:
        file = stack.enter_context(tempfile.SpooledTemporaryFile(_IN_MEMORY))
        try:
            with (
                snapshot_connection() as connection,
                closing(stream_with_plain_lines(connection, wanted)) as orders,
            ):
                write_workbook(file, orders, headings=_headings(), zone=get_timezone())
        except TooManyRows:
            raise RequestEntityTooLarge(
                gettext(
                    "A workbook holds at most %(most)s lines. Narrow the filter, or export as CSV.",
                    most=number(MOST_ROWS),
                )
            ) from None
        file.seek(0)
        return _pieces_of(file, stack.pop_all())


def _pieces_of(file: IO[bytes], closing: ExitStack) -> Iterator[bytes]:
    with closing:
        while piece := file.read(PIECE):
            yield piece


def _headings() -> list[str]:
    words = {
        "order_id": gettext("Order"),
        "user": gettext("Owner"),
        "status": gettext("Status"),
        "total_price": gettext("Total"),
        "created_at": gettext("Created"),
        "updated_at": gettext("Changed"),
        "source": gettext("Source"),
        "reference": gettext("Reference"),
        "product": gettext("Product"),
        "price": gettext("Price"),
        "quantity": gettext("Quantity"),
        "sum": gettext("Sum"),
    }
    return [words[name] for name in COLUMNS]
