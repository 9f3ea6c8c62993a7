"""Paths and query parameters.  Nothing here is a 5xx."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask

from tests import factories
from tests.admin.visitor import Visitor
from tests.callers import ORDERS, USERS, Caller, path_of
from tests.cases.operations import each, operations, protected
from tests.factories import body


def refused(caller: Caller, query: str, path: str = ORDERS) -> bool:
    """Whether it is refused as a query that is not valid."""
    answer = caller.get(f"{path}?{query}")
    if answer.status_code != 422:
        return False
    assert list(answer.get_json()["errors"]) == ["query"]
    return True


@each(
    "wrong",
    [
        *(
            "not-a-uuid",
            "1",
            "0",
            "-1",
            "null",
            "%00",
            "a%00b",
            "%FF",
            "%C3",
            "..%2f..%2f",
            "%D9%A3",
            "{order_id}",
        ),
        *(
            "0" * 32,
            "x" * 36,
            "x" * 5000,
            "019ab0f2-6f6e-7cc3-9b9e-4f2f3c1d8a5g",
            "%7B%7B7*7%7D%7D",
            "%0d%0a",
            "'",
        ),
        *("019ab0f2_6f6e_7cc3_9b9e_4f2f3c1d8a55", "{019ab0f2-6f6e-7cc3-9b9e-4f2f3c1d8a55}", "%E2%80%AE"),
        *("019ab0f2-6f6e-7cc3-9b9e-4f2f3c1d8a55%20", "urn:uuid:019ab0f2-6f6e-7cc3-9b9e-4f2f3c1d8a55"),
    ],
)
def test_in26_what_is_no_id_names_nothing(app: Flask, admin: Caller, wrong: str) -> None:
    for operation in protected(app):
        if operation.arguments:
            path = operation.path(order_id=wrong, user_id=wrong)
            assert admin(operation.method, path, *bodies(operation.good_body())).status_code == 404, path


def bodies(good: Any) -> list[Any]:
    return [] if good is None else [good]


def test_in26_an_id_is_written_in_either_case(alice: Caller) -> None:
    order = alice.order()
    assert alice.get(f"{ORDERS}{order['order_id'].upper()}/").get_json() == order


@pytest.mark.parametrize(
    "query",
    ["surprise=1", "surprise=", "Page=1", "page_size[]=1", "%00=1", "%FF=1", "status[]=pending", "=1", "é=1"],
)
def test_in27_unknown_parameters_are_refused(app: Flask, admin: Caller, query: str) -> None:
    """On every operation of the API, those with a body and those without credentials included."""
    order = admin.order()
    bob = str(factories.user_id(app, "bob"))
    for operation in operations(app):
        if "/register/" not in operation.rule:
            path = f"{operation.path(order_id=order['order_id'], user_id=bob)}?{query}"
            answer = admin(operation.method, path, *bodies(operation.good_body()))
            assert answer.status_code == 422, str(operation)
    assert admin.read(order).get_json() == order


@pytest.mark.parametrize("path", [ORDERS, USERS])
@each(
    "page",
    [
        *(
            "0",
            "-1",
            "abc",
            "1_0",
            "٣",
            "１",
            "1.5",
            "1e3",
            "0x1",
            " 1",
            "+1",
            "true",
            "null",
            "NaN",
            "1 2",
            "\0",
        ),
        *(str(10**20), "9" * 5000, str(2**31), str(2**63), "-0", "0" * 30 + "1"),
    ],
)
def test_in29_what_is_no_page(admin: Caller, path: str, page: str) -> None:
    assert refused(admin, f"page={quote(page)}", path)


@each("page", [2, 1_000, 10**9, 2**31 - 1])
def test_in29_a_page_past_the_end_is_empty(app: Flask, admin: Caller, page: int) -> None:
    admin.order()
    for path in (ORDERS, USERS):
        for size in ("", "&page_size=1", "&page_size=200"):
            answer = admin.get(f"{path}?page={page * 10 if page < 10 else page}{size}")
            assert (answer.status_code, answer.get_json()) == (200, [])


@each("page", ["0", "-1", "1e9", str(10**9), str(10**20), "abc", "1_0", "٣", "9" * 5000])
def test_in29_the_panel_has_such_pages_neither(app: Flask, page: str) -> None:
    panel = Visitor.logged_in(app)
    for path in ("/admin/orders/", "/admin/users/", "/admin/events/"):
        for name in ("page", "page_size"):
            assert panel.get(path, query_string={name: page}).status_code in {200, 302, 404, 422}


@pytest.mark.parametrize("path", [ORDERS, USERS])
def test_in30_the_size_of_a_page_has_bounds(admin: Caller, path: str) -> None:
    wrong = [
        "0",
        "-1",
        "201",
        str(10**9),
        str(10**20),
        "1000",
        "1.5",
        "abc",
        "1_0",
        "٣",
        "９",
        "NaN",
        "9" * 5000,
    ]
    for size in wrong:
        assert refused(admin, f"page_size={quote(size)}", path), size
        if path == ORDERS:
            assert refused(admin, f"cursor=&page_size={quote(size)}"), size
    for good in (1, 200):
        assert admin.get(f"{path}?page_size={good}").status_code == 200


@pytest.mark.parametrize("name", ["created_after", "created_before", "updated_after"])
def test_in32_dates(alice: Caller, name: str) -> None:
    """RFC 3339; without an offset it is UTC, without a time midnight; what never was is refused."""
    alice.order()
    for wrong in (
        *(
            "yesterday",
            "2024",
            "2024-02-30",
            "2023-02-29",
            "2024-13-01",
            "2024-00-10",
            "10000-01-01",
            "-1-01-01",
        ),
        *("2016-12-31T23:59:60Z", "9999-12-31T23:59:60Z", "2024-01-01T24:00:00Z", "2024-01-01T25:00:00Z"),
        *("0001-01-01T00:00:00+23:59", "0001-01-01T00:00+00:01", "9999-12-31T23:59:59-00:01", "0000-01-01"),
        *("2024-01-01T00:00:00+24:00", "2024-01-01T00:00:00+99:99", "2024-01-01T00:00:00 UTC", "1704067200"),
        *(
            "٢٠٢٤-٠١-٠١",
            "2024-1-1",
            "20240101",
            "2024-W01-1",
            "2024-01-01T",
            "0001-01-01+23:59",
            "NaN",
            "now",
        ),
        "2024-01-01T00:00:00." + "9" * 5000 + "Z",
    ):
        assert refused(alice, f"{name}={quote(wrong)}"), wrong
    early = {"0001-01-01": 1, "0001-01-01T00:00:00Z": 1, "2024-02-29": 1, "1969-12-31T23:59:59.999999Z": 1}
    late = {"9999-12-31": 0, "9999-12-31T23:59:59.999999Z": 0, "9999-12-31T23:59:59+23:59": 0}
    for moment, after in {**early, **late, "2024-01-01T00:00": 1, "2024-01-01t00:00:00z": 1}.items():
        expected = 1 - after if name == "created_before" else after
        answer = alice.get(f"{ORDERS}?{name}={quote(moment)}")
        assert (answer.status_code, len(answer.get_json())) == (200, expected), moment


def test_in33_ranges_that_cross(alice: Caller) -> None:
    """Of prices and of times.  One that ends where it begins is empty (of times), and no mistake."""
    order = alice.order()
    for least, most in (("5", "4"), ("0.02", "0.01"), ("9999999999.99", "0"), ("84.01", "84.00")):
        assert refused(alice, f"min_price={least}&max_price={most}")
        assert refused(alice, f"max_price={most}&min_price={least}&cursor=")
    for least, most in (("84.00", "84.00"), ("84", "84.0"), ("0", "9999999999.99"), ("-0", "84")):
        assert alice.orders(min_price=least, max_price=most) == [order]
    made = order["created_at"]
    for since, until in (
        ("2100-01-01", "2000-01-01"),
        ("2024-01-01T00:00:00.000001Z", "2024-01-01"),
        ("9999-12-31T23:59:59.999999Z", "0001-01-01"),
        ("2024-01-01T00:00:00-01:00", "2024-01-01T00:59:59Z"),
        (made, made.replace("T", "t").replace("Z", "+00:01")),
    ):
        for query in (
            f"created_after={quote(since)}&created_before={quote(until)}",
            f"created_before={quote(until)}&created_after={quote(since)}&cursor=",
        ):
            answer = alice.get(f"{ORDERS}?{query}")
            assert (answer.status_code, answer.get_json()["code"]) == (422, "validation_error")
            assert answer.get_json()["errors"] == {
                "query": {"created_before": ["Must not be before created_after."]}
            }
    for since, until in ((made, made), ("2024-01-01T01:00:00+01:00", "2024-01-01")):
        assert alice.orders(created_after=since, created_before=until) == []
    assert alice.orders(created_after=made, created_before="9999-12-31") == [order]


@each(
    "query",
    [
        *("status=nope", "status=PENDING", "status=pending&status=nope", "status=deleted", "status=%00"),
        *("ordering=user_id", "ordering=;drop", "ordering=--created_at", "ordering=created_at,status"),
        *("ordering=+created_at", "ordering=CREATED_AT", "ordering=price", "ordering=(select 1)"),
        *(
            "is_deleted=maybe",
            "is_deleted=2",
            "format=xml",
            "format=json&format=json",
            "count=all",
            "user=%20",
        ),
        *(
            "q=%20",
            "q=%00",
            "q=" + "x" * 256,
            "reference=%00",
            "min_price=abc",
            "max_price=-1",
            "min_price=1.001",
        ),
        *("page=1&page=2", "q=a&q=b", "min_price=1&min_price=1", "ordering=status&ordering=status"),
        *("cursor=&page=1", "page=1&cursor=x"),
    ],
)
def test_in38_what_is_no_value_of_a_parameter(admin: Caller, query: str) -> None:
    assert refused(admin, query)


def test_in38_large_headers_harm_nobody(app: Flask, alice: Caller) -> None:
    """Servers refuse them with 431 (`test_in38_…` of the processes); to the application they are text."""
    order = alice.order()
    for name in (
        "X-Anything",
        "If-None-Match",
        "Accept",
        "Idempotency-Key",
        "X-Request-ID",
        "Cookie",
        "Origin",
    ):
        answer = alice.get(path_of(order), headers={name: "x" * 65_536})
        assert (answer.status_code, answer.get_json()) == (200, order)
    answer = alice.post(ORDERS, body(), headers={"Idempotency-Key": "x" * 65_536})
    assert answer.status_code == 422
