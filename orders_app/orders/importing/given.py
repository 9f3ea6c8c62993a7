"""Options as people write them, on the command line and in the panel.

Every function raises `ValueError` with a sentence for a person.
"""

from __future__ import annotations

import codecs
from zoneinfo import ZoneInfo

from orders_app.orders.domain import OrderStatus
from orders_app.orders.importing import values


def time_zone(name: str) -> ZoneInfo:
    """The time zone of this name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"There is no time zone {name!r}; write it like Europe/London.") from None


def encoding(name: str) -> str:
    """The encoding of this name."""
    try:
        codecs.lookup(name)
        "".encode(name)
    except LookupError:
        raise ValueError(f"There is no text encoding {name!r}; write it like cp1252.") from None
    # A byte order mark is no part of the text, wherever it comes from.
    return "utf-8-sig" if codecs.lookup(name).name == "utf-8" else name


def status_prefix(text: str) -> tuple[str, OrderStatus]:
    """A beginning of references, and the status of the orders that have it."""
    prefix, _, name = text.rpartition("=")
    try:
        status = values.status(name)
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}") from None
    if not prefix:
        raise ValueError(f"{text!r}: write it like C=cancelled.")
    return prefix, status
