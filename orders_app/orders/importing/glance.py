"""What a file is, from its beginning: for a person who is to say which column is what."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from itertools import islice
from pathlib import Path
from typing import Final

from orders_app.orders.importing.csv_rows import read_names
from orders_app.orders.importing.input_files import InputFile
from orders_app.orders.importing.options import Columns, Format, ImportFailed, ImportOptions

MOST_COLUMNS: Final = 300
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_USUAL: Final = {
    "order": "order|order id|order no|order number|invoice|invoice no|invoice number|reference"
    "|заказ|номер|номер заказа|id заказа|счёт|счет",
    "name": "name|product|product name|item|item name|description|title|lineitem name"
    "|товар|название|наименование|название товара|наименование товара",
    "price": "price|unit price|each|item price|lineitem price|цена|цена за единицу|цена за штуку",
    "quantity": "quantity|qty|count|amount|lineitem quantity|количество|кол во|кол-во",
    "created": "created|created at|date|order date|invoice date|when|дата|дата заказа|создан",
    "user": "user|username|owner|владелец|пользователь",
    "status": "status|order status|статус",
}
"""Names that shops give to their columns, by what they hold; in small letters, words apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What was recognised; of JSON Lines there are no columns."""

    format: Format
    encoding: str
    delimiter: str | None = None
    is_own: bool = False
    columns: tuple[str, ...] = ()
    rows: tuple[list[str], ...] = ()


def look_at(file: InputFile, options: ImportOptions, *, rows: int) -> Glance:
    """Read the header and so many rows.  Raises `ImportFailed` where there is nothing to be read."""
    options = replace(options, columns=Columns())
    with file.lines(options, lambda _count: None) as (kind, lines):
        if kind is Format.JSONL:
            if not any(line.strip() for line in lines):
                raise ImportFailed(f"{file.name} is empty.")
            return Glance(format=kind, encoding=options.encoding)
        names, delimiter, found = beginning = read_names(file.name, lines, options.columns)
        if len(names) > MOST_COLUMNS:
            raise ImportFailed(
                f"{file.name} has {len(names)} columns; more than {MOST_COLUMNS} are no table."
            )
        return Glance(
            format=kind,
            encoding=options.encoding,
            delimiter=delimiter,
            is_own=beginning.is_own,
            columns=names,
            rows=tuple(row.cells for row in islice(found, rows)),
        )


def is_utf_16(path: Path) -> bool:
    """Whether the file begins with the mark of UTF-16."""
    with path.open("rb") as file:
        return file.read(2) in _UTF_16


def likely_columns(names: Iterable[str]) -> Columns:
    """Which column is what, where its name says so plainly; the first of several."""
    usual = {word: field for field, words in _USUAL.items() for word in words.split("|")}
    found: dict[str, str] = {}
    for name in names:
        field = usual.get(_plain(name))
        if field is not None:
            found.setdefault(field, name)
    return Columns(**found)


def field_names() -> tuple[str, ...]:
    """What a column can be."""
    return tuple(item.name for item in fields(Columns))


def _plain(name: str) -> str:
    """`InvoiceNo`, `invoice_no` and `Invoice No.` are one name."""
    apart = "".join(
        f" {sign}" if sign.isupper() and before.islower() else sign
        for before, sign in zip(" " + name, name, strict=False)
    )
    return " ".join(apart.lower().replace("_", " ").replace(".", " ").split())
