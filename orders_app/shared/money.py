"""Exact money: decimals with two places, kept as whole cents in the database.

There is one rounding rule: none.  A value with more than two places is refused, never rounded, and
trailing zeros count as places (`1.000` has three).
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

PLACES = 2
MAX_CENTS = 999_999_999_999
MAX_MONEY = Decimal(MAX_CENTS).scaleb(-PLACES)
_WHOLE_DIGITS = 10
_LONGEST = 64
_NO_AMOUNT = "Not a valid amount."
_RANGE = f"Must be between 0 and {MAX_MONEY}."


def parse_money(value: Decimal | int | str) -> Decimal:
    """An amount between 0 and `MAX_MONEY` with at most two places.

    Exponents are fine as long as the value fits (`1e2` is 100).  Raises `ValueError` with a sentence
    for a person.  The digits and the exponent are looked at before any arithmetic, because that is
    what a hostile number such as `1e1000000000` makes expensive.
    """
    number = _from_text(value) if isinstance(value, str) else value
    if isinstance(number, int):
        if isinstance(number, bool):
            raise ValueError(_NO_AMOUNT)  # noqa: TRY004  (one kind of error for callers)
        if abs(number) > MAX_CENTS:
            raise ValueError(_RANGE)
        number = Decimal(number)
    if not number.is_finite():
        raise ValueError(_NO_AMOUNT)
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)  # noqa: S101  (what as_tuple gives for a finite number)
    if exponent < -PLACES:
        raise ValueError(f"At most {PLACES} decimal places.")
    if not number:
        return Decimal("0.00")
    if len(digits) + exponent > _WHOLE_DIGITS:
        raise ValueError(_RANGE)
    if number < 0:
        raise ValueError("Must not be negative.")
    return number.quantize(Decimal("0.01"))


def _from_text(text: str) -> Decimal:
    text = text.strip(" ")
    if not text or len(text) > _LONGEST or not text.isascii() or "_" in text or text != text.strip():
        raise ValueError(_NO_AMOUNT)
    try:
        return Decimal(text)
    except (InvalidOperation, ValueError):
        raise ValueError(_NO_AMOUNT) from None


def to_cents(amount: Decimal) -> int:
    """Whole cents, as the database keeps them."""
    return int(amount.scaleb(PLACES))


def from_cents(cents: int) -> Decimal:
    """The amount that so many cents are."""
    return Decimal(cents).scaleb(-PLACES)


def cents_text(cents: int) -> str:
    """Cents as the API writes an amount: `22900` is `"229.00"`."""
    return f"{cents // 100}.{cents % 100:02d}"
