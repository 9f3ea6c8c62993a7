"""The memory of workers, and how soon a server answers."""

from __future__ import annotations

import contextlib
import http.client
import random
import time
from statistics import median

from benchmarks import ours
from benchmarks.arena import Arena
from benchmarks.cases import CASES
from benchmarks.figures import at_most
from benchmarks.load import send
from benchmarks.long.finding import Finding, Say, Sizes
from benchmarks.report import Row
from benchmarks.starters import STARTERS
from tests.server.processes import ServerProcess

WORKER_MEGABYTES = 90
FLAT = 1.1
WARM_UP_SECONDS = 10
START_SECONDS = 2
STARTS = 5
PATIENCE_SECONDS = 30


def measure_memory(arena: Arena, sizes: Sizes, say: Say) -> Finding:
    """The resident memory of each worker after a warm-up of mixed requests, and after many more."""
    contender = arena.contender("ours-writes", STARTERS)
    [case] = [case for case in CASES if case.name == "mixed"]
    groups = case.groups(contender, arena.dataset)
    seen, requests = [], 0
    for seconds in (WARM_UP_SECONDS, sizes.mixed_seconds):
        say(f"memory: {seconds:g} s of mixed requests …")
        seed = random.randrange(1, 9000)
        result = send(groups, contender.port, connections=case.connections, seconds=seconds, seed=seed)
        result.check()
        requests = result.requests
        seen.append([size / 2**20 for size in contender.worker_memory()])
    warm, later = (max(sizes) for sizes in seen)
    shares = [size / 2**20 for size in contender.worker_shares()]
    measured = [
        f"warm {_megabytes(seen[0])}",
        f"after {requests:,} more {_megabytes(seen[1])}",
        f"with what processes share divided among them {_megabytes(shares)}",
    ]
    verdicts = [
        at_most(WORKER_MEGABYTES, warm, "MB a worker, warm"),
        at_most(FLAT, later / warm, "times that afterwards", 2),
    ]
    say(f"memory: {', '.join(measured)}")
    row = Row("memory", "resident memory of each worker under mixed requests", measured, verdicts)
    return Finding(
        [row], {"warm_mb": seen[0], "later_mb": seen[1], "shares_mb": shares, "requests": requests}
    )


def _megabytes(sizes: list[float]) -> str:
    return " and ".join(f"{size:.0f} MB" for size in sizes)


def measure_start(arena: Arena, sizes: Sizes, say: Say) -> Finding:
    """From the command until the first answer, with each of the two databases."""
    postgres = {"DATABASE_URL": ours.service_database(arena), "REDIS_URL": arena.redis_url()}
    rows, raw = [], {}
    for name, settings in (("postgresql", postgres), ("sqlite", {})):
        server = ours.server_in(arena.folder / f"start-{name}", **settings)
        server.prepare()
        times = [_start(server) for _ in range(STARTS)]
        found = raw[name] = median(times)
        say(f"start: {name}: {found:.2f} s")
        verdict = at_most(START_SECONDS, found, "s", 2)
        rows.append(
            Row(f"start, {name}", "from `python serve.py` to the first answer", [f"{found:.2f} s"], [verdict])
        )
    return Finding(rows, dict(raw))


def _start(server: ServerProcess) -> float:
    began = time.perf_counter()
    server.spawn()
    try:
        while time.perf_counter() - began < PATIENCE_SECONDS:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if server.request("GET", "/healthz").status == 200:
                    return time.perf_counter() - began
            time.sleep(0.01)
        raise RuntimeError(f"the server did not answer: {server.output()[-500:]}")
    finally:
        server.kill()
