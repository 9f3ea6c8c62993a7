"""An order confirmation as a PDF: what its customer gets by mail, on as many sheets as it takes.

The same version of an order, for readers of the same language and time zone, is the same file to the byte.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

from flask_babel import gettext
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from orders_app.admin.frame.languages import language
from orders_app.admin.frame.presentation import moment, money, number, short_id, zone_name
from orders_app.admin.frame.words import word
from orders_app.admin.orders.paper import (
    BOLD,
    HEIGHT,
    MARGIN,
    PALE,
    RIGHT,
    SOFT,
    WIDTH,
    Pen,
    width_of,
    wrapped,
    writable,
)
from orders_app.orders.records import OrderRecord

_TITLE, _LARGE, _SIZE, _SMALL = 20, 11, 9, 8
_LEADING: Final = 12
_GAP: Final = 4
_LABELS: Final = 38 * mm
_AFTER_FACTS: Final = 9 * mm
_HEADINGS: Final = _LEADING + _GAP
_SUM: Final = 18
_FOOT: Final = 12 * mm
# A font knows which of its characters the present file uses, so there is one file at a time.
_one_at_a_time = Lock()


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the order as it is written; the name of its product takes as many lines as it needs."""

    name: list[str]
    numbers: Sequence[str]
    """Its place, the quantity, the price and the sum."""

    @property
    def height(self) -> float:
        return len(self.name) * _LEADING + 2 * _GAP


def confirmation(order: OrderRecord) -> bytes:
    """The file, in the language and the time zone of the reader."""
    file = io.BytesIO()
    with _one_at_a_time:
        canvas = Canvas(file, pagesize=(WIDTH, HEIGHT), invariant=True, lang=language())
        canvas.setDateFormatter(lambda *_: f"D:{order.updated_at:%Y%m%d%H%M%S}+00'00'")
        canvas.setViewerPreference("DisplayDocTitle", "true")
        canvas.setTitle(_heading(order))
        canvas.setSubject(gettext("Order confirmation"))
        canvas.setAuthor(gettext("Orders"))
        canvas.setCreator(gettext("Orders"))
        _draw(canvas, order)
        canvas.save()
    return file.getvalue()


def _draw(canvas: Canvas, order: OrderRecord) -> None:
    facts, table = _facts(order), _Table(order)
    beginning = _TITLE + 5 * _GAP + sum(len(lines) * _LEADING + _GAP for _, lines in facts) + _AFTER_FACTS
    # Filled before the first one is drawn: each says how many there are.
    sheets = table.sheets(HEIGHT - 2 * MARGIN, beginning)
    pen = Pen(canvas)
    for place, rows in enumerate(sheets, start=1):
        y = HEIGHT - MARGIN
        if place == 1:
            _draw_beginning(pen, facts, y)
            y -= beginning
        y = table.draw(pen, rows, y)
        if place == len(sheets):
            table.draw_sums(pen, y)
        pen.write(_heading(order), MARGIN, _FOOT, _SMALL, ink=SOFT)
        here = gettext("Page %(here)s of %(all)s", here=place, all=len(sheets))
        pen.write_up_to(RIGHT, here, _FOOT, _SMALL, ink=SOFT)
        canvas.showPage()


def _heading(order: OrderRecord) -> str:
    return gettext("Order confirmation %(id)s", id=short_id(order.order_id))


def _facts(order: OrderRecord) -> list[tuple[str, list[str]]]:
    """What the order is, each fact in as many lines as it needs."""
    status = word(order.status)
    facts = [
        (gettext("Order"), str(order.order_id)),
        (gettext("Reference"), order.reference),
        (gettext("Date"), f"{moment(order.created_at)} ({zone_name()})"),
        (gettext("Customer"), order.user),
        (gettext("Status"), f"{status}, {word('deleted')}" if order.is_deleted else status),
    ]
    room = RIGHT - MARGIN - _LABELS
    return [(label, wrapped(writable(text), room, _SIZE)) for label, text in facts if text]


