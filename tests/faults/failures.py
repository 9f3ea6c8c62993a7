"""The ways in which each part fails, by the name of their row in `docs/operations.md`.

A name is `<part>-<how>`; a row that means several things has more of them after a colon.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import redis
from psycopg import sql

from orders_app.shared.events import Event
from orders_app.shared.signals import access_denied, event_committed
from tests.faults.worlds import LocalWorld, ProxiedWorld, ServerWorld

SLOW_SECONDS = 1.0
LINE_SECONDS = 0.3
PART_OF_A_LINE = b'{"at":"1999-'
Anew = Callable[[], None]
"""Spoils once more what the service mends by using it; to be called before each use."""


@contextmanager
def database_down(world: ProxiedWorld) -> Iterator[None]:
    """Nobody listens at its address, and the connections that there were are gone."""
    with world.database.behaving("refuse"):
        yield


@contextmanager
def database_slow(world: ProxiedWorld) -> Iterator[None]:
    """It takes connections and statements and says nothing."""
    with world.database.behaving("stall"):
        yield


@contextmanager
def database_read_only(world: ProxiedWorld) -> Iterator[None]:
    """It became a standby: it reads, and refuses every change."""
    _set_read_only(world, "on")
    try:
        yield
    finally:
        _set_read_only(world, "off")


def _set_read_only(world: ProxiedWorld, value: str) -> None:
    url = world.postgres_url.replace("+psycopg", "")
    name = url.split("?")[0].rsplit("/", 1)[1]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}").format(
                sql.Identifier(name), sql.Literal(value)
            )
        )
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@contextmanager
def database_cuts_at_commit(world: ProxiedWorld) -> Iterator[None]:
    """It does what it is told, and the connection ends before it can say so."""
    # A new order is committed by the statement that holds its event.
    world.database.cut_on = (b"COMMIT", b"order.created")
    with world.database.behaving("cut"):
        yield


@contextmanager
def database_garbled(world: ProxiedWorld) -> Iterator[None]:
    """What comes from there is not its protocol."""
    with world.database.behaving("garble"):
        yield


@contextmanager
def cache_down(world: ProxiedWorld) -> Iterator[None]:
    """Nobody listens at its address, and the connections that there were are gone."""
    with world.cache.behaving("refuse"):
        yield


@contextmanager
def cache_slow(world: ProxiedWorld) -> Iterator[None]:
    """Each of its answers comes after two seconds."""
    with world.cache.behaving("delay"):
        yield


@contextmanager
def cache_garbled(world: ProxiedWorld) -> Iterator[None]:
    """What comes from there is not its protocol."""
    with world.cache.behaving("garble"):
        yield


@contextmanager
def cache_foreign(world: ProxiedWorld) -> Iterator[Anew]:
    """Under each key is what belongs to another one."""

    def mix() -> None:
        with _entries(world) as client:
            keys = sorted(client.keys("orders:*:*"))
            values = client.mget(keys)
            assert len(set(values)) == len(keys) > 1
            client.mset(dict(zip(keys, [*values[1:], values[0]], strict=True)))

    yield mix


@contextmanager
def cache_stale(world: ProxiedWorld) -> Iterator[Anew]:
    """It came back with what it held before the last change."""

    def put_back() -> None:
        with _entries(world) as client:
            before = {key: client.get(key) for key in client.keys("orders:*")}
            assert world.people.write() == 200
            client.mset(before)

    yield put_back


@contextmanager
def cache_refusing(world: ProxiedWorld) -> Iterator[None]:
    """It has no memory left, and says so to everybody who stores something."""
    assert world.people.write() == 200
    with redis.Redis.from_url(world.redis.url) as client:
        client.config_set("maxmemory", "1")
        try:
            yield
        finally:
            client.config_set("maxmemory", "0")


@contextmanager
def _entries(world: ProxiedWorld) -> Iterator[Any]:
    """The cache server itself, with fresh entries of both answers that people read."""
    world.people.fill_the_cache()
    with redis.Redis.from_url(world.redis.url) as client:
        yield client


@contextmanager
def disk_full(world: ServerWorld) -> Iterator[None]:
    """No file can be written to; what is there can be read, and of the cache nothing that is fresh."""
    assert world.people.write() == 200
    with world.no_file_grows():
        yield


@contextmanager
def disk_slow(world: ServerWorld) -> Iterator[None]:
    """A writer waits for the disk in the middle of its transaction, and everybody else for the writer."""
    database = sqlite3.connect(world.server.folder / "orders.db", isolation_level=None)
    try:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")
    finally:
        database.close()


@contextmanager
def disk_garbage(world: ServerWorld) -> Iterator[Anew]:
    """Files that were written come back as something else: the cache's, and one of the metrics."""

    def spoil() -> None:
        world.people.fill_the_cache()
        for file in (world.server.folder / "cache").iterdir():
            file.write_bytes(b"\xde\xad\xbe\xef" * 20)

    torn = world.server.folder / "metrics" / "counter_99999.db"
    torn.write_bytes(b"\x40\0\0\0\0\0\0\0\x0c\0\0\0" + b"\xff" * 64)
    try:
        yield spoil
    finally:
        torn.unlink()


