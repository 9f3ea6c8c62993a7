"""The first pass: every record is read, held against the rules, and put down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from orders_app.orders.domain import MOST_LINES
from orders_app.orders.importing import values
from orders_app.orders.importing.csv_rows import OWN_TEXTS, Header, Row, as_written, read_header
from orders_app.orders.importing.input_files import InputFile
from orders_app.orders.importing.json_lines import JsonOrder, read_order
from orders_app.orders.importing.options import DEFAULT_SOURCE, Format, ImportOptions
from orders_app.orders.importing.register import Entry, Heading, Register
from orders_app.orders.importing.spool import Spool, SpooledLine
from orders_app.shared.money import MAX_CENTS, MAX_MONEY

NO_OWNER = "Nobody is named as the owner; --user NAME says who it is where the input does not."
JSON_COLUMN = "json"
_TOO_MANY_LINES = f"An order has at most {MOST_LINES} lines."


@dataclass(slots=True)
class Reader:
    """Reads any number of files; afterwards `columns` holds the header of each."""

    options: ImportOptions
    spool: Spool
    register: Register
    columns: list[tuple[str, ...]] = field(default_factory=list)

    def read(self, file: InputFile, advance: Callable[[int], object]) -> None:
        """Put down all that stands in this file.  Raises `ImportFailed` where it cannot be read."""
        number = len(self.columns)
        with file.lines(self.options, advance) as (kind, lines):
            if kind is Format.JSONL:
                self.columns.append((JSON_COLUMN,))
                self._read_json(number, lines)
            else:
                header, rows = read_header(file.name, lines, self.options.columns)
                self.columns.append(header.names)
                _CSVReader(self, number, header).read(rows)

    def _read_json(self, file: int, lines: Iterator[str]) -> None:
        for line, text in enumerate(lines, start=1):
            text = (text.removeprefix("\ufeff") if line == 1 else text).strip()  # noqa: PLW2901  (the same text)
            if text:
                order = read_order(text, self.options.negative_quantity, self.options.timezone)
                self._put_down(order, (file, line), text)

    def _put_down(self, order: JsonOrder, place: tuple[int, int], text: str) -> None:
        """A line of JSON is one order: it comes in whole or is refused whole."""
        entry = self._entry_of(order)
        user = order.user or self.options.user
        if user is None and not any(problem.startswith("user:") for problem in order.problems):
            order.problems.append(f"user: {NO_OWNER}")
        if order.total_cents is None and sum(price * count for _, price, count in order.lines) > MAX_CENTS:
            order.problems.append(sum_too_large())
        if order.problems or user is None:
            number = entry.number if entry else None
            self.spool.refuse(number, place, " ".join(order.problems), [text], order.lines_given)
            self.register.unnamed += entry is None
            return
        assert entry is not None  # noqa: S101  (only what has problems is without one)
        entry.heading = Heading(
            user=user,
            status=self.options.status_of(entry.reference, order.status),
            created_at=order.created_at,
            total_cents=order.total_cents,
            is_deleted=order.is_deleted,
        )
        for number, line in enumerate(order.lines):
            self._accept(entry, place, SpooledLine(*line), [text] if number == 0 else None)

    def _entry_of(self, order: JsonOrder) -> Entry | None:
        """Each line is an order of its own; None where it cannot be told which."""
        if not order.digest or any(
            problem.startswith(("order_id:", "reference:", "source:")) for problem in order.problems
        ):
            return None
        reference = order.reference or order.order_id or self.register.reference_for(order.digest)
        key = ("json", len(self.register.entries))
        return self.register.add(key, self.source_of(order.source), reference, self.same_here(order.order_id))

    def source_of(self, own: str | None) -> str:
        """Where an order is said to come from: as demanded, else as it says itself."""
        return self.options.source or own or DEFAULT_SOURCE

    def same_here(self, exported_id: str | None) -> str | None:
        """The id under which an exported order may be here already.

        Under a source that was asked for, only the reference counts.
        """
        return exported_id if self.options.source is None else None

    def _accept(
        self, entry: Entry, place: tuple[int, int], line: SpooledLine, cells: list[str] | None
    ) -> None:
        entry.lines += 1
        entry.total_cents += line.price_cents * line.quantity
        self.spool.accept(entry.number, place, line, cells)

    def accept_row(self, entry: Entry, place: tuple[int, int], line: SpooledLine, cells: list[str]) -> None:
        """A good row of a CSV, unless its order is full."""
        if entry.lines >= MOST_LINES:
            self.spool.refuse(entry.number, place, _TOO_MANY_LINES, cells)
            return
        self._accept(entry, place, line, cells)
        if entry.total_cents > MAX_CENTS and entry.refusal is None:
            entry.refusal = sum_too_large()


def sum_too_large() -> str:
    """The reason to refuse an order whose lines add up to more than money goes."""
    return f"The sum of the lines is more than {MAX_MONEY}."


class _CSVReader:
    """Reads the rows of one CSV file."""

    def __init__(self, reader: Reader, file: int, header: Header) -> None:
        self._reader = reader
        self._options = reader.options
        self._file = file
        self._header = header
        self._own = (
            {name: header.position(name) for name in ("source", "reference", "product_id", "is_deleted")}
            if header.own
            else {}
        )
        self._texts = frozenset(header.position(name) for name in OWN_TEXTS) if header.own else frozenset()

    def read(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._read_row(row)

    def _read_row(self, found: Row) -> None:
        row = self._as_written(found)
        problems: list[str] = [row.problem] if row.problem else []
        place = (self._file, row.line)
        entry = self._entry_of(row, problems)
        line = None
        if entry is not None and row.problem is None:
            if entry.heading is None:
                entry.heading = self._heading(entry, row.cells, problems)
            line = self._line(row.cells, problems)
            if self._own and not problems and not self._is_new(entry, row.cells):
                problems.append("product_id: This line of the export stands in the input twice.")
        if entry is None or line is None or problems:
            self._reader.spool.refuse(entry.number if entry else None, place, " ".join(problems), found.cells)
        else:
            self._reader.accept_row(entry, place, line, found.cells)

    def _as_written(self, row: Row) -> Row:
        """The row with the texts of an export as they were before it made them harmless."""
        if not self._texts:
            return row
        cells = [as_written(cell) if place in self._texts else cell for place, cell in enumerate(row.cells)]
        return Row(row.line, cells, row.problem)

    def _entry_of(self, row: Row, problems: list[str]) -> Entry | None:
        """The order that the row belongs to, also where the rest of the row is of no use."""
        column = self._header.order
        if column >= len(row.cells):
            return None
        found = self._checked(column, values.reference, row.cells, problems)
        if found is None:
            return None
        key = ("export" if self._own else "csv", found)
        return self._reader.register.find(key) or self._new_entry(key, found, row, problems)

    def _new_entry(self, key: tuple[str, str], found: str, row: Row, problems: list[str]) -> Entry | None:
        if not self._own:
            return self._reader.register.add(key, self._reader.source_of(None), found)
        if row.problem is not None:
            return None
        errors = len(problems)
        source = self._optional(self._own["source"], values.source, row.cells, problems)
        reference = self._optional(self._own["reference"], values.reference, row.cells, problems)
        if len(problems) > errors:
            return None
        reader = self._reader
        return reader.register.add(key, reader.source_of(source), reference or found, reader.same_here(found))

    def _heading(self, entry: Entry, cells: list[str], problems: list[str]) -> Heading | None:
        """What the order's first row says of the order as a whole; the others are not asked."""
        header, options, errors = self._header, self._options, len(problems)
        user = self._optional(header.user, values.user, cells, problems) or options.user
        if user is None and len(problems) == errors:
            problems.append(NO_OWNER)
        own_status = self._optional(header.status, values.status, cells, problems)
        created_at = None
        if header.created is not None:
            created_at = self._checked(
                header.created,
                lambda text: values.moment(text, options.timezone, options.created_format),
                cells,
                problems,
            )
        if user is None or len(problems) > errors:
            return None
        deleted = bool(self._own) and cells[self._own["is_deleted"]].strip().lower() == "true"
        status = options.status_of(entry.reference, own_status)
        return Heading(user, status, created_at, is_deleted=deleted)

    def _line(self, cells: list[str], problems: list[str]) -> SpooledLine | None:
        header, negative = self._header, self._options.negative_quantity
        try:
            return SpooledLine(
                values.product_name(cells[header.name]),
                values.price_text(cells[header.price]),
                values.quantity_text(cells[header.quantity], negative),
            )
        except ValueError:
            # Most rows are good; a bad one is asked again, for all that is wrong with it.
            self._checked(header.name, values.product_name, cells, problems)
            self._checked(header.price, values.price_text, cells, problems)
            self._checked(header.quantity, lambda text: values.quantity_text(text, negative), cells, problems)
            return None

    def _is_new(self, entry: Entry, cells: list[str]) -> bool:
        product_id = cells[self._own["product_id"]].strip()
        return not product_id or self._reader.spool.is_new(entry.number, product_id)

    def _optional(
        self, column: int | None, rule: Callable[[str], Any], cells: list[str], problems: list[str]
    ) -> Any:
        if column is None or not cells[column].strip():
            return None
        return self._checked(column, rule, cells, problems)

    def _checked(self, column: int, rule: Callable[[str], Any], cells: list[str], problems: list[str]) -> Any:
        try:
            return rule(cells[column])
        except ValueError as error:
            problems.append(f"{self._header.names[column]}: {error}")
            return None
