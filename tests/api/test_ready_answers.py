"""Answers that are given again without the framework: as long as all they depend on stands, and no longer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest
import time_machine
from flask import Flask, request_started
from werkzeug.test import TestResponse

from orders_app.extensions import cache
from orders_app.http import ready_answers
from orders_app.http.ready_answers import KEPT_BYTES, ReadyAnswers
from tests import factories
from tests.callers import ORDERS, USERS, Caller, path_of
from tests.factories import line


@contextmanager
def entered(app: Flask) -> Iterator[list[str]]:
    """The paths for which the framework is entered meanwhile."""
    paths: list[str] = []

    def note(_sender: Flask, **_more: Any) -> None:
        from flask import request

        paths.append(request.path)

    with request_started.connected_to(note, app):
        yield paths


def ready(app: Flask) -> ReadyAnswers:
    found: Any = app.wsgi_app
    return found._application


def again(app: Flask, caller: Caller, path: str, **more: Any) -> tuple[TestResponse, bool]:
    """The answer to a request, and whether the framework was left alone."""
    with entered(app) as paths:
        answer = caller.get(path, **more)
    return answer, not paths


@pytest.fixture(params=["token", "password"])
def reader(request: pytest.FixtureRequest, app: Flask) -> Caller:
    make: Callable[..., Caller] = Caller.by_token if request.param == "token" else Caller.by_password
    return make(app, "alice")


def test_the_second_time_the_framework_is_left_alone(app: Flask, alice: Caller, reader: Caller) -> None:
    order = alice.order()
    for path in (path_of(order), ORDERS, f"{ORDERS}?page_size=1&status=pending"):
        first = reader.get(path)
        second, was_ready = again(app, reader, path)
        assert was_ready
        assert second.get_data() == first.get_data()
        assert second.headers["Cache-Status"] == "orders; hit"
        assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]
        named = {"Cache-Status", "X-Request-ID"}
        assert {pair for pair in first.headers if pair[0] not in named} == {
            pair for pair in second.headers if pair[0] not in named
        }


def test_an_order_stays_ready_while_others_of_its_owner_change(
    app: Flask, alice: Caller, reader: Caller
) -> None:
    """A shop changes one order after the other: what was read of the rest is as good as before."""
    order, other = alice.order(), alice.order()
    for path in (path_of(order), path_of(other), ORDERS):
        reader.get(path)
    alice.patch(path_of(other), {"status": "confirmed"})
    assert again(app, reader, path_of(order))[1]
    answer, was_ready = again(app, reader, path_of(other))
    assert (answer.get_json()["status"], was_ready) == ("confirmed", False)
    answer, was_ready = again(app, reader, ORDERS)
    assert (answer.get_json()[0]["status"], was_ready) == ("confirmed", False)


def test_in_the_common_cache_too_an_order_stays_while_others_change(
    app: Flask, alice: Caller, reader: Caller
) -> None:
    order, other = alice.order(), alice.order()
    reader.get(path_of(order))
    alice.patch(path_of(other), {"status": "confirmed"})
    with mock.patch.object(ready(app), "_kept", {}):  # as another process
        assert reader.get(path_of(order)).headers["Cache-Status"] == "orders; hit"


def test_a_new_name_of_the_owner_is_seen_in_an_order_that_did_not_change(
    app: Flask, alice: Caller, admin: Caller
) -> None:
    by_token = Caller.by_token(app, "alice")
    path = path_of(alice.order())
    for caller in (by_token, admin):
        caller.get(path)
    user_id = alice.get(f"{USERS}me/").get_json()["user_id"]
    assert admin.patch(f"{USERS}{user_id}/", {"username": "alicia"}).status_code == 200
    assert [caller.get(path).get_json()["user"] for caller in (by_token, admin)] == ["alicia"] * 2


def test_whose_order_it_is_not_any_more_gets_nothing(alice: Caller, bob: Caller, admin: Caller) -> None:
    path = path_of(alice.order())
    alice.get(path)
    admin.patch(path, {"user": "bob"})
    assert [caller.get(path).status_code for caller in (alice, bob)] == [404, 200]
    admin("DELETE", path)
    assert [caller.get(path).status_code for caller in (alice, bob, admin)] == [404, 404, 200]


def test_a_304_is_ready_too(app: Flask, alice: Caller) -> None:
    path = path_of(alice.order())
    tag = alice.get(path).headers["ETag"]
    assert alice.get(path, headers={"If-None-Match": tag}).status_code == 304
    answer, was_ready = again(app, alice, path, headers={"If-None-Match": tag})
    assert (answer.status_code, answer.get_data(), was_ready) == (304, b"", True)


def test_a_good_request_id_is_taken(alice: Caller) -> None:
    path = path_of(alice.order())
    alice.get(path)
    assert alice.get(path, headers={"X-Request-ID": "mine-1"}).headers["X-Request-ID"] == "mine-1"
    assert alice.get(path, headers={"X-Request-ID": "no good"}).headers["X-Request-ID"] != "no good"


def test_it_is_counted_like_any_other(app: Flask, alice: Caller, anonymous: Caller) -> None:
    path = path_of(alice.order())
    alice.get(path)

    def counted(name: str) -> float:
        text = anonymous.get("/metrics/").text
        return sum(float(row.rsplit(" ", 1)[1]) for row in text.splitlines() if row.startswith(name))

    labels = '{endpoint="/api/v1/orders/{order_id}/",method="GET"}'
    names = [f"orders_http_requests_total{labels}", 'orders_cache_requests_total{result="hit"}']
    before = [counted(name) for name in names]
    _, was_ready = again(app, alice, path)
    assert was_ready
    assert [counted(name) for name in names] == [number + 1 for number in before]


def test_nobody_gets_what_was_made_for_somebody_else(app: Flask, alice: Caller, bob: Caller) -> None:
    path = path_of(alice.order())
    alice.get(path)
    alice.get(ORDERS)
    assert bob.get(path).status_code == 404
    assert bob.get(ORDERS).get_json() == []
    assert Caller(app).get(path).status_code == 401
    assert Caller(app, f"{alice.authorization}x").get(path).status_code == 401


def test_a_foreign_host_is_refused_although_it_is_ready(alice: Caller) -> None:
    path = path_of(alice.order())
    alice.get(path)
    assert alice.get(path, headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("change", ["role", "is_active", "password", "log-out"])
def test_who_may_not_any_more_gets_nothing(
    app: Flask, reader: Caller, alice: Caller, admin: Caller, change: str
) -> None:
    if change == "log-out":
        tokens = factories.logged_in(app, "alice")
        reader = Caller(app, f"Bearer {tokens['access']}")
    path = path_of(alice.order())
    reader.get(path)
    if change == "log-out":
        assert alice("POST", "/api/v1/logout/", {"refresh": tokens["refresh"]}).status_code == 204
    elif change == "role":
        factories.change_user(app, "alice", role="admin")
        answer = reader.get(path)
        assert answer.status_code == 200
        assert answer.headers["Cache-Status"] != "orders; hit"
        return
    elif change == "is_active":
        factories.change_user(app, "alice", is_active=False)
    else:
        user_id = alice.get(f"{USERS}me/").get_json()["user_id"]
        assert admin.patch(f"{USERS}{user_id}/", {"password": "another-password-1"}).status_code == 200
    assert reader.get(path).status_code == 401


def test_a_token_is_refused_from_the_second_in_which_it_expires(app: Flask) -> None:
    with time_machine.travel(datetime(2026, 11, 1, 12, tzinfo=UTC), tick=False) as clock:
        alice = Caller.by_token(app, "alice")
        path = path_of(alice.order())
        alice.get(path)
        clock.shift(14 * 60 + 59)
        assert again(app, alice, path)[0].status_code == 200
        clock.shift(1)
        assert alice.get(path).status_code == 401


def test_a_password_is_checked_anew_after_half_a_minute(app: Flask) -> None:
    with time_machine.travel(datetime(2026, 11, 1, 12, tzinfo=UTC), tick=False) as clock:
        alice = Caller.by_password(app, "alice")
        path = path_of(alice.order())
        alice.get(path)
        clock.shift(29)
        assert again(app, alice, path)[1]
        clock.shift(2)
        assert not again(app, alice, path)[1]


def test_where_requests_are_limited_each_one_is_counted(make_app: Callable[..., Flask], app: Flask) -> None:
    limited = make_app(requests_per_minute=5)
    alice = Caller.by_token(limited, "alice")
    statuses = [alice.get(ORDERS).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]


def test_other_methods_and_bodies_go_the_whole_way(app: Flask, alice: Caller) -> None:
    path = path_of(alice.order())
    alice.get(path)
    with entered(app) as paths:
        assert alice("HEAD", path).get_data() == b""
        alice.get(path, raw=b"{}")
    assert paths == [path, path]


def test_refusals_are_not_kept(app: Flask, alice: Caller) -> None:
    for path, status in ((f"{ORDERS}nothing/", 404), (f"{ORDERS}?page=0", 422)):
        assert alice.get(path).status_code == status
        answer, was_ready = again(app, alice, path)
        assert (answer.status_code, was_ready) == (status, False)


def test_what_is_kept_is_bounded(app: Flask, alice: Caller) -> None:
    alice.order(products=[line(name="x" * 250) for _ in range(200)])
    with mock.patch.object(ready_answers, "LARGEST_BYTES", 0):
        alice.get(ORDERS)
        assert not again(app, alice, ORDERS)[1]
    for number in range(400):
        alice.get(f"{ORDERS}?min_price=0.{number % 100:02d}&page_size={number // 100 + 1}")
    kept = ready(app)._kept
    assert 0 < kept.currsize <= kept.maxsize == KEPT_BYTES
    assert all(b"Bearer" not in key for key in kept)


def test_a_read_asks_the_cache_once_at_most(app: Flask, alice: Caller) -> None:
    path = path_of(alice.order())
    alice.get(path)
    backend: Any = cache.cache
    with mock.patch.object(type(backend), "get", autospec=True, side_effect=type(backend).get) as asked:
        alice.get(path)
        assert asked.call_count == 0
        # Another process has the same answer in the common cache, and nothing in its own memory.
        with mock.patch.object(ready(app), "_kept", {}):
            assert alice.get(path).headers["Cache-Status"] == "orders; hit"
    assert asked.call_count == 1
