"""FA11, FA12: the database is there, and cannot do what it is asked: a lock is held, the disk is full."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it has no types, and little is used of it
import pytest
from flask import Flask
from sqlalchemy import create_engine, event, text
from werkzeug.test import TestResponse

from orders_app.extensions import db
from tests.callers import ORDERS, Caller, path_of
from tests.conftest import Backend
from tests.disks import full, small_disk
from tests.factories import body, password_of
from tests.server.processes import ServerProcess
from tests.servers import wait_until

LOCK_HOLDER = """
import sys
from sqlalchemy import create_engine, text
engine = create_engine(sys.argv[1], isolation_level="AUTOCOMMIT")
connection = engine.connect()
for statement in sys.argv[2:]:
    connection.execute(text(statement))
print("held", flush=True)
sys.stdin.read()
"""


def is_unavailable(answer: TestResponse) -> bool:
    return (
        answer.status_code == 503
        and answer.mimetype == "application/problem+json"
        and int(answer.headers["Retry-After"]) > 0
        and answer.get_json()["code"] == "database_unavailable"
    )


@contextlib.contextmanager
def held_by_another_program(url: str, *statements: str) -> Iterator[None]:
    """Somebody at a prompt began a transaction and went for a coffee."""
    holder = subprocess.Popen(
        [sys.executable, "-c", LOCK_HOLDER, url, *statements], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == b"held\n"
        yield
    finally:
        holder.stdin.close()
        holder.wait(30)
        holder.stdout.close()


def test_fa11_a_lock_is_held_by_another_program(
    app: Flask, make_app: Callable[..., Flask], backend: Backend, admin: Caller
) -> None:
    """Who has to wait for it gets a 503 within the time-out, readers do not wait, nothing is half done."""
    order = admin.order()
    impatient = Caller(make_app(database_timeout_seconds=2), admin.authorization)
    impatient.read(order)
    lock = ["BEGIN", "SELECT * FROM orders FOR UPDATE"] if backend.has_redis else ["BEGIN IMMEDIATE"]
    with held_by_another_program(backend.config.database_url, *lock):
        for _ in range(2):
            began = time.monotonic()
            assert is_unavailable(impatient.patch(path_of(order), {"total_price": 5}))
            waited = time.monotonic() - began
            # PostgreSQL's lock_timeout is half of the setting, SQLite waits for all of it.
            assert 0.8 < waited < 12
            assert impatient.read(order).get_json() == order
            assert impatient.orders() == [order]
    changed = impatient.patch(path_of(order), {"total_price": 5})
    assert (changed.status_code, changed.get_json()["version"]) == (200, 2)


def test_fa12_the_database_has_no_space(
    app: Flask, make_app: Callable[..., Flask], backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    """The database says so in its own words: changes are 503, reads go on, and nothing is half done.

    SQLite is given no page more than it has; PostgreSQL raises `disk_full` where orders are written.
    """
    full = make_app()
    alice = Caller.by_token(full, "alice")
    order = alice.order()
    with no_space(full, backend):
        big = body(products=[{"name": "x" * 255, "price": "1.00", "quantity": 1}] * 500)
        refused = alice.post(ORDERS, big)
        assert is_unavailable(refused)
        assert "no space" in refused.get_json()["detail"]
        assert is_unavailable(alice.put(path_of(order), big))
        assert "in trouble (full)" in caplog.text
        assert "x" * 50 not in caplog.text, "what people entered is not for the log"
        assert alice.read(order).get_json() == order
        assert alice.orders() == [order]
        assert alice.get("/readyz/").status_code == 200
    assert alice.post(ORDERS, big).status_code == 201
    assert [event["sequence"] for event in alice.get(path_of(order, "events")).get_json()] == [1]


@contextlib.contextmanager
def no_space(app: Flask, backend: Backend) -> Iterator[None]:
    with app.app_context():
        engine = db.engine
    if not backend.has_redis:

        def stop_growing(connection: object, _record: object = None) -> None:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]  # type: ignore[attr-defined]
            connection.execute(f"PRAGMA max_page_count = {pages}").close()  # type: ignore[attr-defined]

        event.listen(engine, "connect", stop_growing)
        engine.dispose()
        try:
            yield
        finally:
            event.remove(engine, "connect", stop_growing)
            engine.dispose()
        return
    admin = create_engine(backend.config.database_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full'; END $$"
            )
        )
        connection.execute(
            text(
                "CREATE TRIGGER full_disk BEFORE INSERT ON order_lines "
                "FOR EACH STATEMENT EXECUTE FUNCTION full_disk()"
            )
        )
        try:
            yield
        finally:
            connection.execute(text("DROP TRIGGER full_disk ON order_lines"))
            connection.execute(text("DROP FUNCTION full_disk()"))
    admin.dispose()


@pytest.mark.server
def test_fa12_the_disk_of_the_whole_service_is_full(tmp_path: Path) -> None:
    """Database, cache, logs and metrics of SQLite's back end on one disk, and it fills up to the last byte.

    Reads go on and changes are 503, and so it is for a worker process that is started meanwhile: the
    metrics must not end it.  Who may not mount a disk has the system refuse the workers to write.
    """
    with small_disk("24m") as disk:
        server = ServerProcess(disk or tmp_path)
        server.prepare()
        try:
            server.start()
            order = server.as_admin("POST", ORDERS, body()).json()
            with filled(server, disk):
                works_read_only(server, order)
                if disk is not None:
                    victim = min(server.workers())
                    os.kill(victim, signal.SIGKILL)
                    wait_until(lambda: len(server.workers() - {victim}) == 2, what="a new worker", seconds=60)
                    works_read_only(server, order)
            wait_until(
                lambda: server.as_admin("POST", ORDERS, body()).status == 201, what="a change", seconds=30
            )
            assert server.as_admin("GET", path_of(order)).json() == order
        finally:
            server.kill()


@contextlib.contextmanager
def filled(server: ServerProcess, disk: Path | None) -> Iterator[None]:
    if disk is None:
        for number in server.workers():
            psutil.Process(number).rlimit(psutil.RLIMIT_FSIZE, (0, psutil.RLIM_INFINITY))
        yield
        for number in server.workers():
            psutil.Process(number).rlimit(psutil.RLIMIT_FSIZE, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))
        return
    with full(disk):
        yield


def works_read_only(server: ServerProcess, order: dict[str, object]) -> None:
    account = {"username": "admin", "password": password_of("admin")}
    for _ in range(8):
        answer = server.as_admin("GET", path_of(order))
        assert (answer.status, answer.json()) == (200, order)
        refused = server.as_admin("POST", ORDERS, body())
        assert (refused.status, refused.json()["code"]) == (503, "database_unavailable")
        assert int(refused.headers["Retry-After"]) > 0
        assert server.request("POST", "/api/v1/login/", account).status == 503
        assert server.request("GET", "/metrics/").status == 200
        assert server.request("GET", "/readyz/").status == 200
