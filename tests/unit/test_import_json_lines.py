"""JSON Lines: an order a line, whole or not at all."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from orders_app.orders.domain import OrderStatus
from orders_app.orders.importing.json_lines import JsonOrder, read_order
from orders_app.orders.importing.options import NegativeQuantity

LINE = {"name": "affe", "price": "42", "quantity": 0}


def read(data: Any) -> JsonOrder:
    text = data if isinstance(data, str) else json.dumps(data)
    return read_order(text, NegativeQuantity.REFUSE)


def test_the_example_of_the_original() -> None:
    order = read({"status": "cancelled", "total_price": "229", "products": [LINE]})
    assert order.problems == []
    assert order.status is OrderStatus.CANCELLED
    assert order.total_cents == 22900
    assert order.lines == [("affe", 4200, 0)]
    assert order.reference is None
    assert order.order_id is None


def test_an_answer_of_the_api() -> None:
    order = read(
        {
            "order_id": "01a20ab6-7ef4-701e-9f4b-7802ee720f27",
            "user": "alice",
            "status": "pending",
            "total_price": "0.10",
            "products": [{"product_id": "x", **LINE, "price": 0.1, "quantity": 1}],
            "is_deleted": True,
            "created_at": "2026-11-23T06:33:00.123456Z",
            "updated_at": "2026-11-23T06:33:00.123456Z",
            "version": 3,
            "allowed_transitions": ["confirmed"],
            "source": None,
            "reference": None,
        }
    )
    assert order.problems == []
    assert order.lines == [("affe", 10, 1)]
    assert order.created_at == datetime(2026, 11, 23, 6, 33, 0, 123456, tzinfo=UTC)
    assert order.is_deleted


def test_numbers_of_other_systems_may_be_numbers() -> None:
    order = read({"order_id": 17, "reference": 18, "products": [LINE]})
    assert (order.order_id, order.reference) == ("17", "18")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("{", "Not valid JSON"),
        ("[]", "Not a JSON object"),
        ('{"a": 1, "a": 2}', "twice"),
        ('{"products": [{"price": NaN}]}', "products.0.price: Not a valid amount."),
        ("9" * 5000, "Not valid JSON"),
        ("[" * 100_000, "nested too deeply"),
        ({"products": []}, "products: Between 1 and 2000"),
        ({}, "products: Between 1 and 2000"),
        ({"products": [LINE] * 2001}, "products: Between 1 and 2000"),
        ({"products": [1]}, "products.0: Not a JSON object"),
        ({"products": [LINE, {**LINE, "price": "-1"}]}, "products.1.price: Must not be negative."),
        ({"products": [{**LINE, "price": 1e300}]}, "products.0.price"),
        ({"products": [{**LINE, "surprise": 1}]}, "products.0.surprise: Unknown field."),
        ({"products": [LINE], "surprise": 1}, "surprise: Unknown field."),
        ({"products": [LINE], "status": "nope"}, "status: Must be one of"),
        ({"products": [LINE], "status": None}, "status: Not a valid string."),
        ({"products": [LINE], "total_price": None}, "total_price: Not a valid amount."),
        ({"products": [LINE], "user": "command line"}, "user: This name is reserved."),
        ({"products": [LINE], "is_deleted": "no"}, "is_deleted: Not a valid boolean."),
        ({"products": [{**LINE, "name": "\ud800"}]}, "half of a surrogate pair"),
        ({"products": [LINE], "reference": True}, "reference: Not a valid string."),
        ({"products": [LINE], "created_at": "then"}, "created_at: Not a date"),
    ],
)
def test_what_is_refused(data: Any, problem: str) -> None:
    problems = read(data).problems
    assert any(problem in item for item in problems), problems


def test_what_it_says_names_it_however_it_is_written() -> None:
    one = read('{"products": [{"name": "a", "price": 1, "quantity": 1}], "status": "pending"}')
    other = read('{ "status":"pending","products":[{"quantity":1,"price":1,"name":"a"}] }')
    assert one.digest == other.digest
    assert one.digest != read({"products": [LINE]}).digest
