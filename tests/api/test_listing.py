"""Finding orders: filters, ordering, pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from orders_app.extensions import db
from orders_app.orders.models import Order
from tests.callers import ORDERS, Caller, path_of
from tests.factories import line


@pytest.fixture
def shelf(alice: Caller) -> list[dict[str, Any]]:
    """Six orders of alice, in the order of their making."""
    wanted = [
        ("pending", "5.00", "Кофе «Эспрессо»"),
        ("confirmed", "50.00", "100% wool"),
        ("cancelled", "500.00", "snake_case"),
        ("completed", "50.00", "Straße"),
        ("pending", "0.00", "back\\slash"),
        ("confirmed", "9999999999.99", "affe"),
    ]
    return [
        alice.order(status=status, total_price=total, products=[line(name="base"), line(name=name)])
        for status, total, name in wanted
    ]


def found(caller: Caller, shelf: list[dict[str, Any]], query: str) -> list[int]:
    """The places on the shelf of what a query finds, sorted."""
    answer = caller.get(f"{ORDERS}?{query}")
    assert answer.status_code == 200, answer.text
    ids = [order["order_id"] for order in shelf]
    return sorted(ids.index(order["order_id"]) for order in answer.get_json())


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [0, 1, 2, 3, 4, 5]),
        ("status=pending", [0, 4]),
        ("status=pending&status=completed", [0, 3, 4]),
        ("status=pending&status=pending", [0, 4]),
        ("min_price=50", [1, 2, 3, 5]),
        ("max_price=50", [0, 1, 3, 4]),
        ("min_price=50&max_price=50", [1, 3]),
        ("min_price=50.01&max_price=500", [2]),
        ("max_price=0", [4]),
        ("min_price=9999999999.99", [5]),
        ("min_price=1e1&max_price=1e2", [1, 3]),
        ("q=кофе", [0]),
        ("q=ЭСПРЕССО", [0]),
        ("q=STRASSE", [3]),
        ("q=100%25", [1]),
        ("q=%25", [1]),
        ("q=_", [2]),
        ("q=e_c", [2]),
        ("q=\\", [4]),
        ("q=BASE", [0, 1, 2, 3, 4, 5]),
        ("q=nothing", []),
        ("q=' OR 1=1 --", []),
        ("status=confirmed&q=wool&min_price=1&max_price=100", [1]),
        ("status=confirmed&q=wool&min_price=51", []),
        ("created_after=2001-01-01", [0, 1, 2, 3, 4, 5]),
        ("created_before=2001-01-01T00:00:00Z", []),
        ("updated_after=2999-01-01T00:00:00%2B02:00", []),
        ("created_after=0001-01-01T00:00:00Z&created_before=9999-12-31T23:59:59Z", [0, 1, 2, 3, 4, 5]),
        ("reference=4711", []),
    ],
)
def test_filters(alice: Caller, shelf: list[dict[str, Any]], query: str, expected: list[int]) -> None:
    assert found(alice, shelf, query) == expected


def test_after_is_inclusive_and_before_is_not(alice: Caller, shelf: list[dict[str, Any]]) -> None:
    third = shelf[2]["created_at"]
    assert found(alice, shelf, f"created_after={third}") == [2, 3, 4, 5]
    assert found(alice, shelf, f"created_before={third}") == [0, 1]
    changed = alice.patch(path_of(shelf[0]), {"total_price": "6"}).get_json()
    assert found(alice, shelf, f"updated_after={changed['updated_at']}") == [0]


def test_a_time_in_another_zone_is_the_same_moment(alice: Caller, shelf: list[dict[str, Any]]) -> None:
    moment = datetime.fromisoformat(shelf[2]["created_at"])
    elsewhere = (moment + timedelta(hours=5)).replace(tzinfo=None).isoformat() + "%2B05:00"
    assert found(alice, shelf, f"created_after={elsewhere}") == [2, 3, 4, 5]


def test_an_admin_finds_by_owner(admin: Caller, bob: Caller, shelf: list[dict[str, Any]]) -> None:
    bob.order()
    assert len(admin.orders()) == 7
    assert found(admin, shelf, "user=ALICE") == [0, 1, 2, 3, 4, 5]
    assert admin.orders(user="nobody") == []
    assert found(admin, shelf, "user=alice&status=pending") == [0, 4]


@pytest.mark.parametrize("query", ["user=alice", "user=bob", "is_deleted=true"])
def test_what_only_admins_may_ask(alice: Caller, query: str) -> None:
    assert alice.get(f"{ORDERS}?{query}").status_code == 403


def test_deleted_ones_are_listed_by_themselves(
    alice: Caller, admin: Caller, shelf: list[dict[str, Any]]
) -> None:
    alice.delete(path_of(shelf[1]))
    assert found(alice, shelf, "") == [0, 2, 3, 4, 5]
    assert found(admin, shelf, "") == [0, 2, 3, 4, 5]
    assert found(admin, shelf, "is_deleted=true") == [1]
    assert found(admin, shelf, "is_deleted=true&q=wool&user=alice") == [1]


def test_a_reference_is_found(app: Flask, alice: Caller, shelf: list[dict[str, Any]]) -> None:
    with app.app_context():
        session = db.session()
        session.execute(
            update(Order).where(Order.total_price_cents == 500).values(source="shop", reference="A-4711")
        )
        session.commit()
    answer = alice.get(f"{ORDERS}?reference=A-4711&page_size=3").get_json()
    assert [(order["source"], order["reference"]) for order in answer] == [("shop", "A-4711")]


@pytest.mark.parametrize(
    ("ordering", "key"),
    [
        ("created_at", "created_at"),
        ("updated_at", "updated_at"),
        ("total_price", "total_price"),
        ("status", "status"),
    ],
)
def test_orderings_and_their_reverse(
    alice: Caller, shelf: list[dict[str, Any]], ordering: str, key: str
) -> None:
    alice.patch(path_of(shelf[1]), {"products": [line()], "total_price": "7"})

    def value(order: dict[str, Any]) -> Any:
        return (float(order[key]) if key == "total_price" else order[key], order["order_id"])

    rising = alice.orders(ordering=ordering)
    falling = alice.orders(ordering=f"-{ordering}")
    assert rising == sorted(rising, key=value)
    assert falling == rising[::-1], "ties are reversed too"
    assert len(rising) == 6


def test_the_newest_come_first(alice: Caller, shelf: list[dict[str, Any]]) -> None:
    assert alice.orders() == shelf[::-1]


@pytest.mark.parametrize("ordering", ["status", "-status", "total_price", "-created_at"])
@pytest.mark.parametrize("size", [1, 2, 4])
def test_pages_never_overlap(alice: Caller, ordering: str, size: int) -> None:
    made = {alice.order(total_price="1")["order_id"] for _ in range(7)}
    seen: list[str] = []
    path: str | None = f"{ORDERS}?ordering={ordering}&page_size={size}&max_price=5&q="
    while path:
        answer = alice.get(path)
        seen += [order["order_id"] for order in answer.get_json()]
        link = answer.headers.get("Link", "")
        path = link[1 : link.index(">")] if link else None
    assert len(seen) == 7
    assert set(seen) == made


def test_a_page_says_where_it_stands(alice: Caller, shelf: list[dict[str, Any]]) -> None:
    answer = alice.get(f"{ORDERS}?page=2&page_size=2")
    assert answer.get_json() == [shelf[3], shelf[2]]
    assert json.loads(answer.headers["X-Pagination"]) == {
        "total": 6,
        "total_pages": 3,
        "page": 2,
        "first_page": 1,
        "last_page": 3,
        "next_page": 3,
        "previous_page": 1,
    }
    assert answer.headers["Link"] == f'<{ORDERS}?page_size=2&page=3>; rel="next"'


@pytest.mark.parametrize("page", ["4", "1000000000", "2147483647"])
def test_a_page_past_the_end_is_empty(alice: Caller, shelf: list[dict[str, Any]], page: str) -> None:
    answer = alice.get(f"{ORDERS}?page={page}&page_size=2")
    assert (answer.status_code, answer.get_json()) == (200, [])
    assert "Link" not in answer.headers
    assert json.loads(answer.headers["X-Pagination"])["next_page"] is None


def test_nothing_is_one_empty_page(alice: Caller) -> None:
    answer = alice.get(ORDERS)
    assert answer.get_json() == []
    assert json.loads(answer.headers["X-Pagination"]) == {
        "total": 0,
        "total_pages": 0,
        "page": 1,
        "first_page": 1,
        "last_page": 1,
        "next_page": None,
        "previous_page": None,
    }


def test_page_sizes_are_settings(app: Flask, make_app: Callable[..., Flask]) -> None:
    alice = Caller.by_token(make_app(default_page_size=3, max_page_size=4), "alice")
    for _ in range(5):
        alice.order()
    assert len(alice.orders()) == 3
    assert len(alice.orders(page_size=4)) == 4
    assert alice.get(ORDERS, query={"page_size": 5}).status_code == 422


def test_fifty_are_on_a_page(alice: Caller) -> None:
    for _ in range(51):
        alice.order()
    assert len(alice.orders()) == 50
    assert len(alice.orders(page=2)) == 1
