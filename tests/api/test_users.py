"""Accounts: one's own, and all of them for admins."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from tests import factories
from tests.callers import ORDERS, USERS, Caller

REGISTER = "/api/v1/register/"


def path(app: Flask, name: str) -> str:
    return f"{USERS}{factories.user_id(app, name)}/"


def test_me(alice: Caller) -> None:
    account = alice.get(f"{USERS}me/").get_json()
    assert set(account) == {"user_id", "username", "role", "is_active", "created_at"}
    assert UUID(account["user_id"]).version == 7
    assert (account["username"], account["role"], account["is_active"]) == ("alice", "user", True)


def test_an_admin_lists_accounts_by_name(admin: Caller) -> None:
    answer = admin.get(USERS)
    assert [account["username"] for account in answer.get_json()] == ["admin", "alice", "bob"]
    assert json.loads(answer.headers["X-Pagination"])["total"] == 3


def test_accounts_come_in_pages(admin: Caller) -> None:
    answer = admin.get(USERS, query={"page": 2, "page_size": 2})
    assert [account["username"] for account in answer.get_json()] == ["bob"]
    assert admin.get(USERS, query={"page": 9}).get_json() == []
    assert admin.get(USERS, query={"page_size": 201}).status_code == 422


def test_an_admin_makes_an_account_that_works(app: Flask, admin: Caller) -> None:
    answer = admin.post(USERS, {"username": " Zoë ", "password": "long enough"})
    assert answer.status_code == 201
    account = answer.get_json()
    assert (account["username"], account["role"]) == ("Zoë", "user")
    assert "password" not in answer.text
    assert admin.get(answer.headers["Location"]).get_json() == account
    assert Caller.by_password(app, "Zoë", "long enough").get(ORDERS).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"password": "long enough"}, "username"),
        ({"username": "", "password": "long enough"}, "username"),
        ({"username": "   ", "password": "long enough"}, "username"),
        ({"username": "x" * 151, "password": "long enough"}, "username"),
        ({"username": "a\u0000b", "password": "long enough"}, "username"),
        ({"username": "a:b", "password": "long enough"}, "username"),
        ({"username": 5, "password": "long enough"}, "username"),
        ({"username": None, "password": "long enough"}, "username"),
        ({"username": "zoe", "password": "short"}, "password"),
        ({"username": "zoe", "password": "x" * 129}, "password"),
        ({"username": "zoe", "password": 12345678}, "password"),
        ({"username": "zoe", "password": "long enough", "role": "root"}, "role"),
        ({"username": "zoe", "password": "long enough", "role": ["admin"]}, "role"),
        ({"username": "zoe", "password": "long enough", "surprise": 1}, "surprise"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_bad_account_names_its_field(admin: Caller, body: dict[str, Any], field: str) -> None:
    answer = admin.post(USERS, body)
    assert answer.status_code == 422
    assert field in answer.get_json()["errors"]["json"]


@pytest.mark.parametrize("name", ["alice", "ALICE", "ａlice", " alice "])
def test_a_taken_name_is_a_conflict(admin: Caller, name: str) -> None:
    answer = admin.post(USERS, {"username": name, "password": "long enough"})
    assert answer.status_code == 409
    assert answer.get_json()["code"] == "name_taken"


def test_an_admin_reads_and_changes_an_account(app: Flask, admin: Caller) -> None:
    before = admin.get(path(app, "alice")).get_json()
    answer = admin.patch(path(app, "alice"), {"username": "alicia", "role": "admin"})
    assert answer.status_code == 200
    assert answer.get_json() == {**before, "username": "alicia", "role": "admin"}


@pytest.mark.parametrize(
    "body",
    [
        {"is_active": "no"},
        {"is_active": 0},
        {"is_active": None},
        {"role": "root"},
        {"role": None},
        {"password": "short"},
        {"password": None},
        {"username": ""},
        {"user_id": "x"},
        [],
        "x",
    ],
    ids=str,
)
def test_a_bad_change_changes_nothing(app: Flask, admin: Caller, body: Any) -> None:
    before = admin.get(path(app, "alice")).get_json()
    assert admin.patch(path(app, "alice"), body).status_code == 422
    assert admin.get(path(app, "alice")).get_json() == before


def test_a_renamed_owner_has_the_new_name_on_all_orders(app: Flask, admin: Caller, alice: Caller) -> None:
    order = alice.order()
    admin.patch(path(app, "alice"), {"username": "alicia"})
    assert alice.read(order).get_json()["user"] == "alicia"
    assert [found["user"] for found in admin.orders(user="alicia")] == ["alicia"]


def test_there_is_no_open_registration(anonymous: Caller) -> None:
    assert anonymous.post(REGISTER, {"username": "zoe", "password": "long enough"}).status_code == 404


class TestOpenRegistration:
    @pytest.fixture
    def visitor(self, app: Flask, make_app: Callable[..., Flask]) -> Caller:
        return Caller(make_app(registration_open=True))

    def test_anybody_may_open_an_account_as_a_user(self, visitor: Caller) -> None:
        answer = visitor.post(REGISTER, {"username": "zoe", "password": "long enough"})
        assert answer.status_code == 201
        assert answer.get_json()["role"] == "user"
        mine = Caller.by_password(visitor.app, "zoe", "long enough")
        assert mine.get(f"{USERS}me/").get_json() == answer.get_json()

    def test_nobody_makes_themselves_an_admin(self, visitor: Caller) -> None:
        body = {"username": "zoe", "password": "long enough", "role": "admin"}
        assert visitor.post(REGISTER, body).status_code == 422

    def test_an_account_of_ones_own_has_a_password(self, visitor: Caller) -> None:
        assert visitor.post(REGISTER, {"username": "zoe"}).status_code == 422
        assert visitor.post(REGISTER, {"username": "zoe", "password": None}).status_code == 422

    def test_a_taken_name_is_a_conflict(self, visitor: Caller) -> None:
        assert visitor.post(REGISTER, {"username": "Alice", "password": "long enough"}).status_code == 409
