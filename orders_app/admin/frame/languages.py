"""In which language and time zone a page is: what the person chose, else what their browser says."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from babel import Locale, UnknownLocaleError
from flask import Flask, g, request
from flask_babel import Babel, get_locale, refresh

from orders_app.desk.domain import time_zones

LANGUAGES: Final = {"en": "English", "ru": "Русский"}
"""What the panel speaks; the first one where nothing else is known."""
ZONE_COOKIE: Final = "orders_time_zone"
"""The browser's own time zone, which no header tells: a script of the panel puts it there."""

_TRANSLATIONS = Path(__file__).parents[1] / "translations"
_DEFAULT = "en"


def speak(app: Flask) -> None:
    """Have Flask-Babel choose by request."""
    Babel(
        app,
        default_locale=_DEFAULT,
        default_domain="panel",
        default_translation_directories=str(_TRANSLATIONS),
        locale_selector=chosen_locale,
        timezone_selector=chosen_zone,
    )


def prefer(locale: str | None, time_zone: str | None) -> None:
    """What the person who is logged in has chosen.

    None is left to their browser, and so is a language that the panel speaks no more.
    """
    g.panel_locale, g.panel_zone = locale if locale in LANGUAGES else None, time_zone
    refresh()


def chosen_locale() -> str:
    """A language of the panel, with the country that the browser names: dates are written as there."""
    chosen: str | None = g.get("panel_locale")
    for accepted in request.accept_languages.values():
        try:
            locale = Locale.parse(accepted, sep="-")
        except (ValueError, UnknownLocaleError):
            continue
        if locale.language in LANGUAGES and chosen in {None, locale.language}:
            return str(locale)
    return chosen or _DEFAULT


def language() -> str:
    """The language of this page, as HTML names it."""
    return get_locale().language if get_locale() else _DEFAULT


def chosen_zone() -> str:
    """The name of a time zone that exists."""
    chosen: str | None = g.get("panel_zone")
    return chosen if chosen in time_zones() else browser_zone()


def browser_zone() -> str:
    """The time zone that the browser is in, as far as it said so."""
    name = request.cookies.get(ZONE_COOKIE)
    return name if name in time_zones() else "UTC"
