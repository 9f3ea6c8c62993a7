"""A transaction that lost against another one is run again, and nobody notices."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg.errors
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from orders_app.extensions import db
from orders_app.http import postgres
from orders_app.http.retries import MOST_RETRIES
from orders_app.shared.unit_of_work import UnitOfWork
from tests import factories
from tests.callers import ORDERS, Caller, path_of
from tests.conftest import Backend

LOST: list[Callable[[], Exception]] = [psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure]


class Losing:
    """Lets so many commits fail, before anything is sent, as PostgreSQL lets a transaction lose."""

    def __init__(self, times: int, error: Callable[[], Exception]) -> None:
        self.left = times
        self.tries = 0
        self._error = error

    def __call__(self) -> None:
        self.tries += 1
        if self.left:
            self.left -= 1
            raise OperationalError("COMMIT", None, self._error())


@pytest.fixture
def losing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`losing(2)`: the next two commits fail."""
    commit = UnitOfWork._commit

    def place(times: int, error: Callable[[], Exception] = psycopg.errors.DeadlockDetected) -> Losing:
        lose = Losing(times, error)

        def lose_or_commit(uow: UnitOfWork) -> None:
            lose()
            commit(uow)

        monkeypatch.setattr(UnitOfWork, "_commit", lose_or_commit)
        return lose

    return place


@pytest.mark.parametrize("error", LOST)
@pytest.mark.parametrize("times", range(1, MOST_RETRIES + 1))
def test_co08_who_loses_tries_again(
    alice: Caller, losing: Callable[..., Losing], times: int, error: Callable[[], Exception]
) -> None:
    order = alice.order()
    commits = losing(times, error)
    answer = alice.patch(path_of(order), {"total_price": "1.00"})
    assert (answer.status_code, answer.get_json()["version"]) == (200, 2)
    assert commits.tries == times + 1
    assert len(alice.get(path_of(order, "events")).get_json()) == 2


@pytest.mark.parametrize("error", LOST)
def test_co08_not_for_ever(
    alice: Caller, losing: Callable[..., Losing], error: Callable[[], Exception]
) -> None:
    order = alice.order()
    commits = losing(100, error)
    answer = alice.patch(path_of(order), {"total_price": "1.00"})
    assert (answer.status_code, answer.get_json()["code"]) == (503, "database_unavailable")
    assert commits.tries == MOST_RETRIES + 1
    commits.left = 0
    assert alice.read(order).get_json() == order


def test_co08_a_body_and_a_key_are_read_once_and_used_again(
    alice: Caller, losing: Callable[..., Losing]
) -> None:
    losing(2)
    first = alice.post(ORDERS, factories.body(), headers={"Idempotency-Key": "k"})
    again = alice.post(ORDERS, factories.body(), headers={"Idempotency-Key": "k"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.get_json() == first.get_json()
    assert len(alice.orders()) == 1


def test_co08_other_failures_are_not_tried_again(alice: Caller, losing: Callable[..., Losing]) -> None:
    """A connection that broke at the commit may have committed."""
    order = alice.order()
    commits = losing(1, psycopg.errors.AdminShutdown)
    assert alice.patch(path_of(order), {"total_price": "1.00"}).status_code == 503
    assert commits.tries == 1


@pytest.mark.postgres
@pytest.mark.redis
@pytest.mark.parametrize("backend", ["postgresql+redis"], indirect=True)
@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("PATCH", 503)])
def test_a_read_whose_connection_ends_is_run_again_and_a_write_is_not(
    backend: Backend, alice: Caller, monkeypatch: pytest.MonkeyPatch, method: str, status: int
) -> None:
    """The server ends it right after it was found to be alive."""
    order = alice.order()
    url = backend.config.database_url.replace("postgresql+psycopg://", "postgresql://")
    answers = postgres._answers
    ended: list[int] = []

    def alive_until_now(connection: postgres.PatientConnection) -> bool:
        is_alive = answers(connection)
        if not ended:
            ended.append(connection.info.backend_pid)
            with psycopg.connect(url, autocommit=True) as outside:
                outside.execute("SELECT pg_terminate_backend(%s, 5000)", ended)
        return is_alive

    monkeypatch.setattr(postgres, "_answers", alive_until_now)
    body = [{"total_price": "1.00"}] if method == "PATCH" else []
    headers = {"If-None-Match": '"unknown"'} if method == "GET" else {}  # no answer is ready for that
    assert alice(method, path_of(order), *body, headers=headers).status_code == status
    assert ended


@pytest.mark.postgres
@pytest.mark.redis
@pytest.mark.parametrize("backend", ["postgresql+redis"], indirect=True)
def test_co08_a_real_deadlock(app: Flask, backend: Backend, alice: Caller, admin: Caller) -> None:
    """Somebody outside holds what a change wants next, and then wants what the change holds."""
    order = alice.order()
    url = backend.config.database_url.replace("postgresql+psycopg://", "postgresql://")
    answers: list[int] = []
    with psycopg.connect(url) as outside:
        # Among two who wait for each other the one is ended who has waited for a second; not the outsider.
        outside.execute("SET deadlock_timeout = '60s'")
        alice_id: UUID = factories.user_id(app, "alice")
        outside.execute("UPDATE view_versions SET version = version WHERE scope = %s", [alice_id])

        def change() -> None:
            answers.append(alice.patch(path_of(order), {"total_price": "1.00"}).status_code)

        worker = threading.Thread(target=change)
        worker.start()
        _wait_for_a_lock(app)
        outside.execute("UPDATE orders SET version = version WHERE id = %s", [order["order_id"]])
        outside.commit()
        worker.join()
    assert answers == [200]
    assert [entry["sequence"] for entry in admin.get(path_of(order, "events")).get_json()] == [1, 2]


def _wait_for_a_lock(app: Flask) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with app.app_context(), db.engine.connect() as connection:
        while not connection.execute(waiting).scalar_one():
            connection.rollback()
