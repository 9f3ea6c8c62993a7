"""`GET /api/v1/orders/<order_id>/?version=3`: an order as it was then."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests import factories
from tests.callers import Caller, path_of


def version(caller: Caller, order: dict[str, Any], number: object) -> Any:
    return caller.get(path_of(order), query={"version": number})


@pytest.fixture
def told(alice: Caller, admin: Caller) -> list[dict[str, Any]]:
    """What was answered after each of seven changes of one order."""
    first = alice.order(total_price="5.00")
    path = path_of(first)
    lines = first["products"]
    answers = [
        first,
        alice.patch(path, {"status": "confirmed"}).get_json(),
        alice.put(
            path, {"products": [factories.line(name="bear", price="0.10", quantity=3), *lines]}
        ).get_json(),
        alice.patch(path, {"products": [{**lines[0], "quantity": 7}], "status": "pending"}).get_json(),
    ]
    alice.delete(path)
    answers.append(admin.get(path).get_json())
    answers.append(admin.post(path_of(first, "restore")).get_json())
    answers.append(admin.patch(path, {"user": "bob", "total_price": "0.00"}).get_json())
    return answers


def test_every_version_is_what_was_answered_then(admin: Caller, told: list[dict[str, Any]]) -> None:
    assert [answer["version"] for answer in told] == list(range(1, 8))
    for answer in told[:-1]:
        then = version(admin, told[0], answer["version"])
        assert then.get_json() == {**answer, "allowed_transitions": []}
    assert version(admin, told[0], 7).get_json() == told[-1]


def test_the_version_that_stands_is_the_order(alice: Caller) -> None:
    order = alice.order()
    now = version(alice, order, 1)
    assert now.get_json() == order
    assert now.headers["ETag"] == alice.read(order).headers["ETag"]


@pytest.mark.parametrize("number", [2, 99, 2_147_483_647])
def test_a_version_that_there_is_not(alice: Caller, number: int) -> None:
    answer = version(alice, alice.order(), number)
    assert (answer.status_code, answer.get_json()["code"]) == (404, "no_such_version")


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5", "1_0", "٣", "2147483648", "9" * 30])
def test_what_is_no_version(alice: Caller, number: str) -> None:
    answer = version(alice, alice.order(), number)
    assert answer.status_code == 422
    assert set(answer.get_json()["errors"]["query"]) == {"version"}


def test_strangers_are_told_what_strangers_are_told(
    alice: Caller, bob: Caller, admin: Caller, told: list[dict[str, Any]]
) -> None:
    """Who may read an order now may read what it was, also from before it was theirs; nobody else may."""
    assert version(bob, told[0], 1).get_json()["user"] == "alice"
    answer = version(alice, told[0], 1)
    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")
    bob.delete(path_of(told[0]))
    assert version(bob, told[0], 1).status_code == 404
    assert version(admin, told[0], 1).status_code == 200


def test_it_is_cached_and_tagged_apart_from_the_order(alice: Caller) -> None:
    order = alice.order()
    alice.patch(path_of(order), {"status": "confirmed"})
    first = version(alice, order, 1)
    assert first.headers["Cache-Status"] == "orders; fwd=miss; stored"
    assert version(alice, order, 1).headers["Cache-Status"] == "orders; hit"
    assert alice.read(order).get_json()["status"] == "confirmed"
    assert version(alice, order, 1).get_json()["status"] == "pending"
    again = alice.get(path_of(order), query={"version": 1}, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def test_a_new_name_of_the_owner_is_shown(app: Flask, admin: Caller, alice: Caller) -> None:
    """The history holds names where the owner changed; else the order is shown under today's name."""
    order = alice.order()
    alice.patch(path_of(order), {"status": "confirmed"})
    user = factories.user_id(app, "alice")
    admin.patch(f"/api/v1/users/{user}/", {"username": "alicia"})
    assert version(admin, order, 1).get_json()["user"] == "alicia"
