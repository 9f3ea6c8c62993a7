"""FA06, FA08, FA09: the database is away at the start, restarts, or hangs, under a running server."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.callers import ORDERS, path_of
from tests.factories import body
from tests.faults.postgres import OwnPostgres, own_postgres
from tests.faults.worlds import through_proxy, wait_until_ready
from tests.server.processes import Answer, ServerProcess, serving
from tests.servers import PostgresServer, wait_until

pytestmark = pytest.mark.server

logger = logging.getLogger(__name__)

LONGEST_REFUSAL_SECONDS = 5
"""How long after the database is back a request may still be told that it is not."""


def is_unavailable(answer: Answer) -> bool:
    return (
        answer.status == 503
        and answer.headers["Content-Type"] == "application/problem+json"
        and int(answer.headers["Retry-After"]) > 0
        and answer.json()["code"] == "database_unavailable"
    )


def lives_without_a_database(server: ServerProcess) -> None:
    assert server.request("GET", "/healthz/").status == 200
    ready = server.request("GET", "/readyz/")
    assert (ready.status, ready.json()["checks"]["database"]) == (503, "cannot be reached")
    assert int(ready.headers["Retry-After"]) > 0
    for method, path, content in (
        ("GET", ORDERS, None),
        ("POST", ORDERS, body()),
        ("POST", "/api/v1/login/", {"username": "admin", "password": "x" * 10}),
    ):
        assert is_unavailable(server.as_admin(method, path, content)), path
    metrics = server.request("GET", "/metrics/")
    assert metrics.status == 200
    assert b"orders_http_requests_total{" in metrics.body
    assert b"orders_by_status{" not in metrics.body


@pytest.mark.postgres
def test_fa06_postgresql_is_down_at_the_start(postgres_server: PostgresServer, tmp_path: Path) -> None:
    """The server starts, lives and says 503; once the database is there it serves, without a restart."""
    with postgres_server.database() as url, through_proxy(url) as (proxy, proxied):
        server = ServerProcess(tmp_path, DATABASE_URL=proxied)
        server.prepare()
        proxy.behave("refuse")
        try:
            server.start()
            lives_without_a_database(server)
            proxy.behave("pass")
            wait_until_ready(server)
            assert server.as_admin("POST", ORDERS, body()).status == 201
        finally:
            server.kill()


def test_fa06_the_folder_of_sqlite_is_away_at_the_start(tmp_path: Path) -> None:
    """A disk that is not mounted yet, for example."""
    disk = tmp_path / "disk"
    disk.mkdir()
    server = ServerProcess(tmp_path, DATABASE_URL=f"sqlite:///{disk}/orders.db")
    server.prepare()
    away = disk.rename(tmp_path / "elsewhere")
    try:
        server.start()
        lives_without_a_database(server)
        away.rename(disk)
        wait_until_ready(server)
        assert server.as_admin("POST", ORDERS, body()).status == 201
    finally:
        server.kill()


@pytest.fixture(scope="module")
def postgres() -> Iterator[OwnPostgres]:
    """A PostgreSQL that can be stopped and paused, and that has its commits after a crash."""
    with own_postgres() as server:
        with server.connection("postgres") as connection:
            connection.execute("ALTER SYSTEM RESET synchronous_commit")
            connection.execute("SELECT pg_reload_conf()")
        yield server


@pytest.fixture(scope="module")
def running(postgres: OwnPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with (
        postgres.database() as url,
        serving(tmp_path_factory.mktemp("server"), DATABASE_URL=url, DATABASE_TIMEOUT_SECONDS="1") as server,
    ):
        yield server


@pytest.mark.postgres
@pytest.mark.parametrize("at_once", [False, True], ids=["stopped", "crashed"])
def test_fa08_the_database_restarts_under_load(
    running: ServerProcess, postgres: OwnPostgres, at_once: bool
) -> None:
    """A few seconds of 503, nothing confirmed is lost, no restart of the server is needed.

    Whether it ends in good order, or at once and has to recover when it starts.
    """
    done = threading.Event()
    confirmed: list[str] = []
    others: list[tuple[float, Answer]] = []

    def write() -> None:
        while not done.is_set():
            answer = running.as_admin("POST", ORDERS, body())
            if answer.status == 201:
                confirmed.append(answer.json()["order_id"])
            else:
                others.append((time.monotonic(), answer))

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    try:
        wait_until(lambda: len(confirmed) > 10, what="some orders", seconds=30)
        postgres.stop(at_once=at_once)
        wait_until(lambda: bool(others), what="a refusal", seconds=30)
        postgres.start()
        back = time.monotonic()
        restarted = len(confirmed)
        wait_until(lambda: len(confirmed) > restarted + 10, what="orders after the restart", seconds=30)
        # Whoever has not found out by then is seen.
        time.sleep(max(0.0, back + LONGEST_REFUSAL_SECONDS + 2 - time.monotonic()))
    finally:
        done.set()
        for writer in writers:
            writer.join()
    assert all(is_unavailable(answer) for _, answer in others)
    last = max(moment for moment, _ in others) - back
    logger.info("The last of %d refusals came %.1f s after the start.", len(others), last)
    assert last < LONGEST_REFUSAL_SECONDS
    for order_id in confirmed[: restarted + 50]:
        assert running.as_admin("GET", f"{ORDERS}{order_id}/").status == 200


def ask_for_health(server: ServerProcess, seconds: list[float], done: threading.Event) -> None:
    """Ask whether it lives, again and again, and note how long each answer takes."""
    while not done.is_set():
        began = time.monotonic()
        assert server.request("GET", "/healthz/").status == 200
        seconds.append(time.monotonic() - began)
        done.wait(0.05)


@pytest.mark.postgres
def test_fa09_the_database_hangs(running: ServerProcess, postgres: OwnPostgres) -> None:
    """Its own time-outs do nothing then: ours do, and no worker is stuck for longer than one of them.

    For PostgreSQL; the database of SQLite is a library, and what hangs there is a lock (FA11).
    """
    order = running.as_admin("POST", ORDERS, body()).json()
    with postgres.paused():
        began, done = time.monotonic(), threading.Event()
        waits: list[float] = []
        with ThreadPoolExecutor(17) as threads:
            health = threads.submit(ask_for_health, running, waits, done)
            requests = [threads.submit(running.as_admin, "GET", path_of(order)) for _ in range(12)]
            requests += [threads.submit(running.as_admin, "POST", ORDERS, body()) for _ in range(12)]
            try:
                assert all(is_unavailable(request.result()) for request in requests)
            finally:
                done.set()
            health.result()
        assert len(waits) >= 5
        assert max(waits) < 10, "it waits its turn, no longer"
        logger.info("Meanwhile /healthz/ answered %d times, after %.2f s at most.", len(waits), max(waits))
        # Two rounds of waiting for the unlucky ones, where one thread at a time would take 24.
        assert time.monotonic() - began < 20
        began = time.monotonic()
        for _ in range(20):
            assert running.request("GET", "/healthz/").status == 200
            assert running.request("GET", "/readyz/").status == 503
        assert time.monotonic() - began < 30
    wait_until_ready(running)
    assert running.as_admin("GET", path_of(order)).json() == order
    assert running.as_admin("PATCH", path_of(order), {"total_price": 5}).status == 200


@pytest.mark.postgres
def test_fa09_a_statement_that_takes_too_long_is_ended(running: ServerProcess, postgres: OwnPostgres) -> None:
    """By the server itself, as long as it runs: the connection goes on being used."""
    order = running.as_admin("POST", ORDERS, body()).json()
    name = running.environment["DATABASE_URL"].split("?")[0].rsplit("/", 1)[1]
    with postgres.connection(name) as other:
        other.execute("BEGIN")
        other.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        answer = running.as_admin("GET", path_of(order))
        assert is_unavailable(answer)
        assert "in time" in json.loads(answer.body)["detail"]
        other.execute("ROLLBACK")
    assert running.as_admin("GET", path_of(order)).status == 200
