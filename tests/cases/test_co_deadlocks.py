"""CO08: the database ends a transaction because of others; the client gets its answer or may come again."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from psycopg import sql
from werkzeug.test import TestResponse

from tests import factories
from tests.callers import Caller, path_of
from tests.conftest import Backend
from tests.servers import wait_until

MOST_ATTEMPTS = 4


class Other:
    """Another client of the same PostgreSQL, with a transaction that holds rows."""

    def __init__(self, backend: Backend) -> None:
        self.url = backend.config.database_url.replace("+psycopg", "", 1)
        self.connection = psycopg.connect(self.url)
        self.watching = psycopg.connect(self.url, autocommit=True)
        # Whoever looks for the deadlock ends because of it; this one never looks.
        self.connection.execute("SET deadlock_timeout = '60s'")
        self.connection.commit()

    def close(self) -> None:
        self.connection.close()
        self.watching.close()

    def hold_views_of(self, user_id: UUID) -> None:
        """Take what every change takes last."""
        found = self.connection.execute(
            "UPDATE view_versions SET version = version WHERE scope = %s", (user_id,)
        )
        assert found.rowcount == 1

    def touch(self, order_id: str) -> None:
        """Take what every change takes first."""
        self.connection.execute("UPDATE orders SET version = version WHERE id = %s", (order_id,))

    def somebody_waits(self) -> bool:
        """Whether another connection waits for a lock."""
        waiting = self.watching.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid <> %s",
            (self.connection.info.backend_pid,),
        ).fetchone()
        return waiting is not None and waiting[0] > 0


@contextlib.contextmanager
def setting_of_database(backend: Backend, name: str, value: str) -> Iterator[None]:
    """A setting for all connections that are opened meanwhile."""
    url = backend.config.database_url.replace("+psycopg", "", 1)
    with psycopg.connect(url, autocommit=True) as connection:
        database = sql.Identifier(connection.info.dbname)
        setting, wanted = sql.Identifier(name), sql.Literal(value)
        connection.execute(sql.SQL("ALTER DATABASE {} SET {} = {}").format(database, setting, wanted))
        try:
            yield
        finally:
            connection.execute(sql.SQL("ALTER DATABASE {} RESET {}").format(database, setting))


@pytest.fixture
def other(app: Flask, backend: Backend) -> Iterator[Other]:
    client = Other(backend)
    yield client
    client.close()


def check_answer(alice: Caller, place: str, answer: TestResponse, *, done: bool) -> None:
    """It was done, or it was not and the client is told when to come again; nothing in between."""
    assert answer.status_code == (200 if done else 503), answer.text
    if not done:
        assert int(answer.headers["Retry-After"]) > 0
    assert alice.get(place).get_json()["status"] == ("confirmed" if done else "pending")
    assert alice.patch(place, {"status": "confirmed"}).get_json()["version"] == 2
    assert len(alice.get(f"{place}events/").get_json()) == 2


@pytest.mark.postgres
@pytest.mark.redis
@pytest.mark.parametrize("backend", ["postgresql+redis"], indirect=True)
class TestPostgreSQL:
    @pytest.fixture
    def alice(self, app: Flask, make_app: Callable[..., Flask], backend: Backend) -> Iterator[Caller]:
        """She calls an application whose connections find a deadlock soon."""
        with setting_of_database(backend, "deadlock_timeout", "50ms"):
            yield Caller.by_token(make_app(), "alice")

    def test_co08_a_deadlock_is_no_failure_of_ours(self, alice: Caller, other: Other) -> None:
        order = alice.order()
        place = path_of(order)
        other.hold_views_of(factories.user_id(alice.app, "alice"))
        with ThreadPoolExecutor(1) as threads:
            changing = threads.submit(alice.patch, place, {"status": "confirmed"})
            wait_until(other.somebody_waits, what="the change")
            other.touch(order["order_id"])
            other.connection.commit()
            answer = changing.result(30)
        check_answer(alice, place, answer, done=True)

    def test_co08_a_deadlock_that_comes_again_and_again_ends_in_503(
        self, alice: Caller, other: Other
    ) -> None:
        order = alice.order()
        place = path_of(order)
        other.hold_views_of(factories.user_id(alice.app, "alice"))
        deadlocks = 0
        with ThreadPoolExecutor(1) as threads:
            changing = threads.submit(alice.patch, place, {"status": "confirmed"})
            while True:
                wait_until(lambda: other.somebody_waits() or changing.done(), what="the change")
                if changing.done():
                    break
                with other.connection.transaction(force_rollback=True):
                    other.touch(order["order_id"])
                    deadlocks += 1
            answer = changing.result(30)
            other.connection.rollback()
        assert deadlocks == MOST_ATTEMPTS, "once, and three times more"
        check_answer(alice, place, answer, done=False)

    def test_co08_a_serialization_failure_is_no_failure_of_ours(
        self, app: Flask, make_app: Callable[..., Flask], backend: Backend, other: Other
    ) -> None:
        """As an operator has it who makes `serializable` the default of the database."""
        with setting_of_database(backend, "default_transaction_isolation", "serializable"):
            alice = Caller.by_token(make_app(), "alice")
            order = alice.order()
            place = path_of(order)
            other.touch(order["order_id"])
            with ThreadPoolExecutor(1) as threads:
                changing = threads.submit(alice.patch, place, {"status": "confirmed"})
                wait_until(other.somebody_waits, what="the change")
                other.connection.commit()
                answer = changing.result(30)
            check_answer(alice, place, answer, done=True)


@pytest.mark.parametrize("backend", ["sqlite+files"], indirect=True)
def test_co08_a_lock_that_is_held_too_long_ends_in_503(
    app: Flask, make_app: Callable[..., Flask], backend: Backend
) -> None:
    alice = Caller.by_token(make_app(database_timeout_seconds=1), "alice")
    place = path_of(alice.order())
    file = Path(backend.config.database_url.removeprefix("sqlite:///"))
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE").close()
        answer = alice.patch(place, {"status": "confirmed"})
        assert answer.status_code == 503
        assert alice.get(place).status_code == 200, "reading goes on"
        other.execute("ROLLBACK").close()
    check_answer(alice, place, answer, done=False)


@pytest.mark.parametrize("backend", ["sqlite+files"], indirect=True)
def test_co08_a_lock_that_is_held_for_a_moment_is_waited_for(alice: Caller, backend: Backend) -> None:
    place = path_of(alice.order())
    file = Path(backend.config.database_url.removeprefix("sqlite:///"))
    with contextlib.closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE").close()
        release = threading.Timer(0.3, lambda: other.execute("ROLLBACK").close())
        release.start()
        answer = alice.patch(place, {"status": "confirmed"})
        release.join()
    check_answer(alice, place, answer, done=True)
