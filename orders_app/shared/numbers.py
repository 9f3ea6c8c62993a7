"""Whole numbers, however they are written."""

from __future__ import annotations

from decimal import Decimal
from typing import Any


def whole_number(value: Any) -> int | Decimal | None:
    """The value if it is an integer or a decimal without a fraction (`5.0`), else None.

    A large decimal is handed back as it is, to be compared before it is converted: `int()` of
    `1e1000000` would write out every digit.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, Decimal) and value.is_finite():
        return value if value.adjusted() > 30 or value == value.to_integral_value() else None
    return None
