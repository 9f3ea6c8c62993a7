"""Exact money: decimals with two places, kept as whole cents in the database.

There is one rounding rule: none.  A value with more than two places is refused, never rounded, and
trailing zeros count as places (`1.000` has three).
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

PLACES = 2
MAX_CENTS = 999_999_999_999
MAX_MONEY = Decimal(MAX_CENTS).scaleb(-PLACES)
_LONGEST = 64


def parse_money(value: Decimal | int | str) -> Decimal:
    """An amount between 0 and `MAX_MONEY` with at most two places.

    Exponents are fine as long as the value fits (`1e2` is 100).  Raises `ValueError` with a sentence
    for a person.  The digits and the exponent are looked at before any arithmetic, because that is
    what a hostile number such as `1e1000000000` makes expensive.
    """
    if isinstance(value, bool):
        raise ValueError("Not a valid amount.")
    if isinstance(value, str):
        value = _from_text(value)
    elif isinstance(value, int):
        if not 0 <= value <= MAX_CENTS:
            raise ValueError(_range_message())
        value = Decimal(value)
    if not value.is_finite():
        raise ValueError("Not a valid amount.")
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)  # noqa: S101  (what as_tuple gives for a finite number)
    if not value:
        if exponent < -PLACES:
            raise ValueError("At most two decimal places.")
        return Decimal("0.00")
    if len(digits) + exponent > 10:
        raise ValueError(_range_message())
    if exponent < -PLACES:
        raise ValueError("At most two decimal places.")
    if value < 0:
        raise ValueError("Must not be negative.")
    return value.quantize(Decimal("0.01"))


def _from_text(text: str) -> Decimal:
    text = text.strip(" ")
    if not text or len(text) > _LONGEST or not text.isascii() or "_" in text:
        raise ValueError("Not a valid amount.")
    try:
        return Decimal(text)
    except (InvalidOperation, ValueError):
        raise ValueError("Not a valid amount.") from None


def _range_message() -> str:
    return f"Must be between 0 and {MAX_MONEY}."


def to_cents(amount: Decimal) -> int:
    """Whole cents, as the database keeps them."""
    return int(amount.scaleb(PLACES))


def from_cents(cents: int) -> Decimal:
    """The amount that so many cents are."""
    return Decimal(cents).scaleb(-PLACES)


def cents_text(cents: int) -> str:
    """Cents as the API writes an amount: `22900` is `"229.00"`."""
    return f"{cents // 100}.{cents % 100:02d}"
