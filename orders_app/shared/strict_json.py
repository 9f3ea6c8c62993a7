"""One JSON reader for all input: RFC 8259 to the letter, and nothing that costs more than it is worth."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from orders_app.shared.errors import Malformed, TooLarge

LONGEST_STRING = 1024 * 1024
"""Characters in one string.  A body may be larger than this as a whole; no value in it means to be."""


MOST_LEVELS = 64
"""Objects and arrays inside one another.  An order has three."""


def loads(data: bytes) -> Any:
    """One JSON document as Python values; numbers with a point or an exponent become exact decimals.

    Raises `TooLarge`, and `Malformed` for whatever cannot be read: syntax, encoding, duplicate keys,
    lone surrogates, absurd nesting or digits.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("The body is not valid UTF-8.") from None
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_float=_decimal, parse_constant=Decimal)
        _check_size([value])
        _check_depth(value)
        if "\\ud" in text.lower():
            # Only an escape can smuggle in half a surrogate pair; text that holds one cannot be encoded.
            json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")
    except RecursionError:
        raise Malformed("The JSON is nested too deeply.") from None
    except UnicodeEncodeError:
        raise Malformed("The JSON holds half of a surrogate pair.") from None
    except json.JSONDecodeError as error:
        raise Malformed(
            f"Not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from None
    except ValueError as error:  # duplicate keys, and more digits than Python takes
        raise Malformed(f"Not valid JSON: {error}") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice in one object.")
    _check_size(result)
    _check_size(result.values())
    return result


def _check_size(values: Iterable[Any]) -> None:
    for value in values:
        if isinstance(value, str) and len(value) > LONGEST_STRING:
            raise TooLarge(f"A string is longer than {LONGEST_STRING} characters.", code="string_too_large")


def _check_depth(value: Any) -> None:
    """Python's own limit differs between its versions; and what is deep costs more later than here.

    On the way, look at the strings in arrays: those in objects were looked at as they were read.
    """
    level = [value]
    for _ in range(MOST_LEVELS):
        for array in level:
            if isinstance(array, list):
                _check_size(array)
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise Malformed("The JSON is nested too deeply.")


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("Infinity")  # an exponent beyond what Decimal takes; refused as a value later
