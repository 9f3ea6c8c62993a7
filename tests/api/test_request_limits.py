"""`REQUESTS_PER_MINUTE`: so many requests of one user, over all processes, and where they stand."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from psycopg.errors import DeadlockDetected
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from orders_app.extensions import db
from orders_app.shared.clock import utcnow
from tests.callers import ORDERS, Caller

ME = "/api/v1/users/me/"
LIMIT = 3


@pytest.fixture
def limited(app: Flask, make_app: Callable[..., Flask]) -> Flask:
    return make_app(requests_per_minute=LIMIT)


def test_without_the_setting_nothing_is_counted_or_said(app: Flask, alice: Caller) -> None:
    answer = alice.get(ME)
    assert "RateLimit" not in answer.headers
    assert "RateLimit-Policy" not in answer.headers
    with app.app_context():
        assert db.session().execute(text("SELECT count(*) FROM request_counts")).scalar_one() == 0


def test_every_answer_says_where_one_stands(limited: Flask) -> None:
    alice = Caller.by_token(limited, "alice")
    for left in (2, 1, 0):
        answer = alice.get(ME)
        assert answer.status_code == 200
        assert answer.headers["RateLimit-Policy"] == '"user";q=3;w=60'
        assert re.fullmatch(rf'"user";r={left};t=(60|5\d)', answer.headers["RateLimit"])


def test_one_too_many(limited: Flask) -> None:
    alice = Caller.by_token(limited, "alice")
    answers = [alice.get(path) for path in (ME, ORDERS, f"{ORDERS}?page=0", ME, ORDERS)]
    assert [answer.status_code for answer in answers] == [200, 200, 422, 429, 429]
    refused = answers[-1]
    assert refused.get_json()["code"] == "rate_limited"
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit"].startswith('"user";r=0;t=')


def test_all_processes_and_both_schemes_count_as_one(limited: Flask, make_app: Callable[..., Flask]) -> None:
    callers = [
        Caller.by_token(limited, "alice"),
        Caller.by_password(limited, "alice"),
        Caller.by_token(make_app(requests_per_minute=LIMIT), "alice"),
        Caller.by_token(limited, "alice"),
    ]
    assert [caller.get(ME).status_code for caller in callers] == [200, 200, 200, 429]


def test_each_user_has_their_own(limited: Flask) -> None:
    alice, bob = Caller.by_token(limited, "alice"), Caller.by_token(limited, "bob")
    for _ in range(LIMIT + 1):
        alice.get(ME)
    assert bob.get(ME).status_code == 200


def test_a_new_minute_begins_anew(limited: Flask) -> None:
    alice = Caller.by_token(limited, "alice")
    for _ in range(LIMIT + 2):
        alice.get(ME)
    with time_machine.travel(utcnow() + timedelta(seconds=61), tick=False):
        answer = alice.get(ME)
    assert (answer.status_code, answer.headers["RateLimit"]) == (200, '"user";r=2;t=60')


def test_nobody_is_refused_for_what_cannot_be_counted(limited: Flask) -> None:
    alice = Caller.by_token(limited, "alice")
    with limited.app_context():
        db.session().execute(text("ALTER TABLE request_counts RENAME TO away"))
        db.session().commit()
    try:
        answers = [alice.get(ME) for _ in range(LIMIT + 1)]
    finally:
        with limited.app_context():
            db.session().execute(text("ALTER TABLE away RENAME TO request_counts"))
            db.session().commit()
    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit" not in answers[0].headers


def test_those_who_are_not_known_use_up_nothing(limited: Flask) -> None:
    for _ in range(LIMIT + 1):
        assert Caller.by_password(limited, "alice", "wrong").get(ME).status_code == 401
    assert Caller.by_token(limited, "alice").get(ME).status_code == 200


def test_a_request_that_is_run_again_counts_once(limited: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = Caller.by_token(limited, "alice")
    lost = OperationalError("COMMIT", None, DeadlockDetected())
    answers = iter([lost, lost, None])
    views = limited.view_functions

    def losing(**arguments: Any) -> Any:
        answer = view(**arguments)
        if (error := next(answers)) is not None:
            raise error
        return answer

    view = views["orders.Orders"]
    monkeypatch.setitem(views, "orders.Orders", losing)
    answer = alice.get(ORDERS)
    assert answer.status_code == 200
    assert '"user";r=2;' in answer.headers["RateLimit"]
