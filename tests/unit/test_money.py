"""Money: exact, two places, never rounded, and cheap to refuse."""

from __future__ import annotations

import random
import time
from decimal import Decimal

import pytest

from orders_app.shared.money import MAX_CENTS, MAX_MONEY, cents_text, from_cents, parse_money, to_cents


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("229", "229.00"),
        (229, "229.00"),
        (Decimal("3.5"), "3.50"),
        ("0", "0.00"),
        ("-0", "0.00"),
        ("-0.00", "0.00"),
        (Decimal("-0.0"), "0.00"),
        ("1e2", "100.00"),
        ("1E+2", "100.00"),
        ("100e-2", "1.00"),
        (Decimal("1e9"), "1000000000.00"),
        ("0e5", "0.00"),
        ("0.01", "0.01"),
        ("00042.10", "42.10"),
        ("+5", "5.00"),
        (" 7 ", "7.00"),
        (".5", "0.50"),
        ("5.", "5.00"),
        ("9999999999.99", "9999999999.99"),
        (9999999999, "9999999999.00"),
    ],
)
def test_amounts_that_are_taken(given: Decimal | int | str, expected: str) -> None:
    assert str(parse_money(given)) == expected


@pytest.mark.parametrize(
    "given",
    [
        "1.001",
        "1.005",
        "0.001",
        "2.675",
        "1.000",
        "1e-3",
        "0e-3",
        Decimal("1.10000"),
        "0.000",
        "-1",
        "-0.01",
        Decimal(-5),
        -1,
        "10000000000",
        "9999999999.995",
        "1e10",
        "1e400",
        "1e1000000",
        "1e999999999999",
        10**10,
        10**30,
        10**4000,
        "NaN",
        "sNaN",
        "-NaN",
        "nan123",
        "Infinity",
        "-Infinity",
        "inf",
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        "",
        " ",
        "abc",
        "0x10",
        "1_0",
        "1,5",
        "1 000",
        "١٢",
        "１２",
        "1e",
        "--1",
        "1.2.3",
        "\x001",
        "5\n",
        "\t5",
        "½",
        "9" * 5000,
        True,
        False,
    ],
)
def test_amounts_that_are_refused(given: Decimal | int | str) -> None:
    with pytest.raises(ValueError, match=r".+\."):
        parse_money(given)


@pytest.mark.parametrize(
    "given",
    ["1e99999999", "1e999999999999999999", Decimal("1e999999"), Decimal("1e-999999"), "9" * 1_000_000],
)
def test_hostile_numbers_cost_nothing(given: Decimal | str) -> None:
    began = time.perf_counter()
    with pytest.raises(ValueError, match=r".+\."):
        parse_money(given)
    assert time.perf_counter() - began < 0.05


def test_every_amount_of_cents_survives_the_way_to_text_and_back() -> None:
    chance = random.Random(20261123)
    some = [0, 1, 99, 100, MAX_CENTS, *(chance.randint(0, MAX_CENTS) for _ in range(2000))]
    for cents in some:
        text = cents_text(cents)
        assert to_cents(parse_money(text)) == cents
        assert str(from_cents(cents)) == text
        assert len(text.partition(".")[2]) == 2


def test_more_than_two_places_is_always_refused_and_fewer_never() -> None:
    chance = random.Random(7)
    for _ in range(1000):
        places = chance.randint(0, 6)
        text = f"{chance.randint(0, 10**9)}.{''.join(chance.choices('0123456789', k=places))}"
        if places > 2:
            with pytest.raises(ValueError, match="decimal places"):
                parse_money(text)
        else:
            assert parse_money(text) == Decimal(text)


def test_the_largest_amount() -> None:
    assert str(MAX_MONEY) == "9999999999.99"
