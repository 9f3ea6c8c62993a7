"""Too many wrong passwords, at every door that takes one."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update
from werkzeug.test import TestResponse

from orders_app.auth import passwords
from orders_app.auth.models import LoginFailures
from orders_app.extensions import db
from orders_app.shared.clock import utcnow
from tests import factories
from tests.admin.visitor import Visitor
from tests.callers import ORDERS, USERS, Caller, basic

LOGIN = "/api/v1/login/"
ELSEWHERE = "198.51.100.7"


@pytest.fixture
def attempts(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Attempts:
    return Attempts(app, monkeypatch)


class Attempts:
    """Log-ins that cost no hash, from any address."""

    def __init__(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app = app
        self.checked = 0
        monkeypatch.setattr(passwords, "verify_password", self._verify)

    def _verify(self, password_hash: str | None, password: str) -> bool:
        self.checked += 1
        return password_hash is not None and password.endswith("-password-1")

    def log_in(self, name: str = "alice", word: str = "wrong", address: str = "127.0.0.1") -> TestResponse:
        answer = self.app.test_client().post(
            LOGIN,
            json={"username": name, "password": word},
            environ_overrides={"REMOTE_ADDR": address},
        )
        self.app.extensions["orders_document"].check("POST", LOGIN, answer)
        return answer

    def by_basic(self, name: str = "alice", word: str = "wrong", path: str = ORDERS) -> TestResponse:
        return Caller(self.app, basic(name, word)).get(path)

    def fail(self, times: int, name: str = "alice") -> None:
        for _ in range(times):
            assert self.log_in(name).status_code == 401


def move_back(app: Flask, seconds: float) -> None:
    """As if all failures had been that much earlier."""
    with app.app_context():
        db.session().execute(update(LoginFailures).values(started_at=utcnow() - timedelta(seconds=seconds)))
        db.session().commit()


def test_an14_thirty_failures_then_429(attempts: Attempts) -> None:
    attempts.fail(30)
    checked = attempts.checked
    for password in ("wrong", "alice-password-1"):
        answer = attempts.log_in(word=password)
        assert answer.status_code == 429
        assert answer.mimetype == "application/problem+json"
        assert answer.get_json()["code"] == "too_many_attempts"
        assert 50 <= int(answer.headers["Retry-After"]) <= 60
        assert "WWW-Authenticate" not in answer.headers
    assert attempts.checked == checked


def test_an14_the_right_password_from_another_address(attempts: Attempts) -> None:
    attempts.fail(31 - 1)
    assert attempts.log_in(word="alice-password-1").status_code == 429
    assert attempts.log_in(word="alice-password-1", address=ELSEWHERE).status_code == 200


def test_an14_nobody_is_locked_out_for_ever(app: Flask, attempts: Attempts) -> None:
    attempts.fail(30)
    move_back(app, 50)
    assert 1 <= int(attempts.log_in().headers["Retry-After"]) <= 10
    move_back(app, 61)
    assert attempts.log_in(word="alice-password-1").status_code == 200
    attempts.fail(30)
    assert attempts.log_in().status_code == 429


def test_another_account_from_the_same_address(attempts: Attempts) -> None:
    attempts.fail(30)
    assert attempts.log_in("bob", "bob-password-1").status_code == 200
    assert attempts.log_in("bob").status_code == 401


def test_a_name_that_nobody_has_is_treated_alike(attempts: Attempts) -> None:
    attempts.fail(30, "nobody")
    attempts.fail(30, "alice")
    answers = [attempts.log_in(name) for name in ("nobody", "alice")]
    assert [answer.status_code for answer in answers] == [429, 429]
    assert set(answers[0].get_json()) == set(answers[1].get_json())


def test_three_hundred_from_one_address(attempts: Attempts) -> None:
    for number in range(300):
        assert attempts.log_in(f"user-{number}").status_code == 401
    assert attempts.log_in("alice", "alice-password-1").status_code == 429
    assert attempts.by_basic("bob", "bob-password-1").status_code == 429
    assert attempts.log_in("alice", "alice-password-1", ELSEWHERE).status_code == 200


def test_all_doors_share_the_count(app: Flask, attempts: Attempts) -> None:
    visitor = Visitor(app)
    for _ in range(10):
        assert attempts.log_in("admin").status_code == 401
        assert attempts.by_basic("admin").status_code == 401
        assert visitor.log_in("admin", "wrong").status_code == 403
    assert attempts.log_in("admin", "admin-password-1").status_code == 429
    for path in (ORDERS, USERS, f"{USERS}me/"):
        answer = attempts.by_basic("admin", "admin-password-1", path)
        assert (answer.status_code, answer.get_json()["code"]) == (429, "too_many_attempts")
    page = visitor.log_in("admin", "admin-password-1")
    assert page.status_code == 429
    assert 1 <= int(page.headers["Retry-After"]) <= 60
    assert "Too many failed log-ins. Please try again in" in page.text
    assert visitor.get("/admin/login/").status_code == 200


def test_tokens_and_sessions_go_on(app: Flask, attempts: Attempts, alice: Caller) -> None:
    panel = Visitor.logged_in(app)
    attempts.fail(30)
    attempts.fail(30, "admin")
    assert attempts.by_basic(word="alice-password-1").status_code == 429
    assert alice.get(ORDERS).status_code == 200
    assert panel.get("/admin/orders/").status_code == 200
    refreshed = Caller(app).post(
        "/api/v1/refresh/", {"refresh": factories.logged_in(app, "alice")["refresh"]}
    )
    assert refreshed.status_code == 200


def test_a_success_is_not_counted(attempts: Attempts) -> None:
    attempts.fail(29)
    for _ in range(5):
        assert attempts.log_in(word="alice-password-1").status_code == 200
        assert attempts.by_basic(word="alice-password-1").status_code == 200
    attempts.fail(1)
    assert attempts.log_in().status_code == 429


def test_no_credentials_and_bad_tokens_are_not_counted(app: Flask, attempts: Attempts) -> None:
    for header in (None, "Bearer x", "Basic !!!", "Basic Og=="):
        for _ in range(10):
            assert Caller(app, header).get(ORDERS).status_code == 401
    assert attempts.log_in(word="alice-password-1").status_code == 200


def test_the_settings_count(make_app: Callable[..., Flask], attempts: Attempts) -> None:
    attempts.app = make_app(login_failures_per_account=2, login_failures_per_address=3)
    attempts.fail(2)
    assert attempts.log_in().status_code == 429
    attempts.fail(1, "bob")
    assert attempts.log_in("admin", "admin-password-1").status_code == 429
    attempts.app = make_app(login_failures_per_account=0, login_failures_per_address=0)
    attempts.fail(5)


def test_two_applications_share_the_count(make_app: Callable[..., Flask], attempts: Attempts) -> None:
    attempts.fail(15)
    attempts.app = make_app()
    attempts.fail(15)
    assert attempts.log_in().status_code == 429


def test_lo03_a_refusal_is_logged(attempts: Attempts, log_dir: Path) -> None:
    attempts.fail(30)
    attempts.log_in(word="alice-password-1")
    lines = [json.loads(line) for line in (log_dir / "general.log").read_text().splitlines()]
    assert [line["reason"] for line in lines] == ["wrong_password"] * 30 + ["too_many_attempts"]
    assert (lines[-1]["event"], lines[-1]["user"], lines[-1]["address"]) == (
        "access.denied",
        "alice",
        "127.0.0.1",
    )
    assert "alice-password-1" not in (log_dir / "general.log").read_text()


def test_every_operation_that_checks_passwords_documents_it(app: Flask) -> None:
    content = app.extensions["orders_document"].content
    for path, item in content["paths"].items():
        for method, operation in item.items():
            if method != "parameters" and "401" in operation["responses"]:
                assert "429" in operation["responses"], (method, path)
    answer = content["components"]["responses"]["TOO_MANY_REQUESTS"]
    assert "Retry-After" in answer["headers"]
