"""The service itself, as an operator starts it: `python serve.py` with its settings in the environment."""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterable
from pathlib import Path

from benchmarks.arena import WORKERS, Arena, tidy
from benchmarks.contenders import Contender
from benchmarks.dataset import USERS, SampleOrder
from benchmarks.dataset import orders as made_up
from benchmarks.filling import fill
from benchmarks.multiplying import multiply
from tests.server.processes import ServerProcess, started

LARGEST_PAGE = 1_000
ONE_BY_ONE = 1_000_000
"""At most so many orders are made as the service makes them; what is more are copies of these."""
FIXED = {
    # One key for the history of the filled database and of all its copies.
    "SECRET_KEY": secrets.token_hex(32),
    # A long run outlives a token of fifteen minutes; how long it is good for costs nothing.
    "ACCESS_TOKEN_MINUTES": "600",
}


def on_postgres(arena: Arena) -> Contender:
    """PostgreSQL and Redis."""
    return _start(arena, "ours", DATABASE_URL=service_database(arena), REDIS_URL=arena.redis_url())


def on_postgres_for_writes(arena: Arena) -> Contender:
    """The same with a database of its own, for what adds to it."""
    return _start(arena, "ours-writes", DATABASE_URL=service_database(arena), REDIS_URL=arena.redis_url())


def uncached(arena: Arena) -> Contender:
    """PostgreSQL, and the cache off."""
    return _start(arena, "ours-uncached", DATABASE_URL=service_database(arena), CACHE_ENABLED="false")


def of_size(arena: Arena, orders: int) -> Contender:
    """PostgreSQL with so many orders, and the cache off, so that every request is worked out."""
    name = f"ours-{orders}"
    if name not in arena.running:
        url = arena.postgres.new_database()
        times = math.ceil(orders / ONE_BY_ONE)
        one_by_one = orders // times
        _prepare(arena, url, made_up(one_by_one))
        if times > 1:
            multiply(url, one_by_one, times)
            tidy(url)
        arena.running[name] = _start(
            arena,
            name,
            DATABASE_URL=url,
            CACHE_ENABLED="false",
            # Large pages lead to a deep cursor in few steps.
            MAX_PAGE_SIZE=f"{LARGEST_PAGE}",
            # To count what a common text matches among ten million may take longer than the service lets it.
            DATABASE_TIMEOUT_SECONDS="60",
        )
    return arena.running[name]


def embedded(arena: Arena) -> Contender:
    """What runs out of the box: an SQLite file, and files for a cache."""
    name = "ours-sqlite"
    server = server_in(arena.folder / name)
    server.prepare()
    fill(server.environment["DATABASE_URL"], arena.dataset.orders, FIXED["SECRET_KEY"])
    return _started(arena, name, server)


def service_database(arena: Arena) -> str:
    """The URL of a new database as the service has it, with the data set in it."""
    return arena.database("ours", lambda url: _prepare(arena, url, arena.dataset.orders))


def _prepare(arena: Arena, url: str, orders: Iterable[SampleOrder]) -> None:
    server_in(arena.folder / "filling", DATABASE_URL=url).first_run()
    fill(url, orders, FIXED["SECRET_KEY"])
    tidy(url)


def server_in(folder: Path, **settings: str) -> ServerProcess:
    """A server of the service's, not yet started."""
    return ServerProcess(folder, WORKERS, **FIXED, **settings)


def _start(arena: Arena, name: str, **settings: str) -> Contender:
    return _started(arena, name, server_in(arena.folder / name, **settings))


def _started(arena: Arena, name: str, server: ServerProcess) -> Contender:
    arena.stack.enter_context(started(server))
    return contender_of(name, server)


def contender_of(name: str, server: ServerProcess) -> Contender:
    """The running server as a contender: every account of the data set is logged in."""
    assert server.process is not None
    bearers = {}
    for user in USERS:
        body = {"username": user.name, "password": user.password}
        answer = server.request("POST", "/api/v1/login/", body)
        bearers[user.name] = f"Bearer {answer.json()['access']}"
    url = server.environment["DATABASE_URL"]
    return Contender(name, server.port, server.process, bearers, url)
