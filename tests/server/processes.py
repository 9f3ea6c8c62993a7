"""The production server as an operator starts it: `python serve.py` with its settings in the environment."""

from __future__ import annotations

import atexit
import contextlib
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # it has no types, and little is used of it
import pytest

from config import ROOT
from tests.callers import basic
from tests.servers import PostgresServer, free_port, wait_until

ADMIN_PASSWORD = "admin-password-1"


@dataclass(frozen=True)
class Answer:
    """What came back over the wire."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def send(port: int, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
    """One request to a server on this machine, on a connection of its own, which any worker may get."""
    data = None
    if body is not None:
        data = json.dumps(body).encode()
        headers = {**headers, "Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, data, headers)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


class ServerProcess:
    """A server of the tests' own on a free port, with everything it writes in one folder."""

    program: tuple[str, ...] = ("serve.py",)
    """What Python runs to serve."""

    def __init__(self, folder: Path, workers: int = 2, **settings: str) -> None:
        self.port = free_port()
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": f"sqlite:///{folder}/orders.db",
            "SECRET_KEY": secrets.token_hex(32),
            "JWT_SECRET_KEY": secrets.token_hex(32),
            "LOG_DIR": str(folder / "logs"),
            "CACHE_DIR": str(folder / "cache"),
            "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
            "UPLOAD_DIR": str(folder / "uploads"),
            "PORT": str(self.port),
            "WORKERS": str(workers),
            "ADMIN_PASSWORD": ADMIN_PASSWORD,
            **settings,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a Python command of the project with the same settings, to its end."""
        return subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def prepare(self) -> None:
        """Migrate, and make the first admin; a SQLite file is copied from one where that was done."""
        if self.environment["DATABASE_URL"].startswith("sqlite"):
            self.folder.mkdir(exist_ok=True)
            shutil.copy(_migrated(), self.environment["DATABASE_URL"].removeprefix("sqlite:///"))
        else:
            self.first_run()

    def first_run(self) -> None:
        """Do as `make run` does before it serves."""
        done = self.run("-m", "orders_app.first_run")
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Start, and wait until somebody listens."""
        self.spawn()
        wait_until(self._listens, what="the server", seconds=60)

    def spawn(self) -> None:
        """Start, and do not wait."""
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "output").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, *self.program],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask the process to end, and return its exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(30)

    def kill(self) -> None:
        """Leave nothing behind, whatever happened."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def workers(self) -> set[int]:
        """The process ids of the workers."""
        assert self.process is not None
        found = set()
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.Error):
                if child.status() != psutil.STATUS_ZOMBIE and "resource_tracker" not in str(child.cmdline()):
                    found.add(int(child.pid))
        return found

    def output(self) -> str:
        return (self.folder / "output").read_text(errors="replace")

    def request(
        self, method: str, path: str, body: Any = None, *, auth: str | None = None, **headers: str
    ) -> Answer:
        """One request on a connection of its own, which any worker may get."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if auth is not None:
            sent["Authorization"] = auth
        return send(self.port, method, path, body, sent)

    def as_admin(self, method: str, path: str, body: Any = None) -> Answer:
        return self.request(method, path, body, auth=basic("admin", ADMIN_PASSWORD))

    def _listens(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise RuntimeError(f"the server ended: {self.output()[-2000:]}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


@cache
def _migrated() -> Path:
    """A database with its tables and the first admin, made once for all servers of this test process."""
    folder = Path(tempfile.mkdtemp(prefix="orders-migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    ServerProcess(folder).first_run()
    return folder / "orders.db"


@cache
def _migrated_on(postgres: PostgresServer) -> str:
    """The URL of such a database on that server, to be copied."""
    url = postgres.new_database()
    with tempfile.TemporaryDirectory() as folder:
        ServerProcess(Path(folder), DATABASE_URL=url).first_run()
    return url


@contextlib.contextmanager
def serving(folder: Path, workers: int = 2, **settings: str) -> Iterator[ServerProcess]:
    """A prepared server that listens, and is gone afterwards."""
    server = ServerProcess(folder, workers, **settings)
    server.prepare()
    with started(server):
        yield server


@contextlib.contextmanager
def started(server: ServerProcess) -> Iterator[ServerProcess]:
    """A server that is ready to be started, from when it listens to the end of the block."""
    try:
        server.start()
        yield server
    finally:
        server.kill()


@contextlib.contextmanager
def prepared_database(postgres: PostgresServer) -> Iterator[str]:
    """A database with its tables and the first admin."""
    with postgres.database(_migrated_on(postgres)) as url:
        yield url


BACKENDS = (
    "sqlite+files",
    pytest.param("postgresql+redis", marks=[pytest.mark.postgres, pytest.mark.redis]),
)
"""For the parameters of a fixture that starts a server on each of the two."""


@contextlib.contextmanager
def prepared_server(
    request: pytest.FixtureRequest, folder: Path, workers: int = 2, **settings: str
) -> Iterator[ServerProcess]:
    """A server on the one of `BACKENDS` that a fixture is asked for, ready to be started."""
    if request.param == BACKENDS[0]:
        server = ServerProcess(folder, workers, **settings)
        server.prepare()
        yield server
        return
    redis = request.getfixturevalue("redis_server")
    postgres = request.getfixturevalue("postgres_server")
    with prepared_database(postgres) as url:
        yield ServerProcess(folder, workers, DATABASE_URL=url, REDIS_URL=redis.url, **settings)


@contextlib.contextmanager
def serving_on(
    request: pytest.FixtureRequest, folder: Path, workers: int = 2, **settings: str
) -> Iterator[ServerProcess]:
    """The same; it listens, and is gone afterwards."""
    with prepared_server(request, folder, workers, **settings) as server, started(server):
        yield server
