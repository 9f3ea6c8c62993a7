"""The days that are asked for most often, a click each: today, yesterday, last month …"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from flask_babel import get_timezone, lazy_gettext

from orders_app.shared.clock import utcnow

FROM, BEFORE = "created_after", "created_before"
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """Days under a name; `query` is the list's with them, and `is_here` says that it asks for them now."""

    label: Any
    query: str
    is_here: bool


def spans(among: str) -> list[Span]:
    """The spans for the list of this query, as of today where the person is; all else it asks for stays."""
    asked = parse_qsl(among)
    rest = [(name, value) for name, value in asked if name not in {FROM, BEFORE}]
    found = []
    for label, first, end in _days(utcnow().astimezone(get_timezone()).date()):
        days = [(FROM, first.isoformat()), (BEFORE, end.isoformat())]
        found.append(Span(label, urlencode(rest + days), set(days) <= set(asked)))
    return found


def _days(today: date) -> Iterator[tuple[Any, date, date]]:
    """A name, the first day, and the day after the last one."""
    tomorrow = today + _DAY
    month = today.replace(day=1)
    yield lazy_gettext("Today"), today, tomorrow
    yield lazy_gettext("Yesterday"), today - _DAY, today
    yield lazy_gettext("Last 7 days"), tomorrow - 7 * _DAY, tomorrow
    yield lazy_gettext("This month"), month, tomorrow
    yield lazy_gettext("Last month"), (month - _DAY).replace(day=1), month
