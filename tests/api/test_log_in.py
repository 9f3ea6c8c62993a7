"""Logging in, refreshing, logging out, and what ends a log-in at once."""

from __future__ import annotations

import statistics
import time
from typing import Any

import pytest
from flask import Flask

from orders_app.auth.services import sessions
from tests import factories
from tests.callers import ORDERS, Caller

LOGIN, REFRESH, LOGOUT = "/api/v1/login/", "/api/v1/refresh/", "/api/v1/logout/"


def log_in(anonymous: Caller, name: str = "alice", password: str | None = None) -> dict[str, str]:
    secret = password or factories.password_of(name)
    answer = anonymous.post(LOGIN, {"username": name, "password": secret})
    assert answer.status_code == 200
    tokens: dict[str, str] = answer.get_json()
    return tokens


def works(app: Flask, tokens: dict[str, str]) -> bool:
    return Caller(app, f"Bearer {tokens['access']}").get(ORDERS).status_code == 200


@pytest.mark.parametrize("name", ["alice", "ALICE", "  alice "])
def test_the_name_is_taken_without_regard_to_case(anonymous: Caller, name: str) -> None:
    log_in(anonymous, name, "alice-password-1")


@pytest.mark.parametrize(
    "body",
    [
        {"username": "alice", "password": "wrong"},
        {"username": "nobody", "password": "alice-password-1"},
        {"username": "", "password": ""},
        {"username": "alice", "password": ""},
        {"username": "al\0ice", "password": "x"},
        {"username": "alice", "password": "x" * 100_000},
        {"username": "x" * 100_000, "password": "x"},
        {"username": "alice\u0301", "password": "alice-password-1"},
    ],
    ids=lambda body: str(body)[:50],
)
def test_a_failed_log_in(anonymous: Caller, body: dict[str, str]) -> None:
    answer = anonymous.post(LOGIN, body)
    assert answer.status_code == 401
    assert answer.get_json()["code"] == "invalid_credentials"


def test_wrong_name_wrong_password_and_disabled_look_alike(app: Flask, anonymous: Caller) -> None:
    factories.change_user(app, "bob", is_active=False)
    bodies = {
        anonymous.post(LOGIN, {"username": name, "password": password}, headers={"X-Request-ID": "same"}).data
        for name, password in [
            ("nobody", "alice-password-1"),
            ("alice", "wrong password"),
            ("bob", "bob-password-1"),
        ]
    }
    assert len(bodies) == 1


def test_wrong_name_wrong_password_and_disabled_take_as_long(app: Flask, anonymous: Caller) -> None:
    factories.change_user(app, "bob", is_active=False)

    def seconds(name: str, password: str) -> float:
        took = []
        for _ in range(5):
            began = time.process_time()
            anonymous.post(LOGIN, {"username": name, "password": password})
            took.append(time.process_time() - began)
        return statistics.median(took)

    wrong = seconds("alice", "wrong password")
    assert 0.4 < seconds("nobody", "wrong password") / wrong < 2.5
    assert 0.4 < seconds("bob", "bob-password-1") / wrong < 2.5


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "alice"},
        {"username": "alice", "password": None},
        {"username": 5, "password": "x"},
        {"username": ["alice"], "password": "x"},
        {"username": "alice", "password": "x", "remember": True},
    ],
    ids=str,
)
def test_an_incomplete_log_in(anonymous: Caller, body: dict[str, Any]) -> None:
    answer = anonymous.post(LOGIN, body)
    assert answer.status_code == 422
    assert "json" in answer.get_json()["errors"]


@pytest.mark.parametrize(
    "raw", [b"username=alice", b"username=a&username=b&password=x", b"x=1&username=a&password=b"]
)
def test_an_incomplete_form(anonymous: Caller, raw: bytes) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert anonymous.post(LOGIN, raw=raw, headers=form).status_code == 422


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"username=alice&password=", {"username": "alice", "password": ""}),
        (b"username=&password=x", {"username": "", "password": "x"}),
        (b"username=&password=", {"username": "", "password": ""}),
    ],
)
def test_an_empty_value_in_a_form_is_one(anonymous: Caller, raw: bytes, body: dict[str, Any]) -> None:
    """What a form cannot leave out it sends empty; the answer is the one that JSON gets."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = anonymous.post(LOGIN, raw=raw, headers=form)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "invalid_credentials")
    assert anonymous.post(LOGIN, body).get_json()["code"] == "invalid_credentials"


@pytest.mark.parametrize("path", [REFRESH, LOGOUT])
def test_only_a_log_in_comes_as_a_form(anonymous: Caller, path: str) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert anonymous.post(path, raw=b"refresh=x", headers=form).status_code == 415


def test_tokens_are_rotated(app: Flask, anonymous: Caller) -> None:
    first = log_in(anonymous)
    second = anonymous.post(REFRESH, {"refresh": first["refresh"]}).get_json()
    assert set(second) == {"refresh", "access"}
    assert second["refresh"] != first["refresh"]
    assert works(app, second)


@pytest.mark.parametrize("path", [REFRESH, LOGOUT])
def test_what_is_no_refresh_token(anonymous: Caller, path: str) -> None:
    access = log_in(anonymous)["access"]
    for token in (access, "", "x", "a.b.c", "x" * 100_000, "\0"):
        assert anonymous.post(path, {"refresh": token}).status_code == 401


@pytest.mark.parametrize("path", [REFRESH, LOGOUT])
@pytest.mark.parametrize(
    "body", [{}, {"refresh": None}, {"refresh": 5}, {"refresh": ["x"]}, {"token": "x"}], ids=str
)
def test_a_refresh_token_is_text(anonymous: Caller, path: str, body: dict[str, Any]) -> None:
    assert anonymous.post(path, body).status_code == 422


def test_an_account_disabled_while_it_logs_in_does_not_get_in(
    app: Flask, anonymous: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = sessions.check_password

    def slowly(*args: Any, **kwargs: Any) -> Any:
        credential = check(*args, **kwargs)
        factories.change_user(app, "alice", is_active=False)
        return credential

    monkeypatch.setattr(sessions, "check_password", slowly)
    answer = anonymous.post(LOGIN, {"username": "alice", "password": "alice-password-1"})
    assert answer.status_code == 401
