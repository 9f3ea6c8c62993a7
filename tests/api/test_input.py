"""The gate: what is read of a request, and what is refused.  Nothing here may be a 5xx."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.callers import ORDERS, Caller
from tests.factories import body, line


@pytest.mark.parametrize(
    "raw", [b"[]", b'"x"', b"1", b"null", b"true", b"[[]]", b"1e5", b"NaN", b"[" * 50 + b"]" * 50], ids=repr
)
def test_what_is_no_object_is_invalid(alice: Caller, raw: bytes) -> None:
    assert alice.post(ORDERS, raw=raw).status_code == 422


@pytest.mark.parametrize(
    "content_type", ["application/json", "APPLICATION/JSON; charset=utf-8", "application/merge-patch+json"]
)
def test_json_by_any_of_its_names_is_read(alice: Caller, content_type: str) -> None:
    raw = json.dumps(body()).encode()
    assert alice.post(ORDERS, raw=raw, headers={"Content-Type": content_type}).status_code == 201


def test_a_string_that_is_too_large_is_refused(alice: Caller) -> None:
    raw = b'{"products": "' + b"x" * 2_000_000 + b'"}'
    assert alice.post(ORDERS, raw=raw).status_code == 413


def test_the_largest_body_is_a_setting(app: Flask, make_app: Callable[..., Flask]) -> None:
    small = Caller.by_token(make_app(max_content_length=1024), "alice")
    assert small.post(ORDERS, body(products=[line()] * 30)).status_code == 413
    assert small.post(ORDERS, body()).status_code == 201


GOOD = line()
INVALID: list[tuple[str, Any]] = [
    ("products", {}),
    ("products", {"products": []}),
    ("products", {"products": {}}),
    ("products", {"products": None}),
    ("products", {"products": "x"}),
    ("products", {"products": [1]}),
    ("products", {"products": [None]}),
    ("products", {"products": [[]]}),
    ("products", {"products": [GOOD] * 2001}),
    ("surprise", {"products": [GOOD], "surprise": 1}),
    ("status", {"products": [GOOD], "status": "nope"}),
    ("status", {"products": [GOOD], "status": None}),
    ("status", {"products": [GOOD], "status": ["pending"]}),
    ("status", {"products": [GOOD], "status": "PENDING"}),
    ("total_price", {"products": [GOOD], "total_price": "-1"}),
    ("total_price", {"products": [GOOD], "total_price": None}),
    ("total_price", {"products": [line(price="9999999999.99", quantity=2)]}),
]
BAD_VALUES: dict[str, list[Any]] = {"product_id": ["x", 5, [], True], "surprise": [1]}
LINES = [(field, value) for field, values in BAD_VALUES.items() for value in values]


@pytest.mark.parametrize(("field", "sent"), INVALID, ids=lambda value: str(value)[:50])
def test_an_order_that_is_not_valid_names_the_field(alice: Caller, field: str, sent: Any) -> None:
    answer = alice.post(ORDERS, sent)
    assert answer.status_code == 422
    problem = answer.get_json()
    assert (problem["code"], list(problem["errors"])) == ("validation_error", ["json"])
    assert field in problem["errors"]["json"]


@pytest.mark.parametrize(("field", "value"), LINES, ids=lambda value: repr(value)[:40])
def test_a_line_that_is_not_valid_is_named_by_its_place(alice: Caller, field: str, value: Any) -> None:
    answer = alice.post(ORDERS, {"products": [line(), line(**{field: value})]})
    assert answer.status_code == 422
    assert len(answer.data) < 1000
    assert list(answer.get_json()["errors"]["json"]["products"]["1"]) == [field]


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("quantity", "7", 7),
        ("quantity", 5.0, 5),
        ("quantity", 0, 0),
        ("quantity", 2**31 - 1, 2**31 - 1),
        ("price", "1e2", "100.00"),
        ("price", -0.0, "0.00"),
        ("price", "-0", "0.00"),
        ("price", 3.5, "3.50"),
        ("price", 9999999999.99, "9999999999.99"),
        ("name", "  x  ", "x"),
        ("name", "e\u0301", "\u00e9"),
        ("name", "👨‍👩‍👧", "👨‍👩‍👧"),
        ("name", "x" * 255, "x" * 255),
    ],
)
def test_values_that_are_taken(alice: Caller, field: str, value: Any, expected: Any) -> None:
    order = alice.order(products=[line(**{"quantity": 1, field: value})], total_price="1")
    assert order["products"][0][field] == expected


@pytest.mark.parametrize(
    "query",
    [
        "",
        "status=",
        "q=",
        "min_price=&max_price=",
        "page=&page_size=",
        "ordering=",
        "is_deleted=",
        "user=",
        "format=json",
        "q=&q=",
        "is_deleted=false",
    ],
)
def test_what_is_empty_counts_as_not_given(alice: Caller, query: str) -> None:
    order = alice.order()
    answer = alice.get(f"{ORDERS}?{query}")
    assert answer.get_json() == [order]
