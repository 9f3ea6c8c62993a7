"""CSV, one row a line item: which column is what, and the rows with the lines they stand on."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

from orders_app.orders.importing.options import Columns, ImportFailed

OWN_COLUMNS = (
    "order_id",
    "user",
    "status",
    "total_price",
    "is_deleted",
    "created_at",
    "updated_at",
    "version",
    "source",
    "reference",
    "product_id",
    "name",
    "price",
    "quantity",
)
"""The header of an export, by which it is recognised."""

OWN_TEXTS = ("user", "source", "reference", "name")
"""The columns of an export that hold what people wrote."""

LONGEST_FIELD = 1024 * 1024
_DELIMITERS = (",", ";", "\t", "|")
_REQUIRED = ("order", "name", "price", "quantity")
_OWN = Columns(
    order="order_id",
    name="name",
    price="price",
    quantity="quantity",
    created="created_at",
    user="user",
    status="status",
)


# What spreadsheets take for the beginning of a formula, the full-width signs of East Asian ones included,
# behind any number of apostrophes: so that taking one off always undoes putting one before it.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def harmless(text: str) -> str:
    """The text as an export writes it: with an apostrophe before what a spreadsheet would work out."""
    return f"'{text}" if _FORMULA.match(text) else text


def as_written(text: str) -> str:
    """What `harmless` was given, from what it made of it; other texts stay as they are."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Where in a row things stand; `own` for the header of an export of this service."""

    names: tuple[str, ...]
    columns: Columns
    order: int
    name: int
    price: int
    quantity: int
    created: int | None = None
    user: int | None = None
    status: int | None = None
    own: bool = False

    def position(self, name: str) -> int:
        """Where the column of this name stands."""
        return self.names.index(name)


class Row(NamedTuple):
    """One record and the line that it begins on; `problem` says why its cells cannot be used."""

    line: int
    cells: list[str]
    problem: str | None = None


class Beginning(NamedTuple):
    """The names of the columns, the sign between cells, and the rows to come."""

    names: tuple[str, ...]
    delimiter: str
    rows: Iterator[Row]

    @property
    def is_own(self) -> bool:
        """Whether it is that of an export of this service."""
        return set(OWN_COLUMNS) <= set(self.names)


def read_header(file_name: str, lines: Iterator[str], wanted: Columns) -> tuple[Header, Iterator[Row]]:
    """The header and, after it, the rows.  Raises `ImportFailed` where the columns are not there."""
    beginning = read_names(file_name, lines, wanted)
    return _header(file_name, beginning, wanted), beginning.rows


def read_names(file_name: str, lines: Iterator[str], wanted: Columns) -> Beginning:
    """What the first line says.  Raises `ImportFailed` where there is none."""
    csv.field_size_limit(LONGEST_FIELD)
    number = 0
    for first in lines:
        number += 1
        first = first.removeprefix("\ufeff")  # noqa: PLW2901  (a mark that the encoding did not take off)
        if first.strip():
            break
    else:
        raise ImportFailed(f"{file_name} is empty: there is no header line.")
    try:
        delimiter = _delimiter(first, wanted)
    except csv.Error as error:
        raise ImportFailed(f"The header of {file_name} cannot be read: {error}.") from error
    reader = csv.reader(chain([first], lines), delimiter=delimiter)
    names = tuple(cell.strip() for cell in next(_rows(file_name, reader, None, number - 1)).cells)
    return Beginning(names, delimiter, _rows(file_name, reader, len(names), number - 1))


def _delimiter(first: str, wanted: Columns) -> str:
    """The sign under which the header has the columns that are wanted, else the one that gives most."""
    needed = {getattr(wanted, field) for field in _REQUIRED} if wanted.are_given else set(OWN_COLUMNS)
    most, best = 1, ","
    for delimiter in _DELIMITERS:
        cells = next(csv.reader([first], delimiter=delimiter))
        if needed <= {cell.strip() for cell in cells}:
            return delimiter
        if len(cells) > most:
            most, best = len(cells), delimiter
    return best


def _header(file_name: str, beginning: Beginning, wanted: Columns) -> Header:
    names = beginning.names
    own = not wanted.are_given and beginning.is_own
    columns = _OWN if own else wanted
    missing = [f"--{field}-column" for field in _REQUIRED if getattr(columns, field) is None]
    there = ", ".join(names)
    if missing:
        raise ImportFailed(
            f"{file_name} is not an export of this service, so say which column is what: "
            f"{', '.join(missing)}.  Its columns are: {there}."
        )
    places: dict[str, int] = {}
    for field in (*_REQUIRED, "created", "user", "status"):
        name = getattr(columns, field)
        if name is None:
            continue
        if name not in names:
            raise ImportFailed(f"{file_name} has no column {name!r}.  Its columns are: {there}.")
        if names.count(name) > 1:
            raise ImportFailed(f"{file_name} has more than one column {name!r}; rename all but one.")
        places[field] = names.index(name)
    return Header(names=names, columns=columns, own=own, **places)


def _rows(file_name: str, reader: Any, width: int | None, lines_before: int) -> Iterator[Row]:
    while True:
        line = lines_before + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if lines_before + reader.line_num > line:
                raise ImportFailed(
                    f"{file_name}, line {line}: {error}.  Is a quotation mark not closed?"
                ) from error
            yield Row(line, [], f"The row cannot be read: {error}.")
            continue
        if len(cells) == width or width is None:
            yield Row(line, cells)
        elif cells:
            yield Row(line, cells, f"{len(cells)} cells where the header has {width}.")
