"""How values are written for people, in their language and time zone; filters of the templates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Flask
from flask_babel import format_date, format_datetime, format_decimal, get_timezone, gettext, ngettext
from jinja2 import pass_context
from jinja2.runtime import Context

from orders_app.admin.frame.differences import differences, plain
from orders_app.admin.frame.messages import said
from orders_app.admin.frame.words import FIELDS, MOVES, word
from orders_app.shared.money import cents_text


def money(cents: int) -> str:
    """Cents with two places, thousands apart: `1234567` is `12,345.67`, or `12 345,67` in Russian."""
    return format_decimal(Decimal(cents_text(cents)), format="#,##0.00")


def number(value: int) -> str:
    """A whole number, thousands apart."""
    return format_decimal(value)


def moment(value: datetime) -> str:
    """A moment, to the second."""
    return format_datetime(value, "medium")


def minute(value: datetime) -> str:
    """A moment, to the minute: for tables."""
    return format_datetime(value, "short")


def day(value: date) -> str:
    """A day."""
    return format_date(value, "medium", rebase=False)


def short_day(value: date) -> str:
    """A day of these months, for a chart."""
    return format_date(value, "d MMM", rebase=False)


def zone_name() -> str:
    """The time zone in which times are written."""
    return str(get_timezone())


def short_id(value: UUID) -> str:
    """The end of an id.  Ids begin with the time, so those made together begin alike."""
    return f"…{value.hex[-8:]}"


def difference(changes: dict[str, list[Any]]) -> list[str]:
    """What an event changed, one short text a field."""
    return [
        f"{FIELDS.get(name, name)}: {_short(before, name)} → {_short(after, name)}"
        for name, (before, after) in changes.items()
    ]


def _short(value: Any, field: str) -> str:
    if isinstance(value, list):
        return ngettext("%(num)d line", "%(num)d lines", len(value))
    return plain(value, field) or ""


def move(status: str) -> str:
    """What the button says that gives an order this status."""
    return str(MOVES.get(status) or gettext("Back to %(status)s", status=word(status)))


def _for_the_reader(function: Callable[[Any], Any]) -> Callable[[Context, Any], Any]:
    """A filter of what is always the same would be worked out once, for whoever comes first."""

    @pass_context
    def filtered(_context: Context, value: Any) -> Any:
        return function(value)

    return filtered


def register_filters(app: Flask) -> None:
    """Give the templates these."""
    for function in (money, number, moment, minute, day, short_id, difference, differences, word, move, said):
        app.add_template_filter(_for_the_reader(function), f"panel_{function.__name__}")
    app.jinja_env.globals["panel_zone"] = zone_name
