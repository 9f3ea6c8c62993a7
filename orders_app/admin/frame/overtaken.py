"""What a page tells whose form or button was overtaken by what others did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flask_babel import gettext

from orders_app.admin.frame.differences import Difference

_MOST = 4
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Step:
    """One version that came meanwhile: who made it, when, and what it changed; accounts have no number."""

    version: int | None
    who: str
    at: datetime
    changed: list[Difference]
    more: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that the person entered and that differs from what now stands.

    `opened` is what it was on the page that they opened; None in the values is a line that is not there.
    """

    label: str
    opened: str | None
    now: str | None
    mine: str | None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overtaken:
    """What a page says that was overtaken by others."""

    headline: str
    at: datetime | None
    is_deleted: bool = False
    steps: list[Step] = field(default_factory=list)
    earlier: int = 0
    choices: list[Choice] = field(default_factory=list)
    more_choices: int = 0
    has_opened: bool = True


def in_short(found: Sequence[str]) -> str:
    """The first few of these, cut to what fits into a cookie: that is where messages wait."""
    texts = [text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…" for text in found[:_MOST]]
    if len(found) > _MOST:
        texts.append(gettext("and %(number)s more", number=len(found) - _MOST))
    return "; ".join(texts)
