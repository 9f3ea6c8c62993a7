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
}
