"""The orders of the list as a file: all that the filter lets through, not only the page."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import datetime
from typing import IO

from flask import Response, current_app, request, stream_with_context
from flask_admin import expose
from flask_babel import get_timezone, gettext
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from orders_app.admin.frame.presentation import number
from orders_app.admin.frame.views import PanelModelView
from orders_app.admin.orders.filters import wanted_orders
from orders_app.extensions import read_connection, snapshot_connection
from orders_app.orders.exporting import PIECE, export_orders
from orders_app.orders.filters import OrderFilter
from orders_app.orders.importing.options import Format
from orders_app.orders.searching import looked_up
from orders_app.orders.streaming import stream_with_plain_lines
from orders_app.orders.workbooks import COLUMNS, MOST_ROWS, TooManyRows, write_workbook

WORKBOOK = "xlsx"
KINDS = {
    Format.CSV.value: "text/csv; charset=utf-8",
    Format.JSONL.value: "application/x-ndjson",
    WORKBOOK: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_IN_MEMORY = 1024 * 1024


class Export(PanelModelView):
    """What the list of orders needs for it."""

    @expose("/export/")
    def export_view(self) -> Response:
        kind = request.args.get("format", "")
        if kind not in KINDS:
            raise BadRequest(gettext("Orders are exported as csv, jsonl or xlsx."))
        wanted, errors = wanted_orders(request.args)
        if errors:
            raise BadRequest(gettext("The filter cannot be read. Go back and correct it first."))
        with read_connection() as connection:
            wanted = looked_up(connection, wanted)
        pieces = _workbook(wanted) if kind == WORKBOOK else stream_with_context(_text(wanted, Format(kind)))
        response = current_app.response_class(pieces, content_type=KINDS[kind])
        name = f"orders-{datetime.now(get_timezone()):%Y-%m-%d-%H%M}.{kind}"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        response.headers["Cache-Control"] = "no-store"
        return response


def _text(wanted: OrderFilter, kind: Format) -> Iterator[bytes]:
    """In pieces, as the database hands them over: the first comes at once, however many there are."""
    with snapshot_connection() as connection:
        yield from export_orders(stream_with_plain_lines(connection, wanted), kind)


def _workbook(wanted: OrderFilter) -> Iterator[bytes]:
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
