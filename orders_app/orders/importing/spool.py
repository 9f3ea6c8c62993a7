"""Rows on their way: an SQLite file, so that memory does not grow with them.

The rows of an order may stand anywhere in the input.  They are put down here as they come and taken
up again order by order.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import orjson

_BUFFERED = 1000
_READING = ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE", "cache_size=-16000")
_KEEPING = ("journal_mode=DELETE", "cache_size=-4000")
_SCHEMA = """
CREATE TABLE rows (
    seq INTEGER PRIMARY KEY, order_no INTEGER, file INTEGER NOT NULL, line INTEGER NOT NULL,
    reason TEXT, weight INTEGER NOT NULL, name TEXT, price_cents INTEGER, quantity INTEGER, cells BLOB
);
CREATE TABLE known (order_no INTEGER PRIMARY KEY);
CREATE TABLE products (order_no INTEGER, product_id TEXT, PRIMARY KEY (order_no, product_id)) WITHOUT ROWID;
CREATE VIEW refused AS SELECT * FROM rows
    WHERE reason IS NOT NULL AND (order_no IS NULL OR order_no NOT IN (SELECT order_no FROM known));
"""


class SpooledLine(NamedTuple):
    """A line that the rules accepted."""

    name: str
    price_cents: int
    quantity: int


class Refused(NamedTuple):
    """A record that was refused; `cells` as they stood in the file numbered `file`."""

    file: int
    line: int
    reason: str
    cells: list[str]


class Spool:
    """Use it as a context manager: its file goes away at the end, unless it was given a place to stay."""

    def __init__(self, path: Path | None = None, *, is_read: bool = False) -> None:
        """`is_read` is one that stayed, with all that was put down."""
        self._folder = Path(tempfile.mkdtemp(prefix="orders-import-")) if path is None else None
        place = path if path is not None else Path(self._folder or "", "rows.db")
        # One that is to be there already is not made anew where somebody has removed it.
        address = f"{place.resolve().as_uri()}?mode={'rw' if is_read else 'rwc'}"
        self.connection = sqlite3.connect(address, uri=True, isolation_level=None)
        # What a crash leaves half-read is of no use to anybody; what is noted after that has to survive one.
        for pragma in _KEEPING if is_read else _READING:
            self.connection.execute(f"PRAGMA {pragma}").close()
        if not is_read:
            self.connection.executescript(_SCHEMA)
        self._buffer: list[tuple[object, ...]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def accept(
        self, order_no: int, place: tuple[int, int], line: SpooledLine, cells: list[str] | None
    ) -> None:
        """Put down a good line.  `place` is the number of the file and the line in it."""
        packed = None if cells is None else orjson.dumps(cells)
        self._add((order_no, *place, None, 1, *line, packed))

    def refuse(
        self, order_no: int | None, place: tuple[int, int], reason: str, cells: list[str], weight: int = 1
    ) -> None:
        """Put down a record that was refused, and of how many lines it would have been."""
        self._add((order_no, *place, reason, weight, None, None, None, orjson.dumps(cells)))

    def _add(self, row: tuple[object, ...]) -> None:
        self._buffer.append(row)
        if len(self._buffer) >= _BUFFERED:
            self._flush()

    def _flush(self) -> None:
        self.connection.execute("BEGIN").close()
        self.connection.executemany(
            "INSERT INTO rows (order_no, file, line, reason, weight, name, price_cents, quantity, cells)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            self._buffer,
        ).close()
        self.connection.execute("COMMIT").close()
        self._buffer.clear()

    def is_new(self, order_no: int, product_id: str) -> bool:
        """Whether this line of an export is met for the first time."""
        cursor = self.connection.execute(
            "INSERT OR IGNORE INTO products VALUES (?, ?)", (order_no, product_id)
        )
        return cursor.rowcount == 1

    def finish_reading(self) -> None:
        """Call it once, after the last row."""
        self._flush()
        self.connection.execute("CREATE INDEX rows_by_order ON rows (order_no, seq)").close()

    def leave_alone(self, order_nos: Iterable[int]) -> None:
        """The rows of these orders count nowhere."""
        self.connection.execute("BEGIN").close()
        self.connection.executemany(
            "INSERT OR IGNORE INTO known VALUES (?)", ((number,) for number in order_nos)
        ).close()
        self.connection.execute("COMMIT").close()

    def refuse_order(self, order_no: int, reason: str) -> None:
        """Refuse all rows of an order that are not refused already."""
        self.connection.execute(
            "UPDATE rows SET reason = ? WHERE order_no = ? AND reason IS NULL", (reason, order_no)
        ).close()

    def lines_between(self, first: int, last: int) -> Iterator[tuple[int, list[SpooledLine]]]:
        """The good lines of orders that are to come in, as they came, by the numbers of the orders."""
        rows = self.connection.execute(
            "SELECT order_no, name, price_cents, quantity FROM rows"
            " WHERE order_no BETWEEN ? AND ? AND reason IS NULL"
            " AND order_no NOT IN (SELECT order_no FROM known) ORDER BY order_no, seq",
            (first, last),
        )
        for order_no, group in groupby(rows, key=itemgetter(0)):
            yield order_no, [SpooledLine(*row[1:]) for row in group]

    def count_refused(self) -> int:
        """How many lines were refused, those of known orders aside."""
        return int(self.connection.execute("SELECT coalesce(sum(weight), 0) FROM refused").fetchone()[0])

    def reasons(self) -> dict[str, int]:
        """How many lines were refused for which reason."""
        return dict(self.connection.execute("SELECT reason, sum(weight) FROM refused GROUP BY reason"))

    def refused(self) -> Iterator[Refused]:
        """The records that were refused, in the order of the input."""
        rows = self.connection.execute(
            "SELECT file, line, reason, cells FROM refused WHERE cells IS NOT NULL ORDER BY seq"
        )
        for file, line, reason, cells in rows:
            yield Refused(file, line, reason, orjson.loads(cells))
