"""The service with everything it needs, each part of which can be made to fail."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import flask_migrate
import psutil  # type: ignore[import-untyped]  # it has no types, and little is used of it
from flask import Flask

from orders_app import create_app
from orders_app.extensions import db
from orders_app.migrating import enable_migrations
from tests import factories
from tests.conftest import settings
from tests.faults.people import People, Seen
from tests.faults.proxy import Proxy
from tests.server.processes import ADMIN_PASSWORD, ServerProcess, serving
from tests.servers import PostgresServer, RedisServer, wait_until

STATEMENT_SECONDS = 1


@dataclass
class World:
    """A running service, and people who use it."""

    people: People

    def is_well(self) -> bool:
        """Whether all parts of it work again."""
        return True


@dataclass
class ServerWorld(World):
    """Two worker processes on SQLite and files."""

    server: ServerProcess

    def is_well(self) -> bool:
        """Asked a few times, because each worker process finds out for itself."""
        return is_ready(self.server)

    @contextlib.contextmanager
    def no_file_grows(self, most: int = 0) -> Iterator[None]:
        """The system refuses the workers to write past this many bytes of any file."""
        workers = [psutil.Process(number) for number in self.server.workers()]
        limits = [worker.rlimit(psutil.RLIMIT_FSIZE) for worker in workers]
        for worker, (_, hard) in zip(workers, limits, strict=True):
            worker.rlimit(psutil.RLIMIT_FSIZE, (most, hard))
        try:
            yield
        finally:
            for worker, limit in zip(workers, limits, strict=True):
                worker.rlimit(psutil.RLIMIT_FSIZE, limit)


@dataclass
class ProxiedWorld(ServerWorld):
    """Two worker processes on PostgreSQL and Redis, with a proxy before each of these."""

    database: Proxy
    cache: Proxy
    redis: RedisServer
    postgres_url: str


@dataclass
class LocalWorld(World):
    """The application in this process, where a test can add receivers of its own."""

    app: Flask


def send_to(server: ServerProcess) -> People:
    """People who speak to a server process."""

    def send(method: str, path: str, data: bytes | None, headers: dict[str, str]) -> Seen:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        try:
            connection.request(method, path, data, headers)
            response = connection.getresponse()
            return Seen(response.status, response.headers, response.read())
        finally:
            connection.close()

    return People(send, ADMIN_PASSWORD)


@contextlib.contextmanager
def on_files(folder: Path) -> Iterator[ServerWorld]:
    """SQLite and files."""
    with serving(folder, DATABASE_TIMEOUT_SECONDS=str(STATEMENT_SECONDS)) as server:
        yield ServerWorld(send_to(server), server)


@contextlib.contextmanager
def behind_proxies(folder: Path, postgres: PostgresServer, redis: RedisServer) -> Iterator[ProxiedWorld]:
    """PostgreSQL and Redis."""
    with (
        postgres.database() as url,
        through_proxy(url) as (database, through),
        Proxy(("127.0.0.1", redis.port)) as cache,
        serving(
            folder,
            DATABASE_URL=through,
            REDIS_URL=f"redis://127.0.0.1:{cache.port}/0",
            DATABASE_TIMEOUT_SECONDS=str(STATEMENT_SECONDS),
        ) as server,
    ):
        yield ProxiedWorld(send_to(server), server, database, cache, redis, url)


@contextlib.contextmanager
def in_this_process(folder: Path) -> Iterator[LocalWorld]:
    """SQLite and files."""
    app = create_app(settings(folder))
    enable_migrations(app)
    with app.app_context():
        app.config["ORDERS"].make_folders()
        flask_migrate.upgrade()
        factories.begin_anew(db.session())
        db.session.remove()

    def send(method: str, path: str, data: bytes | None, headers: dict[str, str]) -> Seen:
        client = app.test_client(use_cookies=False)
        answer = client.open(path, method=method, data=data, headers=headers, buffered=True)
        return Seen(answer.status_code, answer.headers, answer.data)

    try:
        yield LocalWorld(People(send, factories.password_of("admin")), app)
    finally:
        with app.app_context():
            db.engine.dispose()


@contextlib.contextmanager
def through_proxy(url: str) -> Iterator[tuple[Proxy, str]]:
    """A proxy before the database at this URL, which leads to a Unix socket; and the URL that leads there."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    socket = f"{query['host'][0]}/.s.PGSQL.{query.get('port', ['5432'])[0]}"
    with Proxy(socket) as proxy:
        yield proxy, parts._replace(netloc=f"postgres@127.0.0.1:{proxy.port}", query="").geturl()


def is_ready(server: ServerProcess) -> bool:
    """Asked a few times, because each worker process finds out for itself."""
    answers = [server.request("GET", "/readyz/") for _ in range(16)]
    return all(json.loads(answer.body)["status"] == "ok" for answer in answers)


def wait_until_ready(server: ServerProcess) -> None:
    """What failed is back; the service must find that out by itself."""
    wait_until(lambda: is_ready(server), what="the service", seconds=30)


def wait_until_well(world: World) -> None:
    """Likewise, for a world."""
    wait_until(world.is_well, what="the service", seconds=30)
