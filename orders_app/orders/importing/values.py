"""From what stands in a file to values that the rules of the API accept.

Every function raises `ValueError` with a sentence for a person.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any

from orders_app.auth.domain import clean_username, username_key
from orders_app.orders.domain import (
    LONGEST_NAME,
    LONGEST_REFERENCE,
    LONGEST_SOURCE,
    MOST_QUANTITY,
    OrderStatus,
)
from orders_app.orders.importing.options import NegativeQuantity
from orders_app.shared.money import parse_money, to_cents
from orders_app.shared.numbers import whole_number
from orders_app.shared.text import clean_text

_WHOLE = re.compile(r"(-?)([0-9]{1,20})(?:\.0*)?", re.ASCII)
_MOMENT = re.compile(
    r"(?:(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})"
    r"|(?P<day2>\d{1,2})\.(?P<month2>\d{1,2})\.(?P<year2>\d{4})"
    r"|(?P<year3>\d{4})(?P<month3>\d{2})(?P<day3>\d{2}))"
    r"(?:(?:[Tt]| +)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r" ?(?P<offset>[Zz]|UTC|[+-]\d{2}(?::?\d{2})?)?)?",
    re.ASCII,
)
_UNREADABLE = (
    "Not a date that can be read without guessing; write it like 2026-11-23 06:33:00, "
    "or describe it with --created-format."
)


@lru_cache(maxsize=8192)
def product_name(text: str) -> str:
    """The name of a line.  Shops sell the same things again and again, hence the memory."""
    return clean_text(text, longest=LONGEST_NAME)


@lru_cache(maxsize=1024)
def reference(text: str) -> str:
    """The number of an order where it came from.  The rows of one mostly stand together."""
    return clean_text(text, longest=LONGEST_REFERENCE)


def source(text: str) -> str:
    """The name of the place that orders came from."""
    return clean_text(text, longest=LONGEST_SOURCE)


@lru_cache(maxsize=8192)
def user(text: str) -> str:
    """The name of an account."""
    return clean_username(text)


@lru_cache(maxsize=8192)
def user_key(name: str) -> str:
    """The form under which the names of accounts are compared."""
    return username_key(name)


@lru_cache(maxsize=8192)
def price_text(text: str) -> int:
    """A price in cents, from text."""
    return to_cents(parse_money(text.strip()))


def amount(value: Any) -> int:
    """An amount in cents, from a JSON value."""
    if not isinstance(value, Decimal | int | str):
        raise ValueError("Not a valid amount.")  # noqa: TRY004  (a value of the input, like any other)
    return to_cents(parse_money(value))


def quantity(value: Any, negative: NegativeQuantity) -> int:
    """A quantity, from text or a JSON number; `5.0` is the integer 5."""
    if isinstance(value, str):
        return quantity_text(value, negative)
    return _in_range(whole_number(value), negative)


@lru_cache(maxsize=8192)
def quantity_text(text: str, negative: NegativeQuantity) -> int:
    """A quantity, from text."""
    match = _WHOLE.fullmatch(text.strip())
    return _in_range(int(match[1] + match[2]) if match else None, negative)


def _in_range(number: int | Decimal | None, negative: NegativeQuantity) -> int:
    if number is None:
        raise ValueError("Not a valid integer.")
    if number < 0 and negative is NegativeQuantity.REFUSE:
        raise ValueError("Must not be negative; --negative-quantity absolute takes it without its sign.")
    if not -MOST_QUANTITY <= number <= MOST_QUANTITY:
        raise ValueError(f"Must be between 0 and {MOST_QUANTITY}.")
    return abs(int(number))


def status(text: str) -> OrderStatus:
    """A status by its name, without regard to case."""
    try:
        return OrderStatus(text.strip().lower())
    except ValueError:
        names = ", ".join(status.value for status in OrderStatus)
        raise ValueError(f"Must be one of: {names}.") from None


@lru_cache(maxsize=1024)
def moment(text: str, zone: tzinfo, described: str | None = None) -> datetime:
    """A moment in UTC, from a date with or without a time and an offset.

    Without an offset it is local time in `zone`.  A time that the end of summer time repeats is the
    first of the two; one that its beginning skips is read as if the clock had not been put forward
    yet.  Days and months with slashes are not guessed at: `described` is a strptime format for them.
    """
    text = text.strip()
    if not text:
        raise ValueError("Must not be empty.")
    try:
        found = datetime.strptime(text, described) if described else _from_match(text)  # noqa: DTZ007  (set below)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        if described:
            raise ValueError(f"Not a date of the form {described!r}.") from None
        raise ValueError(_UNREADABLE) from None


def _from_match(text: str) -> datetime:
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise ValueError(_UNREADABLE)
    found = match.groupdict()
    year, month, day = (
        found[part] or found[part + "2"] or found[part + "3"] for part in ("year", "month", "day")
    )
    local = datetime(  # noqa: DTZ001  (the caller sets the zone where there is no offset)
        int(year),
        int(month),
        int(day),
        int(found["hour"] or 0),
        int(found["minute"] or 0),
        int(found["second"] or 0),
        int((found["fraction"] or "0")[:6].ljust(6, "0")),
    )
    offset = found["offset"]
    if not offset:
        return local
    if offset in {"Z", "z", "UTC"}:
        return local.replace(tzinfo=UTC)
    digits = offset[1:].replace(":", "").ljust(4, "0")
    return datetime.fromisoformat(f"{local.isoformat()}{offset[0]}{digits[:2]}:{digits[2:]}")
