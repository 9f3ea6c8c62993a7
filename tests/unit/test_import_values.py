"""What a file says, held against the rules of the API."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from marshmallow import ValidationError

from orders_app.orders.domain import OrderStatus
from orders_app.orders.importing import values
from orders_app.orders.importing.options import ImportOptions, NegativeQuantity
from orders_app.orders.schemas import LineInSchema
from orders_app.shared.money import to_cents

REFUSE, ABSOLUTE = NegativeQuantity.REFUSE, NegativeQuantity.ABSOLUTE
LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("6", 6),
        (" 6 ", 6),
        ("5.0", 5),
        ("5.", 5),
        ("007", 7),
        ("0", 0),
        ("-0", 0),
        ("2147483647", 2147483647),
    ],
)
def test_quantities_that_are_taken(text: str, expected: int) -> None:
    assert values.quantity(text, REFUSE) == expected


@pytest.mark.parametrize(
    "text", ["", " ", "5.5", "1,000", "1_0", "+5", "1e2", "٣", "１２", "many", "2147483648", "9" * 21, "--1"]
)
def test_quantities_that_are_refused(text: str) -> None:
    for negative in NegativeQuantity:
        with pytest.raises(ValueError, match=r"integer|between"):
            values.quantity(text, negative)


def test_negative_quantities() -> None:
    assert values.quantity("-5", ABSOLUTE) == 5
    assert values.quantity("-5.0", ABSOLUTE) == 5
    assert values.quantity(-5, ABSOLUTE) == 5
    for value in ("-5", -5, Decimal(-5)):
        with pytest.raises(ValueError, match="--negative-quantity absolute"):
            values.quantity(value, REFUSE)
    with pytest.raises(ValueError, match="between"):
        values.quantity("-2147483648", ABSOLUTE)


@pytest.mark.parametrize(
    ("name", "price", "quantity"),
    [
        ("affe", "42", 0),
        ("  affe  ", Decimal("42.50"), 3),
        ("e\u0301", 7, "12"),
        ("affe", "1e2", Decimal("5.0")),
        ("", "1", 1),
        ("\u200b", "1", 1),
        ("a\x00b", "1", 1),
        ("a\u202eb", "1", 1),
        ("x" * 256, "1", 1),
        ("affe", "1.005", 1),
        ("affe", "1.000", 1),
        ("affe", "-1", 1),
        ("affe", "10000000000", 1),
        ("affe", "NaN", 1),
        ("affe", Decimal("Infinity"), 1),
        ("affe", True, 1),
        ("affe", "1", True),
        ("affe", "1", Decimal("1.5")),
        ("affe", "1", Decimal("1e400")),
        ("affe", "1", 2**31),
        ("affe", "1", -1),
        ("affe", "1", "１"),
        ("affe", None, 1),
        ("affe", "1", None),
    ],
)
def test_a_line_of_json_is_taken_exactly_where_the_api_takes_it(
    name: str, price: object, quantity: object
) -> None:
    try:
        line = LineInSchema().load({"name": name, "price": price, "quantity": quantity})
        expected: object = (line.name, to_cents(line.price), line.quantity)
    except ValidationError:
        expected = "refused"
    try:
        got: object = (values.product_name(name), values.amount(price), values.quantity(quantity, REFUSE))
    except ValueError:
        got = "refused"
    assert got == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2010-12-01 08:26:00", "2010-12-01T08:26:00"),
        ("2010-07-01 08:26", "2010-07-01T07:26:00"),
        ("2010-12-01T08:26:00Z", "2010-12-01T08:26:00"),
        ("2010-07-01T08:26:00.123456789Z", "2010-07-01T08:26:00.123456"),
        ("2010-12-01T08:26:00,5+02:00", "2010-12-01T06:26:00.500000"),
        ("2010-12-01 08:26:00 -0130", "2010-12-01T09:56:00"),
        ("2010-12-01T08:26:00+01", "2010-12-01T07:26:00"),
        ("2010-12-01", "2010-12-01T00:00:00"),
        ("20101201", "2010-12-01T00:00:00"),
        ("2010/7/1 8:26", "2010-07-01T07:26:00"),
        ("1.12.2010 8:26", "2010-12-01T08:26:00"),
        # The clock goes forward at one o'clock: half past one is not there.
        ("2026-03-29 01:30:00", "2026-03-29T01:30:00"),
        # And back at two: half past one is there twice, and the first one counts.
        ("2026-10-25 01:30:00", "2026-10-25T00:30:00"),
    ],
)
def test_moments(text: str, expected: str) -> None:
    assert values.moment(text, LONDON) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "12/1/2010 8:26",
        "2010-13-01",
        "2010-02-30",
        "2010-12-01 24:00",
        "2010-12-01T08:26:00+99:00",
        "0001-01-01T00:00:00+23:00",
        "9999-12-31T23:59:59-01:00",
        "٢٠١٠-12-01",
    ],
)
def test_dates_that_cannot_be_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"date|empty"):
        values.moment(text, UTC)


def test_a_described_date() -> None:
    assert values.moment("12/1/2010 8:26", LONDON, "%m/%d/%Y %H:%M") == datetime(
        2010, 12, 1, 8, 26, tzinfo=UTC
    )
    with pytest.raises(ValueError, match="form"):
        values.moment("2010-12-01", UTC, "%m/%d/%Y %H:%M")


def test_a_status_by_prefix_by_itself_and_for_all() -> None:
    options = ImportOptions(
        status_prefixes=(("C", OrderStatus.CANCELLED), ("CO", OrderStatus.COMPLETED)),
        status=OrderStatus.PENDING,
    )
    assert options.status_of("C1", OrderStatus.CONFIRMED) is OrderStatus.CANCELLED
    assert options.status_of("CO1", None) is OrderStatus.COMPLETED
    assert options.status_of("1C", OrderStatus.CONFIRMED) is OrderStatus.CONFIRMED
    assert options.status_of("1C", None) is OrderStatus.PENDING
    assert values.status(" Cancelled ") is OrderStatus.CANCELLED
    with pytest.raises(ValueError, match="Must be one of"):
        values.status("nope")
