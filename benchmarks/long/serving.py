"""The panel on a large database, the memory of workers, and how soon a server answers."""

from __future__ import annotations

import contextlib
import http.client
import random
import re
import time
from statistics import median
from urllib.parse import urlencode

from benchmarks import ours
from benchmarks.arena import Arena
from benchmarks.cases import CASES
from benchmarks.contenders import Contender
from benchmarks.dataset import ADMIN
from benchmarks.figures import at_most
from benchmarks.load import send
from benchmarks.long.finding import Finding, Say, Sizes
from benchmarks.report import Row
from benchmarks.starters import STARTERS
from tests.server.processes import ServerProcess

PAGES = {"home": "/admin/", "orders": "/admin/orders/"}
PANEL_MILLISECONDS = 150
TIMES = 15
WORKER_MEGABYTES = 90
FLAT = 1.1
WARM_UP_SECONDS = 10
START_SECONDS = 2
STARTS = 5
PATIENCE_SECONDS = 30
_TOKEN = re.compile(r'name="csrf_token" type="hidden" value="([^"]+)"')


class Browser:
    """A session of the panel over one connection."""

    def __init__(self, contender: Contender) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", contender.port, timeout=PATIENCE_SECONDS)
        self._cookie = ""
        token = _TOKEN.search(self.get("/admin/login/"))
        assert token is not None
        fields = {"csrf_token": token[1], "username": ADMIN.name, "password": ADMIN.password}
        self._ask("POST", "/admin/login/", urlencode(fields), 302)

    def get(self, path: str) -> str:
        """A page.  Raises `RuntimeError` where there is none."""
        return self._ask("GET", path, None, 200)

    def _ask(self, method: str, path: str, form: str | None, status: int) -> str:
        headers = {"Cookie": self._cookie}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request(method, path, form, headers)
        answer = self._connection.getresponse()
        text = answer.read().decode()
        if answer.status != status:
            raise RuntimeError(f"the panel answered {answer.status} to {method} {path}")
        if cookie := answer.headers["Set-Cookie"]:
            self._cookie = cookie.partition(";")[0]
        return text


def measure_panel(arena: Arena, sizes: Sizes, say: Say) -> Finding:
    """Time per page from one connection; the network is the loopback, so nearly all of it is the server's."""
    browser = Browser(ours.of_size(arena, sizes.large))
    rows, raw = [], {}
    for name, path in PAGES.items():
        times = []
        for _ in range(TIMES):
            began = time.perf_counter()
            browser.get(path)
            times.append((time.perf_counter() - began) * 1000)
        found = raw[name] = median(times)
        say(f"panel: {name}: {found:.0f} ms")
        verdict = at_most(PANEL_MILLISECONDS, found, "ms")
        rows.append(
            Row(f"panel, {name}", f"{path} with {sizes.large:,} orders", [f"{found:.0f} ms"], [verdict])
        )
    return Finding(rows, dict(raw))


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
