"""Sheets of paper: the fonts, how wide a text is, where it is broken, and a pen that writes."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

REGULAR: Final = "DejaVuSans"
BOLD: Final = "DejaVuSans-Bold"
INK, SOFT, PALE = (HexColor(colour) for colour in ("#14181f", "#4b5563", "#cfd5dc"))
WIDTH, HEIGHT = A4
MARGIN: Final = 18 * mm
RIGHT: Final = WIDTH - MARGIN
_FONTS: Final = Path(__file__).parents[1] / "fonts"
_MISSING: Final = "\N{WHITE SQUARE}"
"""What stands for a character that the fonts do not have."""


class Pen:
    """Writes on the present sheet; `y` is that of the line that the text stands on."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas

    def write(
        self, text: str, x: float, y: float, size: float, *, font: str = REGULAR, ink: Any = INK
    ) -> None:
        """Write a text that begins there."""
        self._canvas.setFont(font, size)
        self._canvas.setFillColor(ink)
        self._canvas.drawString(x, y, text)

    def write_up_to(
        self, end: float, text: str, y: float, size: float, *, font: str = REGULAR, ink: Any = INK
    ) -> None:
        """Write a text that ends there."""
        self.write(text, end - width_of(text, size, font), y, size, font=font, ink=ink)

    def rule(self, y: float, thickness: float, ink: Any = INK) -> None:
        """Draw a line from margin to margin."""
        self._canvas.setLineWidth(thickness)
        self._canvas.setStrokeColor(ink)
        self._canvas.line(MARGIN, y, RIGHT, y)


def writable(text: str) -> str:
    """A text as it can be written: with a square for each character that the fonts do not have."""
    known = _characters()
    return "".join(character if ord(character) in known else _MISSING for character in text)


def width_of(text: str, size: float, font: str = REGULAR) -> float:
    """How wide a text is that can be written."""
    _characters()
    width: float = pdfmetrics.stringWidth(text, font, size)
    return width


def wrapped(text: str, width: float, size: float) -> list[str]:
    """The lines of such a text: broken at spaces, and inside a word only where that is wider than a line."""
    space = width_of(" ", size)
    lines, line, room = [], "", width
    for word in text.split(" "):
        first, *others = _pieces(word, width, size)
        needed = width_of(first, size)
        if line and space + needed <= room:
            line, room = f"{line} {first}", room - space - needed
        else:
            lines.append(line)
            line, room = first, width - needed
        for piece in others:
            lines.append(line)
            line, room = piece, width - width_of(piece, size)
    return [found for found in (*lines, line) if found]


def _pieces(word: str, width: float, size: float) -> list[str]:
    """A word in pieces that each fit on a line."""
    if width_of(word, size) <= width:
        return [word]
    pieces, begin, used = [], 0, 0.0
    for place, character in enumerate(word):
        needed = _width_of_one(character) * size
        if used + needed > width and place > begin:
            pieces.append(word[begin:place])
            begin, used = place, 0.0
        used += needed
    return [*pieces, word[begin:]]


@cache
def _width_of_one(character: str) -> float:
    return width_of(character, 1)


@cache
def _characters() -> frozenset[int]:
    """Load the fonts on first use; the characters that both have."""
    faces = []
    for name in (REGULAR, BOLD):
        font = TTFont(name, _FONTS / f"{name}.ttf")
        pdfmetrics.registerFont(font)
        faces.append(frozenset(font.face.charToGlyph))
    return frozenset.intersection(*faces)
