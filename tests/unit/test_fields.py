"""Fields that refuse what marshmallow's own would bend into shape."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from marshmallow import ValidationError

from orders_app.http.fields import Moment, Money, ReadOnly, Text, WholeNumber

QUANTITY = WholeNumber(least=0, most=2_147_483_647)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (0, 0),
        (5, 5),
        ("5", 5),
        ("007", 7),
        (Decimal("5.0"), 5),
        (Decimal("5e1"), 50),
        (Decimal("5.000"), 5),
        (Decimal("-0.0"), 0),
        (2_147_483_647, 2_147_483_647),
        ("2147483647", 2_147_483_647),
    ],
)
def test_whole_numbers(given: Any, expected: int) -> None:
    number = QUANTITY.deserialize(given)
    assert (number, type(number)) == (expected, int)


@pytest.mark.parametrize(
    "given",
    [
        -1,
        2_147_483_648,
        2**63,
        10**30,
        Decimal("1.5"),
        Decimal("1e-400"),
        Decimal("1e400"),
        Decimal("1e1000000"),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        "",
        " ",
        " 5",
        "5 ",
        "1_0",
        "１２",
        "٣",
        "1.0",
        "1e2",
        "-1",
        "+1",
        "0x1",
        "abc",
        "5\n",
        "9" * 21,
        "9" * 5000,
        True,
        False,
        None,
        [],
        {},
        1.5,
    ],
)
def test_no_whole_numbers(given: Any) -> None:
    began = time.perf_counter()
    with pytest.raises(ValidationError):
        QUANTITY.deserialize(given)
    assert time.perf_counter() - began < 0.05


@pytest.mark.parametrize("given", [True, None, [], {}, ["1"], b"1", 1.5])
def test_no_money(given: Any) -> None:
    with pytest.raises(ValidationError):
        Money().deserialize(given)


def test_money_goes_out_as_text_with_two_places() -> None:
    assert Money().serialize("price", {"price": Decimal(5)}) == "5.00"


@pytest.mark.parametrize("given", [5, True, None, [], {}, Decimal(1)])
def test_no_text(given: Any) -> None:
    with pytest.raises(ValidationError):
        Text(longest=10).deserialize(given)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2026-11-23T06:33:00Z", datetime(2026, 11, 23, 6, 33, tzinfo=UTC)),
        ("2026-11-23t06:33:00z", datetime(2026, 11, 23, 6, 33, tzinfo=UTC)),
        ("2026-11-23 06:33:00", datetime(2026, 11, 23, 6, 33, tzinfo=UTC)),
        ("2026-11-23T06:33", datetime(2026, 11, 23, 6, 33, tzinfo=UTC)),
        ("2026-11-23", datetime(2026, 11, 23, tzinfo=UTC)),
        ("2026-11-23T06:33:00+02:00", datetime(2026, 11, 23, 4, 33, tzinfo=UTC)),
        ("2026-11-23T06:33:00 02:00", datetime(2026, 11, 23, 4, 33, tzinfo=UTC)),
        ("2026-11-23T06:33:00.1Z", datetime(2026, 11, 23, 6, 33, 0, 100_000, tzinfo=UTC)),
        ("2026-11-23T06:33:00.123456789Z", datetime(2026, 11, 23, 6, 33, 0, 123_456, tzinfo=UTC)),
        ("2026-11-23T00:30:00-01:00", datetime(2026, 11, 23, 1, 30, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_moments(given: str, expected: datetime) -> None:
    assert Moment().deserialize(given) == expected


@pytest.mark.parametrize(
    "given",
    [
        "yesterday",
        "",
        "2026",
        "2026-11",
        "20261123",
        "2026-W48-1",
        "23.11.2026",
        "1764000000",
        1764000000,
        True,
        None,
        "2024-02-30",
        "2023-02-29",
        "2026-13-01",
        "2026-11-23T25:00:00Z",
        "2026-11-23T23:59:60Z",
        "2026-11-23T06:33:00+99:00",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "2026-11-23T06:33:00Zjunk",
        "２０２６-11-23",
        "2026-11-23T06",
    ],
)
def test_no_moments(given: Any) -> None:
    with pytest.raises(ValidationError):
        Moment().deserialize(given)


@pytest.mark.parametrize("given", ["anything", 5, True, [], {"a": [1]}])
def test_read_only_takes_anything(given: Any) -> None:
    assert ReadOnly().deserialize(given) == given
