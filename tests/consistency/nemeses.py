"""What happens to the service while clients work.  What a blow takes is back when it returns."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import psycopg

from tests.consistency.cluster import DATABASE_SECONDS, PATIENCE_SECONDS, POSTGRES, SQLITE, WORKERS, Cluster
from tests.consistency.records import Expected
from tests.servers import wait_until

LOGS = ("general.log", "events.log")


@dataclass(frozen=True)
class Nemesis:
    """One kind of blow, what it leaves to be expected, and where it can be dealt."""

    name: str
    strike: Callable[[Cluster, random.Random], None]
    expected: Expected
    backends: tuple[str, ...] = (SQLITE, POSTGRES)


def kill_worker(cluster: Cluster, chance: random.Random) -> None:
    """kill -9 of one worker process, at times of all of them; the server replaces them."""
    workers = sorted(cluster.server.workers())
    victims = workers if chance.random() < 0.2 else [chance.choice(workers)]
    with _started(cluster, len(victims)):
        for victim in victims:
            os.kill(victim, signal.SIGKILL)


def restart_server(cluster: Cluster, chance: random.Random) -> None:
    """SIGTERM to the server under load, which must end well, and a new start."""
    status = cluster.server.stop()
    if status != 0:
        raise AssertionError(f"the server ended with {status} after SIGTERM")
    with _started(cluster, WORKERS[cluster.backend]):
        cluster.server.start()
    time.sleep(1)


@contextlib.contextmanager
def _started(cluster: Cluster, workers: int) -> Iterator[None]:
    """Wait until so many workers have been started: struck before they load, none would ever serve."""
    begun = cluster.server.output().count("Started worker")
    yield
    wait_until(
        lambda: cluster.server.output().count("Started worker") >= begun + workers,
        what="the next worker",
        seconds=60,
    )


def stop_redis(cluster: Cluster, chance: random.Random) -> None:
    """Redis dies, is away for a while, and comes back empty."""
    assert cluster.services.redis is not None
    cluster.services.redis.stop()
    time.sleep(chance.uniform(0.5, 2))
    cluster.services.redis.start()


def pause_redis(cluster: Cluster, chance: random.Random) -> None:
    """Redis hangs (SIGSTOP), and goes on with what it held."""
    assert cluster.services.redis is not None
    cluster.services.redis.pause()
    try:
        time.sleep(chance.uniform(0.3, 2))
    finally:
        cluster.services.redis.resume()


def restart_redis(cluster: Cluster, chance: random.Random) -> None:
    """Redis is restarted, and comes back with what it held some time before it died."""
    redis = cluster.services.redis
    assert redis is not None
    redis.save()
    time.sleep(chance.uniform(0.2, 1))
    redis.stop()
    redis.start()


def restart_postgres(cluster: Cluster, chance: random.Random) -> None:
    """PostgreSQL is restarted, every other time by a crash that it has to recover from."""
    postgres = cluster.services.postgres
    assert postgres is not None
    postgres.stop(at_once=chance.random() < 0.5)
    time.sleep(chance.uniform(0, 1))
    postgres.start()


def cut_connections(cluster: Cluster, chance: random.Random) -> None:
    """The database ends all connections (pg_terminate_backend), in the middle of whatever they do."""
    assert cluster.services.postgres is not None
    cluster.services.postgres.cut_connections(cluster.database_url)


def hold_lock(cluster: Cluster, chance: random.Random) -> None:
    """Somebody else locks all orders: for less or for more than the service is willing to wait."""
    seconds = DATABASE_SECONDS + 1 if chance.random() < 0.3 else chance.uniform(0.2, 1)
    if cluster.backend == SQLITE:
        connection = sqlite3.connect(cluster.server.folder / "orders.db", timeout=30, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        try:
            time.sleep(seconds)
        finally:
            connection.execute("ROLLBACK")
            connection.close()
        return
    url = cluster.database_url.replace("+psycopg", "")
    with psycopg.connect(url) as database:
        mode = chance.choice(("ACCESS EXCLUSIVE", "EXCLUSIVE", "ROW EXCLUSIVE"))
        database.execute(f"LOCK TABLE orders IN {mode} MODE")
        if mode == "ROW EXCLUSIVE":
            database.execute("SELECT id FROM orders ORDER BY created_at DESC LIMIT 20 FOR UPDATE")
        time.sleep(seconds)
        database.rollback()


def fill_logs(cluster: Cluster, chance: random.Random) -> None:
    """The disk of the logs is full: both files are links to /dev/full, where every write is ENOSPC."""
    number = time.monotonic_ns()
    for name in LOGS:
        path = cluster.log_dir / name
        kept, full = path.with_name(f"{name}.{number}"), path.with_name(f"{name}.full")
        full.symlink_to("/dev/full")
        if path.exists():
            kept.hardlink_to(path)
        full.replace(path)  # in one step: a worker that finds no file makes one
    time.sleep(chance.uniform(0.5, 1.5))
    for name in LOGS:
        (cluster.log_dir / name).unlink()


def lose_log_folder(cluster: Cluster, chance: random.Random) -> None:
    """The folder of the logs cannot be used: a file stands in its place, so nothing in it can be opened.

    For root too, whom no permission keeps out.
    """
    folder = cluster.log_dir
    aside = folder.with_name("logs-aside")
    folder.rename(aside)
    folder.write_text("")
    time.sleep(chance.uniform(0.5, 1.5))
    folder.unlink()
    aside.rename(folder)


_UNSERVED = Expected(served=False, logged=False)

NEMESES: tuple[Nemesis, ...] = (
    Nemesis("kill -9 of workers", kill_worker, Expected(answered=False, logged=False)),
    Nemesis("SIGTERM and start", restart_server, Expected()),
    Nemesis("lock held", hold_lock, Expected(served=False)),
    Nemesis("log disk full", fill_logs, Expected(logged=False)),
    Nemesis("log folder lost", lose_log_folder, Expected(logged=False)),
    Nemesis("Redis stopped", stop_redis, Expected(), (POSTGRES,)),
    Nemesis("Redis paused", pause_redis, Expected(), (POSTGRES,)),
    Nemesis("Redis restarted", restart_redis, Expected(), (POSTGRES,)),
    Nemesis("PostgreSQL restarted", restart_postgres, _UNSERVED, (POSTGRES,)),
    Nemesis("connections cut", cut_connections, _UNSERVED, (POSTGRES,)),
)


def together(nemeses: Sequence[Nemesis]) -> Expected:
    """What can be expected where all of these are at work."""
    return Expected(
        answered=all(nemesis.expected.answered for nemesis in nemeses),
        served=all(nemesis.expected.served for nemesis in nemeses),
        logged=all(nemesis.expected.logged for nemesis in nemeses),
    )


def patience_under(nemeses: Sequence[Nemesis]) -> int:
    """How long the service waits for the database: no longer than need be where these take it away."""
    return PATIENCE_SECONDS if together(nemeses).served else DATABASE_SECONDS


class Striking:
    """Deals blows in a thread of its own, one after the other, until the block is left."""

    def __init__(self, cluster: Cluster, nemeses: Sequence[Nemesis], seed: int, calm: float = 0.7) -> None:
        self._cluster = cluster
        self._nemeses = nemeses
        self._chance = random.Random(seed)
        self._calm = calm
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.blows = 0
        self.failure: Exception | None = None

    def __enter__(self) -> Self:
        if self._nemeses:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._nemeses:
            self._thread.join()

    def _run(self) -> None:
        took = 0.0
        # At least as long as the last blow took, so that on a slow machine too there is life in between.
        while not self._over.wait(max(took, self._chance.uniform(0.3, 2) * self._calm)):
            nemesis = self._nemeses[self.blows % len(self._nemeses)]
            begun = time.monotonic()
            try:
                nemesis.strike(self._cluster, self._chance)
            except Exception as error:  # noqa: BLE001  # told to whoever runs this
                self.failure = error
                return
            self.blows += 1
            took = time.monotonic() - begun
