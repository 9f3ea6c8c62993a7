"""The service under test: real server processes on one of the two back ends, prepared once and copied."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.consistency.client import Account
from tests.server.processes import ADMIN_PASSWORD, ServerProcess
from tests.servers import (
    PostgresServer,
    RedisServer,
    redis_program,
    running_postgres,
    running_redis,
    wait_until,
)

SQLITE = "sqlite+files"
POSTGRES = "postgresql+redis"
WORKERS = {SQLITE: 2, POSTGRES: 4}
DATABASE_SECONDS = 4
"""`DATABASE_TIMEOUT_SECONDS` of the service: a lock is waited for half as long on PostgreSQL."""
PATIENCE_SECONDS = 30
"""Where nothing holds a lock: only a slow machine keeps anybody waiting, and that is no finding."""
PEOPLE = {"alice": False, "bob": False, "carol": False, "admin": True}


@dataclass(frozen=True)
class Services:
    """The database and cache servers of a run, which are its own: they may be stopped."""

    postgres: PostgresServer | None = None
    redis: RedisServer | None = None


@contextlib.contextmanager
def own_services(*, crashes: bool = True) -> Iterator[Services]:
    """A PostgreSQL and a Redis for nobody else."""
    program = redis_program()
    if program is None:
        raise RuntimeError("There is no Redis: install redis-server, or a Python that its wheel is made for.")
    with running_postgres(crashes=crashes) as postgres, running_redis(program) as redis:
        yield Services(postgres, redis)


class BuggedServer(ServerProcess):
    """The same server, with a bug planted in the application that it loads."""

    program = ("-m", "tests.consistency.launcher")


@dataclass(frozen=True)
class Prepared:
    """A database with accounts that are logged in, to be copied; the key in `settings` made the tokens."""

    backend: str
    folder: Path
    database_url: str
    settings: dict[str, str]
    accounts: list[Account]


@dataclass
class Cluster:
    """A running service, and whom it knows."""

    backend: str
    server: ServerProcess
    services: Services
    accounts: list[Account]

    @property
    def database_url(self) -> str:
        return self.server.environment["DATABASE_URL"]

    @property
    def log_dir(self) -> Path:
        return Path(self.server.environment["LOG_DIR"])

    def wait_until_ready(self) -> None:
        """Wait until everything that was taken away is there again."""
        wait_until(self._is_ready, what="the service", seconds=60)

    def _is_ready(self) -> bool:
        try:
            answer = self.server.request("GET", "/readyz")
        except OSError:
            return False
        return answer.status == 200 and answer.json()["status"] == "ok"


@contextlib.contextmanager
def prepared(backend: str, services: Services) -> Iterator[Prepared]:
    """Make the database that every run on this back end begins with."""
    with tempfile.TemporaryDirectory(prefix="orders-consistency-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        settings = {
            "ACCESS_TOKEN_MINUTES": "1440",
            "LOGIN_FAILURES_PER_ACCOUNT": "0",
            "LOGIN_FAILURES_PER_ADDRESS": "0",
        }
        if backend == POSTGRES:
            assert services.postgres is not None
            assert services.redis is not None
            settings["DATABASE_URL"] = stack.enter_context(services.postgres.database())
            settings["REDIS_URL"] = services.redis.url
        server = ServerProcess(folder, workers=1, **settings)
        server.prepare()
        server.start()
        try:
            accounts = [_account(server, name, is_admin) for name, is_admin in PEOPLE.items()]
            server.stop()
        finally:
            server.kill()
        # Not SECRET_KEY: each run has its own, so that what the cache holds of another run is not valid.
        settings["JWT_SECRET_KEY"] = server.environment["JWT_SECRET_KEY"]
        yield Prepared(backend, folder, server.environment["DATABASE_URL"], settings, accounts)


def _account(server: ServerProcess, name: str, is_admin: bool) -> Account:
    """Make the account unless it is the first admin's, and log in."""
    password = ADMIN_PASSWORD if is_admin else f"{name}-password-1"
    credentials = {"username": name, "password": password}
    if not is_admin:
        assert server.as_admin("POST", "/api/v1/users/", credentials).status == 201
    tokens = server.request("POST", "/api/v1/login/", credentials).json()
    return Account(name, is_admin, f"Bearer {tokens['access']}")


@contextlib.contextmanager
def running(
    base: Prepared,
    services: Services,
    folder: Path,
    *,
    workers: int | None = None,
    bug: str | None = None,
    patience: int = DATABASE_SECONDS,
) -> Iterator[Cluster]:
    """The service on a copy of the prepared database, with a bug of `planted.py` if one is named.

    `patience` is its `DATABASE_TIMEOUT_SECONDS`.
    """
    with contextlib.ExitStack() as stack:
        settings = {**base.settings, "DATABASE_TIMEOUT_SECONDS": str(patience)}
        if base.backend == POSTGRES:
            assert services.postgres is not None
            settings["DATABASE_URL"] = stack.enter_context(services.postgres.database(base.database_url))
        else:
            folder.mkdir(parents=True, exist_ok=True)
            for file in base.folder.glob("orders.db*"):
                shutil.copy(file, folder)
            settings.pop("DATABASE_URL", None)
        kind = ServerProcess
        if bug is not None:
            kind, settings["PLANTED_BUG"] = BuggedServer, bug
        server = kind(folder, workers or WORKERS[base.backend], **settings)
        stack.callback(server.kill)
        server.start()
        cluster = Cluster(base.backend, server, services, base.accounts)
        cluster.wait_until_ready()
        yield cluster