def _draw_beginning(pen: Pen, facts: list[tuple[str, list[str]]], y: float) -> None:
    pen.write(gettext("Order confirmation"), MARGIN, y - _TITLE + _GAP, _TITLE, font=BOLD)
    y -= _TITLE + 3 * _GAP
    pen.rule(y, 0.75)
    y -= _GAP
    for label, lines in facts:
        pen.write(label, MARGIN, y - _LEADING, _SIZE, ink=SOFT)
        for line in lines:
            y -= _LEADING
            pen.write(line, MARGIN + _LABELS, y, _SIZE)
        y -= _GAP
    pen.rule(y - _GAP, 0.75)


class _Table:
    """All lines of the order and what they come to, with the headings on each sheet."""

    def __init__(self, order: OrderRecord) -> None:
        self.headings = [gettext("No."), gettext("Quantity"), gettext("Price"), gettext("Amount")]
        numbers = [
            [
                number(place),
                number(line.quantity),
                money(line.price_cents),
                money(line.price_cents * line.quantity),
            ]
            for place, line in enumerate(order.lines, start=1)
        ]
        lines_sum = sum(line.price_cents * line.quantity for line in order.lines)
        self.total = gettext("Order total"), money(order.total_price_cents)
        self.sum = None
        if lines_sum != order.total_price_cents:
            self.sum = gettext("Sum of the lines"), money(lines_sum)
        # So wide that no number is broken; the names of the products have the rest.
        place, quantity, price, total = (
            max(width_of(text, _SIZE, BOLD) for text in column) + 3 * _GAP
            for column in zip(self.headings, *numbers, strict=True)
        )
        total = max(total, width_of(self.total[1], _LARGE, BOLD) + 3 * _GAP)
        self.ends = [MARGIN + place, RIGHT - total - price, RIGHT - total, RIGHT]
        self.names = self.ends[0] + 3 * _GAP
        room = self.ends[1] - quantity - self.names
        self.rows = [
            _Row(wrapped(writable(line.name), room, _SIZE), texts)
            for line, texts in zip(order.lines, numbers, strict=True)
        ]

    def sheets(self, height: float, beginning: float) -> list[list[_Row]]:
        """The rows of each sheet.  With the last one stand the sums, which would be lost on a sheet alone."""
        room = height - _HEADINGS - beginning
        sheets: list[list[_Row]] = [[]]
        for row in self.rows:
            needed = row.height + (2 * _SUM if row is self.rows[-1] else 0)
            if needed > room and sheets[-1]:
                sheets.append([])
                room = height - _HEADINGS
            sheets[-1].append(row)
            room -= row.height
        return sheets

    def draw(self, pen: Pen, rows: list[_Row], y: float) -> float:
        """Draw these rows under their headings; where the next thing may begin."""
        y -= _LEADING
        self._draw_across(pen, self.headings, [gettext("Product")], y, _SMALL, font=BOLD, ink=SOFT)
        y -= _GAP
        pen.rule(y, 1)
        for row in rows:
            self._draw_across(pen, row.numbers, row.name, y - _LEADING - 1, _SIZE)
            y -= row.height
            pen.rule(y, 0.4, PALE)
        return y

    def _draw_across(
        self, pen: Pen, numbers: Sequence[str], name: list[str], y: float, size: float, **how: Any
    ) -> None:
        """In the order of reading, which is that of who copies the text or has it read aloud."""
        (first_end, *ends), (first, *others) = self.ends, numbers
        pen.write_up_to(first_end, first, y, size, **how)
        for place, line in enumerate(name):
            pen.write(line, self.names, y - place * _LEADING, size, **how)
        for end, text in zip(ends, others, strict=True):
            pen.write_up_to(end, text, y, size, **how)

    def draw_sums(self, pen: Pen, y: float) -> None:
        """Draw what the lines come to, where that differs, and the total."""
        if self.sum is not None:
            y -= _SUM
            for text, end in zip(self.sum, self.ends[2:], strict=True):
                pen.write_up_to(end, text, y, _SIZE)
        y -= _SUM
        for text, end in zip(self.total, self.ends[2:], strict=True):
            pen.write_up_to(end, text, y, _LARGE, font=BOLD)
