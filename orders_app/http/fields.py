"""marshmallow fields that refuse what the built-in ones would bend into shape."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields

from orders_app.shared.clock import rfc3339
from orders_app.shared.money import parse_money
from orders_app.shared.numbers import whole_number
from orders_app.shared.text import clean_text


def text_pattern(also_refused: str = "") -> str:
    """Documents what `clean_text` takes, as far as a regular expression can: no controls, something to see.

    `also_refused` holds further characters, as they stand between brackets.
    """
    refused = r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069" + also_refused
    return rf"^[^{refused}]*[^\s{refused}][^{refused}]*$"


TEXT_PATTERN = text_pattern()

_DIGITS = re.compile(r"[0-9]{1,20}", re.ASCII)
_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}(?::\d{2})?)(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})?)?", re.ASCII
)


class Money(fields.Field[Decimal]):
    """An exact amount with two places; strings and numbers come in, strings go out."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else f"{value:.2f}"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        if not isinstance(value, Decimal | int | str):
            raise ValidationError("Not a valid amount.")
        try:
            return parse_money(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class WholeNumber(fields.Field[int]):
    """An integer within bounds: a JSON integer, a decimal without a fraction, or ASCII digits."""

    def __init__(self, *, least: int, most: int, **kwargs: Any) -> None:
        kwargs["metadata"] = {"minimum": least, "maximum": most, **kwargs.get("metadata", {})}
        super().__init__(**kwargs)
        self.least = least
        self.most = most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str):
            number: int | Decimal | None = int(value) if _DIGITS.fullmatch(value) else None
        else:
            number = whole_number(value)
        if number is None:
            raise ValidationError("Not a valid integer.")
        if not self.least <= number <= self.most:
            raise ValidationError(f"Must be between {self.least} and {self.most}.")
        return int(number)


class Text(fields.Field[str]):
    """Text of 1 to `longest` characters after trimming and normalising; no control characters."""

    def __init__(self, *, longest: int, **kwargs: Any) -> None:
        limits = {"minLength": 1, "maxLength": longest, "pattern": TEXT_PATTERN}
        kwargs["metadata"] = {**limits, **kwargs.get("metadata", {})}
        super().__init__(**kwargs)
        self.longest = longest

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("Not a valid string.")
        try:
            return clean_text(value, longest=self.longest)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class Moment(fields.Field[datetime]):
    """RFC 3339 date and time; without an offset it is UTC, without a time midnight."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else rfc3339(value)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        # A plus sign in a query that was not escaped arrives as a blank.
        match = (
            _MOMENT.fullmatch(re.sub(r" (?=\d{2}:\d{2}$)", "+", value)) if isinstance(value, str) else None
        )
        if match is None:
            raise ValidationError("Not a valid date and time; write it like 2026-11-23T06:33:00Z.")
        day, time, fraction, offset = match.groups()
        zone = "+00:00" if offset is None or offset in "Zz" else offset
        try:
            moment = datetime.fromisoformat(f"{day}T{time or '00:00'}{(fraction or '')[:7]}{zone}")
            return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValidationError("Not a valid date and time; there is no such moment.") from None


class ReadOnly(fields.Field[Any]):
    """Accepted in a body, whatever it is, and never applied: a client may send back what it was given."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("metadata", {}).setdefault("description", "Accepted and not applied.")
        super().__init__(load_only=True, allow_none=True, **kwargs)
