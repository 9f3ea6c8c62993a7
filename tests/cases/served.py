"""Four worker processes on each of the two back ends, and people who call them over the wire.

`tests/conftest.py` names this module in `pytest_plugins`.  One server a back end serves all cases that
ask for `served`; each of them makes people of its own, so that they do not see one another's orders.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests import factories
from tests.callers import ORDERS, USERS
from tests.cases.mortal_server import MARK
from tests.server.processes import ADMIN_PASSWORD, BACKENDS, Answer, ServerProcess, prepared_database, started
from tests.servers import PostgresServer, RedisServer, wait_until

SQLITE, POSTGRESQL = "sqlite+files", "postgresql+redis"
WORKERS = 4
# The system deals connections out by chance: one of four workers gets none of so many once in 2,500 times.
MANY = 32
LOST = (ConnectionError, http.client.RemoteDisconnected, http.client.IncompleteRead)
"""What a client sees of a server that died before it answered."""


class MortalServer(ServerProcess):
    """A server of which `kill_after_commit` makes one worker die."""

    program = ("-m", "tests.cases.mortal_server")

    def __init__(self, folder: Path, **settings: str) -> None:
        self.mark = folder / "die"
        super().__init__(folder, WORKERS, **settings, **{MARK: str(self.mark)})

    def wait_for_workers(self) -> None:
        """Return when all workers are there to be connected to."""
        wait_until(lambda: len(self.workers()) == WORKERS, what="all workers", seconds=60)

    def kill_after_commit(self, request: Callable[[], object]) -> None:
        """Send a request whose worker dies between commit and answer, and wait for the next worker."""
        started = self.output().count("Started worker")
        self.mark.touch()
        with pytest.raises(LOST):
            request()
        assert not self.mark.exists(), "a worker died of it"
        wait_until(lambda: self.output().count("Started worker") > started, what="a new worker", seconds=60)


@dataclass(frozen=True)
class Person:
    """Somebody with an account, who opens a new connection for each request."""

    server: ServerProcess
    name: str
    auth: str
    user_id: str = ""

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        return self.server.request(method, path, body, auth=self.auth, **headers)

    def get(self, path: str, **headers: str) -> Answer:
        return self("GET", path, **headers)

    def order(self, **others: Any) -> dict[str, Any]:
        """Make an order and return it."""
        answer = self("POST", ORDERS, factories.body(**others))
        assert answer.status == 201, answer.body
        made: dict[str, Any] = answer.json()
        return made

    def everywhere(self, path: str, times: int = MANY) -> list[Answer]:
        """Read on so many connections that every worker is asked."""
        with ThreadPoolExecutor(8) as threads:
            return list(threads.map(lambda _: self.get(path), range(times)))


@dataclass(frozen=True)
class Served:
    """A server with four workers, and its admin."""

    server: MortalServer
    backend: str

    @property
    def admin(self) -> Person:
        tokens = self.log_in("admin", ADMIN_PASSWORD)
        return Person(self.server, "admin", tokens)

    def person(self, role: str = "user") -> Person:
        """A new account, logged in."""
        account = {"username": f"person-{uuid4().hex[:12]}", "password": "person-password-1"}
        made = self.server.as_admin("POST", USERS, {**account, "role": role})
        assert made.status == 201, made.body
        auth = self.log_in(account["username"], account["password"])
        return Person(self.server, account["username"], auth, made.json()["user_id"])

    def log_in(self, name: str, password: str) -> str:
        answer = self.server.request("POST", "/api/v1/login/", {"username": name, "password": password})
        assert answer.status == 200, answer.body
        return f"Bearer {answer.json()['access']}"


@pytest.fixture(scope="module", params=BACKENDS)
def served(request: pytest.FixtureRequest) -> Served:
    """Four workers of the production server on one of the two back ends."""
    name = "served_by_postgresql" if request.param == POSTGRESQL else "served_by_sqlite"
    server: Served = request.getfixturevalue(name)
    return server


@pytest.fixture(scope="session")
def served_by_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Started once, although tests of the two back ends take turns."""
    with _serving(tmp_path_factory.mktemp("served")) as server:
        yield Served(server, SQLITE)


@pytest.fixture(scope="session")
def served_by_postgresql(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer, redis_server: RedisServer
) -> Iterator[Served]:
    """Started once, as above."""
    with (
        prepared_database(postgres_server) as url,
        _serving(tmp_path_factory.mktemp("served"), DATABASE_URL=url, REDIS_URL=redis_server.url) as server,
    ):
        yield Served(server, POSTGRESQL)


@contextlib.contextmanager
def _serving(folder: Path, **settings: str) -> Iterator[MortalServer]:
    server = MortalServer(folder, ACCESS_TOKEN_MINUTES="1440", **settings)
    if "DATABASE_URL" not in settings:
        server.prepare()
    with started(server):
        server.wait_for_workers()
        yield server


def exchange(server: ServerProcess, sent: bytes) -> bytes:
    """All that the server answers to these bytes on one connection, until it closes that."""
    received = bytearray()
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(sent)
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65_536):
                received += piece
    return bytes(received)
