"""The hand that does a job in a browser, counting what it does and how long one waits for what was asked.

What a person would need besides is estimated by the keystroke-level model: S. K. Card, T. P. Moran and A.
Newell, "The keystroke-level model for user performance time with interactive systems", Communications of the
ACM 23 (7), 1980. Before each new step somebody thinks once (M); what follows without thinking, such as typing
into the field that was just clicked or ticking the end of a range, is done without.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from playwright.sync_api import Frame, Locator, Page, Position, expect

KEY: Final = 0.28
POINT: Final = 1.1
BUTTON: Final = 0.1
HOME: Final = 0.4
THINK: Final = 1.35
"""Seconds: a key of an average typist, pointing, pressing or releasing a button, changing between mouse and
keyboard, thinking.
"""

BEGINNING: Final[Position] = {"x": 14, "y": 15}
"""Where what stands in a field begins."""


@dataclass
class Effort:
    """What a job took."""

    clicks: int = 0
    keys: int = 0
    pages: int = 0
    waited: float = 0
    by_hand: float = 0

    @property
    def seconds(self) -> float:
        return self.by_hand + self.waited


@dataclass
class Hand:
    """One job from its first click."""

    page: Page
    effort: Effort = field(default_factory=Effort)
    _at_keyboard: bool = False

    def __post_init__(self) -> None:
        self.page.on("framenavigated", self._came)

    def click(self, what: Locator, until: Locator | None = None) -> None:
        """Point and click; wait until the page shows what was asked for."""
        self._point()
        with self._waiting(until):
            what.click()

    def pick(self, select: Locator, label: str) -> None:
        """Choose one of the entries that a click unfolds."""
        self._point()
        self._point(thinks=False)
        select.select_option(label=label)

    def shift_click(self, what: Locator) -> None:
        """Tick the end of a range."""
        self._point(thinks=False)
        self._press(1)
        what.click(modifiers=["Shift"])

    def fill(self, what: Locator, text: str) -> None:
        """Click a field, where its first part is, and type into it."""
        self._point()
        what.click(position=BEGINNING)
        self._to_keyboard()
        self._press(len(text))
        self.page.keyboard.type(text)

    def replace(self, what: Locator, text: str) -> None:
        """Double-click what stands in a field, and type over it."""
        self._point()
        self.effort.clicks += 1
        self.effort.by_hand += 2 * BUTTON
        what.dblclick(position=BEGINNING)
        expect(what).to_be_focused()
        self._to_keyboard()
        self._press(len(text))
        self.page.keyboard.type(text)

    def enter(self, until: Locator) -> None:
        """Press the Enter key and wait."""
        self._press(1)
        with self._waiting(until):
            self.page.keyboard.press("Enter")

    def download(self, what: Locator, path: Path) -> None:
        """Click, and wait until the file is there."""
        self._point()
        begun = time.perf_counter()
        with self.page.expect_download() as download:
            what.click()
        download.value.save_as(path)
        self.effort.waited += time.perf_counter() - begun

    def _point(self, *, thinks: bool = True) -> None:
        self.effort.clicks += 1
        self.effort.by_hand += (THINK if thinks else 0) + POINT + 2 * BUTTON
        if self._at_keyboard:
            self.effort.by_hand += HOME
        self._at_keyboard = False

    def _to_keyboard(self) -> None:
        self.effort.by_hand += HOME
        self._at_keyboard = True

    def _press(self, keys: int) -> None:
        self.effort.keys += keys
        self.effort.by_hand += keys * KEY

    @contextmanager
    def _waiting(self, until: Locator | None) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        if until is not None:
            expect(until).to_be_visible(timeout=20_000)
            self.effort.waited += time.perf_counter() - begun

    def _came(self, frame: Frame) -> None:
        if frame == self.page.main_frame:
            self.effort.pages += 1
