"""Who can be started, by name."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks import ours, peer_servers
from benchmarks.arena import Arena
from benchmarks.contenders import Contender

STARTERS: dict[str, Callable[[Arena], Contender]] = {
    "ours": ours.on_postgres,
    "ours-writes": ours.on_postgres_for_writes,
    "ours-uncached": ours.uncached,
    "ours-sqlite": ours.embedded,
    "empty": peer_servers.empty,
    "fastapi": lambda arena: peer_servers.fastapi(arena, "fastapi"),
    "fastapi-redis": lambda arena: peer_servers.fastapi(arena, "fastapi-redis", cached=True),
    "fastapi-writes": lambda arena: peer_servers.fastapi(arena, "fastapi-writes"),
    "fastapi-redis-writes": lambda arena: peer_servers.fastapi(arena, "fastapi-redis-writes", cached=True),
    "drf": lambda arena: peer_servers.drf(arena, "drf"),
    "drf-redis": lambda arena: peer_servers.drf(arena, "drf-redis", cached=True),
    "drf-writes": lambda arena: peer_servers.drf(arena, "drf-writes"),
    "drf-redis-writes": lambda arena: peer_servers.drf(arena, "drf-redis-writes", cached=True),
    "flask-psycopg": lambda arena: peer_servers.psycopg(arena, "flask-psycopg", "flask_app"),
    "psycopg-writes": lambda arena: peer_servers.psycopg(arena, "psycopg-writes", "app"),
}
