"""Pages that follow a cursor."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from orders_app.orders.domain import OrderStatus
from orders_app.orders.filters import ORDERINGS
from tests.callers import ORDERS, Caller
from tests.factories import line

EVERY_ORDERING = [sign + name for name in ORDERINGS for sign in ("", "-")]


def pagination(answer: TestResponse) -> dict[str, Any]:
    described: dict[str, Any] = json.loads(answer.headers["X-Pagination"])
    return described


def next_of(answer: TestResponse) -> str | None:
    link = answer.headers.get("Link")
    return link[1 : link.index(">")] if link else None


def walk(caller: Caller, path: str) -> list[str]:
    """The ids on all pages, in order, by following `Link`."""
    ids: list[str] = []
    place: str | None = path
    while place:
        answer = caller.get(place)
        assert answer.status_code == 200
        ids += [order["order_id"] for order in answer.get_json()]
        place = next_of(answer)
    return ids


def some_orders(caller: Caller, number: int = 11) -> list[str]:
    statuses = list(OrderStatus)
    return [
        caller.order(status=statuses[index % 3], total_price=str(index // 3))["order_id"]
        for index in range(number)
    ]


@pytest.mark.parametrize("ordering", EVERY_ORDERING)
def test_following_it_visits_every_order_once_in_the_order_of_the_list(alice: Caller, ordering: str) -> None:
    made = some_orders(alice)
    whole = [order["order_id"] for order in alice.get(f"{ORDERS}?ordering={ordering}").get_json()]
    assert sorted(whole) == sorted(made)
    for size in (1, 4, 11, 50):
        assert walk(alice, f"{ORDERS}?ordering={ordering}&page_size={size}&cursor=") == whole


def test_orders_that_come_meanwhile_disturb_nothing(alice: Caller) -> None:
    there = some_orders(alice)
    visited: list[str] = []
    place: str | None = f"{ORDERS}?page_size=2&cursor="
    while place:
        answer = alice.get(place)
        visited += [order["order_id"] for order in answer.get_json()]
        alice.order()
        place = next_of(answer)
    assert [order for order in visited if order in there] == there[::-1]
    assert len(set(visited)) == len(visited)


def test_filters_stay(alice: Caller) -> None:
    some_orders(alice)
    path = f"{ORDERS}?status=pending&status=confirmed&max_price=2.00&page_size=2"
    expected = [order["order_id"] for order in alice.get(f"{path}0").get_json()]
    assert len(expected) == 6
    assert walk(alice, f"{path}&cursor=") == expected


def test_it_is_counted_on_demand_only(alice: Caller) -> None:
    some_orders(alice, 3)
    described = pagination(alice.get(f"{ORDERS}?cursor=&page_size=2"))
    assert set(described) == {"page_size", "next_cursor"}
    assert described["page_size"] == 2
    assert pagination(alice.get(f"{ORDERS}?cursor=&count=exact"))["total"] == 3


def test_the_last_page_leads_nowhere(alice: Caller) -> None:
    some_orders(alice, 2)
    answer = alice.get(f"{ORDERS}?cursor=&page_size=2")
    assert len(answer.get_json()) == 2
    assert next_of(answer) is None
    assert pagination(answer)["next_cursor"] is None


def test_an_empty_list_is_one_empty_page(alice: Caller) -> None:
    answer = alice.get(f"{ORDERS}?cursor=")
    assert (answer.get_json(), next_of(answer)) == ([], None)


def test_pages_are_cached_and_fresh(alice: Caller) -> None:
    some_orders(alice, 3)
    path = f"{ORDERS}?cursor=&page_size=2"
    alice.get(path)
    assert alice.get(path).headers["Cache-Status"] == "orders; hit"
    newest = alice.order()
    assert alice.get(path).get_json()[0]["order_id"] == newest["order_id"]


class TestWhatIsRefused:
    def cursor(self, caller: Caller, query: str = "") -> str:
        some_orders(caller, 3)
        cursor: str = pagination(caller.get(f"{ORDERS}?cursor=&page_size=1{query}"))["next_cursor"]
        return cursor

    @pytest.mark.parametrize(
        "cursor", ["zzz", ".", "e30.x", "💥", "%00", "x" * 5000, "W10.AAAA", " "], ids=range(8)
    )
    def test_what_was_not_made_here(self, alice: Caller, cursor: str) -> None:
        answer = alice.get(f"{ORDERS}?cursor={quote(cursor)}")
        assert (answer.status_code, answer.get_json()["code"]) == (400, "malformed_cursor")

    def test_one_that_was_changed(self, alice: Caller) -> None:
        cursor = self.cursor(alice)
        for changed in (cursor[:-1], cursor[1:], cursor.swapcase()):
            assert alice.get(f"{ORDERS}?cursor={changed}").status_code == 400

    @pytest.mark.parametrize("other", ["&ordering=created_at", "&status=pending", "&q=x"])
    def test_one_of_another_list(self, alice: Caller, other: str) -> None:
        answer = alice.get(f"{ORDERS}?cursor={self.cursor(alice)}{other}")
        assert (answer.status_code, answer.get_json()["code"]) == (400, "foreign_cursor")

    def test_one_of_somebody_else(self, alice: Caller, bob: Caller, admin: Caller) -> None:
        cursor = self.cursor(alice)
        assert bob.get(f"{ORDERS}?cursor={cursor}").status_code == 400
        assert admin.get(f"{ORDERS}?cursor={cursor}").status_code == 400

    @pytest.mark.parametrize("query", ["cursor=&page=1", "cursor=&cursor=", "count=all&cursor="])
    def test_what_makes_no_sense(self, alice: Caller, query: str) -> None:
        assert alice.get(f"{ORDERS}?{query}").status_code == 422


def test_lines_come_with_their_order(alice: Caller) -> None:
    order = alice.order(products=[line(name=str(number)) for number in range(7)])
    assert alice.get(f"{ORDERS}?cursor=&page_size=1").get_json() == [order]
