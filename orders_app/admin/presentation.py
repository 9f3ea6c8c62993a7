"""How values are written for people; filters of the templates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Flask

from orders_app.shared.money import cents_text


def money(cents: int) -> str:
    """Cents with two places, thousands apart: `1234567` is `12 345.67`, with spaces that do not break."""
    whole, _, places = cents_text(cents).partition(".")
    return f"{int(whole):,}".replace(",", "\u202f") + f".{places}"


def moment(value: datetime) -> str:
    """A moment in UTC, to the second."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def short_id(value: UUID) -> str:
    """The end of an id.  Ids begin with the time, so those made together begin alike."""
    return f"…{value.hex[-8:]}"


def difference(changes: dict[str, list[Any]]) -> list[str]:
    """What an event changed, one short text a field."""
    return [
        f"{name.removeprefix('is_').replace('_', ' ')}: {_short(before)} → {_short(after)}"
        for name, (before, after) in changes.items()
    ]


def _short(value: Any) -> str:
    if isinstance(value, list):
        return f"{len(value)} line{'' if len(value) == 1 else 's'}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def register_filters(app: Flask) -> None:
    """Give the templates these."""
    for function in (money, moment, short_id, difference):
        app.add_template_filter(function, f"panel_{function.__name__}")
