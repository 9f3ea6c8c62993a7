"""Writing orders out, in the two shapes that `importing` reads.

JSON Lines hold everything.  CSV, one row a line item, is for spreadsheets: an import sums the lines of
a CSV, so a total that was given apart from them comes back only through JSON Lines.  Texts that a
spreadsheet would take for formulas get an apostrophe before them, which an import takes off again.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Final

import orjson

from orders_app.orders.importing.csv_rows import OWN_COLUMNS, harmless
from orders_app.orders.importing.options import Format
from orders_app.orders.records import OrderRecord
from orders_app.shared.clock import rfc3339
from orders_app.shared.identity import Role
from orders_app.shared.money import cents_text

PIECE: Final = 64 * 1024


def export_orders(orders: Iterable[OrderRecord], kind: Format) -> Iterator[bytes]:
    """The orders in pieces of UTF-8, of some dozens of kilobytes each; a CSV begins with its header."""
    return _csv(orders) if kind is Format.CSV else _json_lines(orders)


def _json_lines(orders: Iterable[OrderRecord]) -> Iterator[bytes]:
    piece = bytearray()
    for order in orders:
        piece += orjson.dumps(order.as_json(Role.ADMIN), option=orjson.OPT_APPEND_NEWLINE)
        if len(piece) >= PIECE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


def _csv(orders: Iterable[OrderRecord]) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(OWN_COLUMNS)
    for order in orders:
        heading = (
            order.order_id,
            harmless(order.user),
            order.status,
            cents_text(order.total_price_cents),
            "true" if order.is_deleted else "false",
            rfc3339(order.created_at),
            rfc3339(order.updated_at),
            order.version,
            harmless(order.source or ""),
            harmless(order.reference or ""),
        )
        writer.writerows(
            (*heading, line.product_id, harmless(line.name), cents_text(line.price_cents), line.quantity)
            for line in order.lines
        )
        if buffer.tell() >= PIECE:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    data = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return data
