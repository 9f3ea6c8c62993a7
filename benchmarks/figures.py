"""The arithmetic: medians, ratios with their spread, and whether a bar is reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

BESIDE: Final = "×"


def shown(name: str) -> str:
    """The name of a contender for readers: that writers have a database of their own says nothing to them."""
    return name.removesuffix("-writes")


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some figures, and the least and the greatest."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> Spread:
        """Raises `ValueError` where there are none."""
        if not figures:
            raise ValueError("no figures")
        return cls(median(figures), min(figures), max(figures))


def ratios(ours: Sequence[float | None], theirs: Sequence[float | None]) -> list[float]:
    """Ours by theirs, round by round; a round that either lacks does not count."""
    return [
        our / their for our, their in zip(ours, theirs, strict=False) if our is not None and their is not None
    ]


@dataclass(frozen=True, slots=True)
class Bar:
    """What is to be reached: at least so many times what `than` does in the same case, or in another one."""

    least: float
    than: str
    case: str | None = None

    def __str__(self) -> str:
        return f"≥ {self.least:g} {BESIDE} {shown(self.than)}" + (f" in {self.case}" if self.case else "")


@dataclass(frozen=True, slots=True)
class Verdict:
    """A bar, what was measured against it, and whether it is reached; None where it was not measured."""

    bar: str
    measured: str
    reached: bool | None


def at_least(bar: float, found: float, unit: str) -> Verdict:
    """The verdict on a figure that should be large."""
    return Verdict(f"≥ {bar:,g} {unit}", f"{found:,.0f} {unit}", found >= bar)


def at_most(bar: float, found: float, unit: str, digits: int = 0) -> Verdict:
    """The verdict on a figure that should be small."""
    return Verdict(f"≤ {bar:,g} {unit}", f"{found:,.{digits}f} {unit}", found <= bar)


def held_against(bar: Bar, found: Sequence[float]) -> Verdict:
    """The verdict on these ratios."""
    if not found:
        return Verdict(str(bar), "not measured", None)
    spread = Spread.of(found)
    return Verdict(
        str(bar),
        f"{spread.median:.2f} ({spread.least:.2f}–{spread.greatest:.2f})",
        spread.median >= bar.least,
    )