@contextmanager
def logs_down(world: ServerWorld) -> Iterator[None]:
    """Their folder is gone."""
    folder = world.server.folder / "logs"
    kept = folder.rename(folder.with_name("logs.kept"))
    folder.write_text("no folder")
    try:
        yield
    finally:
        folder.unlink()
        kept.rename(folder)


@contextmanager
def logs_slow(world: ServerWorld) -> Iterator[None]:
    """Whoever collects them takes a while for each line, and the pipe is full until then."""
    with (
        _replaced(world, os.mkfifo) as (general, events),
        _collected_slowly(general),
        _collected_slowly(events),
    ):
        yield


@contextmanager
def _collected_slowly(path: Path) -> Iterator[None]:
    """From this pipe; a line fits in only when something was taken before."""
    pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)  # also to write, so that it never ends
    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, select.PIPE_BUF)
    done = threading.Event()

    def collect() -> None:
        while not done.wait(LINE_SECONDS):
            os.read(pipe, select.PIPE_BUF)
            time.sleep(0.01)  # whoever waits comes first
            _fill(pipe)

    _fill(pipe)
    collector = threading.Thread(target=collect, daemon=True)
    collector.start()
    try:
        yield
    finally:
        done.set()
        collector.join()
        os.close(pipe)


def _fill(pipe: int) -> None:
    """Leave no room for another byte."""
    for size in (1024, 64, 1):
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(pipe, b"\n" * size)


@contextmanager
def logs_full(world: ServerWorld) -> Iterator[None]:
    """They can be opened, and take nothing."""
    with _replaced(world, lambda path: path.symlink_to("/dev/full")):
        yield


@contextmanager
def logs_torn(world: ServerWorld) -> Iterator[Anew]:
    """Somebody wrote a part of a line last, and died."""

    def tear() -> None:
        for path in log_files(world):
            with path.open("ab") as file:
                file.write(PART_OF_A_LINE)

    yield tear


def log_files(world: ServerWorld) -> list[Path]:
    """`general.log` and `events.log`."""
    return [world.server.folder / "logs" / name for name in ("general.log", "events.log")]


@contextmanager
def _replaced(world: ServerWorld, make: Callable[[Path], None]) -> Iterator[list[Path]]:
    paths = log_files(world)
    for path in paths:
        path.unlink(missing_ok=True)
        make(path)
    try:
        yield paths
    finally:
        for path in paths:
            path.unlink(missing_ok=True)


@contextmanager
def _receiving(receiver: Callable[..., Any]) -> Iterator[None]:
    with event_committed.connected_to(receiver), access_denied.connected_to(receiver):
        yield


@contextmanager
def receivers_down(world: LocalWorld) -> Iterator[None]:
    """Each of them raises."""

    def fail(_sender: object, **_payload: object) -> None:
        raise RuntimeError("the receiver has failed")

    with _receiving(fail):
        yield


@contextmanager
def receivers_slow(world: LocalWorld) -> Iterator[None]:
    """They take a second for each event."""

    def dawdle(_sender: object, **_payload: object) -> None:
        time.sleep(SLOW_SECONDS)

    with _receiving(dawdle):
        yield


@contextmanager
def receivers_held(world: LocalWorld) -> Iterator[threading.Semaphore]:
    """They go on at the end of this only; the semaphore counts those that have begun."""
    begun, released = threading.Semaphore(0), threading.Event()

    def hold(_sender: object, **_payload: object) -> None:
        begun.release()
        released.wait(60)

    with _receiving(hold):
        try:
            yield begun
        finally:
            released.set()


@contextmanager
def receivers_lying(world: LocalWorld) -> Iterator[None]:
    """They return nonsense, and change what they were given."""

    def lie(_sender: object, event: Event | None = None, **_payload: object) -> str:
        changes = getattr(event, "changes", None)
        if isinstance(changes, dict):
            changes.clear()
            changes["total_price"] = ["0.00", "1000000.00"]
        return "nothing happened"

    with _receiving(lie):
        yield


Failure = Callable[[Any], AbstractContextManager[Anew | None]]
# Those that the count of orders survives come together: it is good for ten seconds, and so is its absence.
FAILURES: dict[str, Failure] = {
    "database-lying": database_read_only,
    "database-lying:cut": database_cuts_at_commit,
    "database-down": database_down,
    "database-lying:garbled": database_garbled,
    "database-slow": database_slow,
    "cache-down": cache_down,
    "cache-slow": cache_slow,
    "cache-lying": cache_garbled,
    "cache-lying:foreign": cache_foreign,
    "cache-lying:stale": cache_stale,
    "cache-lying:refusing": cache_refusing,
    "disk-down": disk_full,
    "disk-slow": disk_slow,
    "disk-lying": disk_garbage,
    "logs-down": logs_down,
    "logs-slow": logs_slow,
    "logs-lying": logs_full,
    "logs-lying:torn": logs_torn,
    "receivers-down": receivers_down,
    "receivers-slow": receivers_slow,
    "receivers-lying": receivers_lying,
}
