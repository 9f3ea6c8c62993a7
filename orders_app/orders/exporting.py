"""Writing orders out, in the two shapes that `importing` reads.

JSON Lines hold everything.  CSV, one row a line item, is for spreadsheets: an import sums the lines of
a CSV, so a total that was given apart from them comes back only through JSON Lines.  Texts that a
spreadsheet would take for formulas get an apostrophe before them, which an import takes off again.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

import orjson

from orders_app.orders.importing.csv_rows import OWN_COLUMNS, harmless
from orders_app.orders.importing.options import Format
from orders_app.orders.records import OrderRecord, line_json
from orders_app.orders.rows import PlainLine
from orders_app.shared.clock import rfc3339
from orders_app.shared.identity import Role
from orders_app.shared.money import cents_text

PIECE: Final = 64 * 1024
# Nothing in it that CSV would quote or a spreadsheet work out: references, which are all different.
_PLAIN: Final = re.compile(r"(?:[0-9A-Za-z][0-9A-Za-z _.:/#-]*)?", re.ASCII)


def export_orders(orders: Iterable[tuple[OrderRecord, list[PlainLine]]], kind: Format) -> Iterator[bytes]:
    """The orders in pieces of UTF-8, of some dozens of kilobytes each; a CSV begins with its header."""
    return _in_pieces(_csv(orders) if kind is Format.CSV else _json_lines(orders))


def _in_pieces(written: Iterable[bytes]) -> Iterator[bytes]:
    piece = bytearray()
    for some in written:
        piece += some
        if len(piece) >= PIECE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


def _json_lines(orders: Iterable[tuple[OrderRecord, list[PlainLine]]]) -> Iterator[bytes]:
    for order, lines in orders:
        said = order.as_json(Role.ADMIN, [line_json(*line) for line in lines])
        yield orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE)


def _csv(orders: Iterable[tuple[OrderRecord, list[PlainLine]]]) -> Iterator[bytes]:
    yield f"{','.join(OWN_COLUMNS)}\n".encode()
    for order, lines in orders:
        heading = (
            str(order.order_id),
            _cell(order.user),
            order.status,
            cents_text(order.total_price_cents),
            "true" if order.is_deleted else "false",
            rfc3339(order.created_at),
            rfc3339(order.updated_at),
            str(order.version),
            _cell(order.source or ""),
            _cell(order.reference or ""),
        )
        before = ",".join(heading)
        yield "".join(
            [
                f"{before},{product_id},{_quoted(name)},{cents_text(price_cents)},{quantity}\n"
                for product_id, name, price_cents, quantity in lines
            ]
        ).encode()


def _cell(text: str) -> str:
    """A text between two commas."""
    return text if _PLAIN.fullmatch(text) else _quoted(text)


@lru_cache(maxsize=8192)
def _quoted(text: str) -> str:
    """The same as the library writes it.  Shops sell the same things again and again."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(("", harmless(text), ""))
    return buffer.getvalue()[1:-2]
