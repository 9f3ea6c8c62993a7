"""The gate: what is read of a request, and what is refused.  Nothing here may be a 5xx."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.callers import ORDERS, Caller
from tests.factories import body, line

MALFORMED = {
    "nothing": b"",
    "no JSON": b"{bad",
    "a comma too many": b'{"products": [],}',
    "two documents": b"{} {}",
    "a comment": b"// x\n{}",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": "{}".encode("utf-16"),
    "no UTF-8": b'{"products": "\xff"}',
    "half a surrogate pair": b'{"products": [{"name": "\\ud800", "price": "1", "quantity": 1}]}',
    "half a pair in a key": b'{"\\ud800": 1}',
    "a key twice": b'{"status": "pending", "status": "confirmed", "products": []}',
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "deep in an unknown field": b'{"x": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "deep in a field that is not applied": b'{"version": ' + b"[" * 2_000 + b"]" * 2_000 + b"}",
    "a number of 5,000 digits": b'{"products": [{"name": "a", "price": '
    + b"1" * 5000
    + b', "quantity": 1}]}',
}


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_cannot_be_read_is_malformed(alice: Caller, raw: bytes) -> None:
    began = time.process_time()
    answer = alice.post(ORDERS, raw=raw)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "malformed_json")
    assert time.process_time() - began < 0.5
    assert alice.orders() == []


@pytest.mark.parametrize(
    "raw", [b"[]", b'"x"', b"1", b"null", b"true", b"[[]]", b"1e5", b"NaN", b"[" * 50 + b"]" * 50], ids=repr
)
def test_what_is_no_object_is_invalid(alice: Caller, raw: bytes) -> None:
    assert alice.post(ORDERS, raw=raw).status_code == 422


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/xml",
        "text/html",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin-1",
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_what_is_not_json_is_not_read(alice: Caller, method: str, content_type: str) -> None:
    path = ORDERS if method == "POST" else f"{ORDERS}{alice.order()['order_id']}/"
    raw = json.dumps(body()).encode()
    answer = alice(method, path, raw=raw, headers={"Content-Type": content_type})
    assert answer.status_code == 415


def test_compressed_bodies_are_not_read(alice: Caller) -> None:
    raw = gzip.compress(json.dumps(body()).encode())
    assert alice.post(ORDERS, raw=raw, headers={"Content-Encoding": "gzip"}).status_code == 415


@pytest.mark.parametrize(
    "content_type", ["application/json", "APPLICATION/JSON; charset=utf-8", "application/merge-patch+json"]
)
def test_json_by_any_of_its_names_is_read(alice: Caller, content_type: str) -> None:
    raw = json.dumps(body()).encode()
    assert alice.post(ORDERS, raw=raw, headers={"Content-Type": content_type}).status_code == 201


def test_a_body_that_is_too_large_is_refused(alice: Caller) -> None:
    raw = b'{"products": [' + b" " * (4 * 1024 * 1024) + b"]}"
    assert alice.post(ORDERS, raw=raw).status_code == 413


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
BAD_VALUES: dict[str, list[Any]] = {
    "quantity": [
        *(-1, 1.5, 2**31, 2**63, 10**30, 1e400, True, None, [], {}),
        *("1.5", "many", "1_0", " 1", "１", ""),
    ],
    "name": [
        *("", "   ", "x" * 256, "a\0b", "a\nb", "\u202ea", "\u200b", "\u2028", "\uffff"),
        *(5, None, True, [], {}),
    ],
    "price": [
        *("NaN", "sNaN", "Infinity", "-Infinity", "1e400", "1e99999999", "1e1000000000", "10000000000"),
        *("-1", "-0.01", "1.001", "1.005", "2.675", "0.001", "1.000"),
        *("", " ", "0x10", "1_0", "１２", "٣", "1,5", "9" * 5000),
        *(1.005, 1e300, 10**30, float("nan"), float("inf"), True, None, [], {}),
    ],
    "product_id": ["x", 5, [], True],
    "surprise": [1],
}
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
    "number",
    [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"1e999999999", b"1" * 4000, b"-0.001", b"1.10000"],
)
@pytest.mark.parametrize("field", ["price", "quantity"])
def test_hostile_numbers_are_refused_as_values(alice: Caller, field: str, number: bytes) -> None:
    values = {"name": b'"a"', "price": b"1", "quantity": b"1", field: number}
    members = b", ".join(b'"%s": %s' % (name.encode(), value) for name, value in values.items())
    answer = alice.post(ORDERS, raw=b'{"products": [{' + members + b"}]}")
    assert answer.status_code == 422
    assert len(answer.data) < 1000


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
        "statuss=pending",
        "status=nope",
        "status=PENDING",
        "min_price=abc",
        "min_price=NaN",
        "max_price=-1",
        "max_price=1e400",
        "min_price=5&max_price=4",
        "min_price=1.001",
        "page=0",
        "page=-1",
        "page=abc",
        "page=1_0",
        "page=1.5",
        "page=%D9%A3",
        "page=100000000000000000000",
        "page_size=0",
        "page_size=-1",
        "page_size=201",
        "page_size=1000000000",
        "ordering=user_id",
        "ordering=;drop",
        "ordering=--created_at",
        "ordering=created_at,status",
        "created_after=yesterday",
        "created_before=2024-02-30",
        "updated_after=9999-12-31T23:59:60Z",
        "created_after=0001-01-01T00:00:00%2B23:59",
        "q=%00",
        "q=" + "x" * 256,
        "q=%20",
        "is_deleted=maybe",
        "page=1&page=2",
        "q=a&q=b",
        "min_price=1&min_price=1",
        "ordering=status&ordering=status",
        "format=xml",
        "format=json&format=json",
        "surprise=",
        "%00=1",
        "%FF=1",
        "user[]=x",
    ],
)
def test_a_query_that_is_not_valid(admin: Caller, query: str) -> None:
    answer = admin.get(f"{ORDERS}?{query}")
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == ["query"]


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


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "{}"), ("DELETE", "{}"), ("GET", "{}events/"), ("GET", "/api/v1/users/me/")],
)
def test_what_takes_no_query_takes_none(alice: Caller, method: str, path: str) -> None:
    order = alice.order()
    full = path.format(f"{ORDERS}{order['order_id']}/")
    assert alice(method, f"{full}?surprise=1").status_code == 422
    assert alice.get(f"{full}?format=json").status_code == 200


@pytest.mark.parametrize("path", [f"{ORDERS}?surprise=1", f"{ORDERS}?page=2"])
def test_changes_take_no_query_either(alice: Caller, path: str) -> None:
    assert alice.post(path, body()).status_code == 422
    assert alice.orders() == []
