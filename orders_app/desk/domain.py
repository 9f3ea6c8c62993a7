"""The rules for what people keep at their desk.  Standard library only."""

from __future__ import annotations

import zoneinfo
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from orders_app.shared.errors import Invalid
from orders_app.shared.text import clean_text

LONGEST_VIEW_NAME: Final = 60
LONGEST_QUERY: Final = 2_000
MOST_VIEWS: Final = 50
"""So many views one person may keep."""
MOST_LISTS: Final = 20
MOST_COLUMNS: Final = 50
LONGEST_COLUMN: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """How somebody wants to see things; None leaves it to the service.

    `columns` names for each list the columns that are shown, in order.
    """

    locale: str | None = None
    time_zone: str | None = None
    columns: Mapping[str, Collection[str]] | None = None


def check_preferences(preferences: Preferences, locales: Collection[str]) -> None:
    """Raise `Invalid` naming every preference that cannot be; `locales` are those that there are."""
    errors: dict[str, Any] = {}
    if preferences.locale is not None and preferences.locale not in locales:
        errors["locale"] = ["There is no such language here."]
    if preferences.time_zone is not None and preferences.time_zone not in time_zones():
        errors["time_zone"] = ["There is no such time zone."]
    if preferences.columns is not None and not _are_columns(preferences.columns):
        errors["columns"] = ["These are no columns of lists."]
    if errors:
        raise Invalid("The preferences are not valid.", errors=errors)


@cache
def time_zones() -> frozenset[str]:
    """The names of all time zones; to find them takes a look at some hundred files."""
    return frozenset(zoneinfo.available_timezones())


def clean_view(name: str, query: str) -> tuple[str, str]:
    """The name and the query of a view after their rules; raises `Invalid` naming each that broke one."""
    errors: dict[str, Any] = {}
    try:
        name = clean_text(name, longest=LONGEST_VIEW_NAME)
    except ValueError as error:
        errors["name"] = [str(error)]
    if len(query) > LONGEST_QUERY:
        errors["query"] = [f"Longer than {LONGEST_QUERY} characters."]
    elif query and not query.isprintable():
        errors["query"] = ["Control characters are not allowed."]
    if errors:
        raise Invalid("The view is not valid.", errors=errors)
    return name, query


def _are_columns(columns: Mapping[str, Collection[str]]) -> bool:
    names = [name for chosen in columns.values() for name in chosen]
    return (
        len(columns) <= MOST_LISTS
        and all(len(chosen) <= MOST_COLUMNS for chosen in columns.values())
        and all(0 < len(name) <= LONGEST_COLUMN and name.isprintable() for name in [*columns, *names])
    )
