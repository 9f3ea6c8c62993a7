"""Every page of the panel on a large database: how long the server takes for it, and how large it is."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from statistics import median
from typing import Final
from urllib.parse import urlencode

from benchmarks import ours
from benchmarks.arena import Arena
from benchmarks.contenders import Contender
from benchmarks.dataset import ADJECTIVES, ADMIN, BEGAN, NOUNS
from benchmarks.figures import at_most
from benchmarks.long.finding import Finding, Say, Sizes
from benchmarks.report import Row

MOST_MILLISECONDS: Final = 150
MOST_KILOBYTES: Final = 300
TIMES: Final = 15
PATIENCE_SECONDS: Final = 30
TWO_DAYS: Final = timedelta(days=2)
_TOKEN: Final = re.compile(r'name="csrf_token" type="hidden" value="([^"]+)"')
_ORDER: Final = re.compile(r"/admin/orders/details/\?id=([0-9a-f-]{36})")
_PERSON: Final = re.compile(r"/admin/users/details/\?id=([0-9a-f-]{36})")


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


def pages(browser: Browser) -> Iterator[tuple[str, str]]:
    """The name and the path of each page that shows something."""
    order, person = _id(_ORDER, browser.get("/admin/orders/")), _id(_PERSON, browser.get("/admin/users/"))
    yield "home", "/admin/"
    yield "orders", "/admin/orders/"
    yield "orders, 100 a page", "/admin/orders/?page_size=100"
    yield "orders of a status by total", "/admin/orders/?status=confirmed&sort=3&desc=1"
    days = urlencode({"created_after": f"{BEGAN:%Y-%m-%d}", "created_before": f"{BEGAN + TWO_DAYS:%Y-%m-%d}"})
    yield "orders of two days", f"/admin/orders/?{days}"
    yield "orders with a product", f"/admin/orders/?{urlencode({'search': f'{ADJECTIVES[0]} {NOUNS[0]} 7'})}"
    yield "orders with a common word", f"/admin/orders/?{urlencode({'search': NOUNS[0]})}"
    yield "orders far down the list", "/admin/orders/?page=2000"
    yield "an order", f"/admin/orders/details/?id={order}"
    yield "its editing", f"/admin/orders/edit/?id={order}"
    yield "its confirmation on paper", f"/admin/orders/print/?id={order}"
    yield "a new order", "/admin/orders/new/"
    yield "people", "/admin/users/"
    yield "a person", f"/admin/users/details/?id={person}"
    yield "their editing", f"/admin/users/edit/?id={person}"
    yield "events", "/admin/events/"
    yield "audit", "/admin/audit/"
    yield "own account", "/admin/me/"


def measure(arena: Arena, sizes: Sizes, say: Say) -> Finding:
    """Time per page from one connection; the network is the loopback, so nearly all of it is the server's."""
    browser = Browser(ours.of_size(arena, sizes.large))
    rows, raw = [], {}
    for name, path in pages(browser):
        times = []
        for _ in range(TIMES):
            began = time.perf_counter()
            page = browser.get(path)
            times.append((time.perf_counter() - began) * 1000)
        milliseconds, kilobytes = median(times), len(page.encode()) / 1000
        raw[name] = {"ms": milliseconds, "kb": kilobytes}
        say(f"panel: {name}: {milliseconds:.0f} ms, {kilobytes:.0f} kB")
        verdicts = [at_most(MOST_MILLISECONDS, milliseconds, "ms"), at_most(MOST_KILOBYTES, kilobytes, "kB")]
        rows.append(Row(f"panel, {name}", f"with {sizes.large:,} orders", [], verdicts))
    return Finding(rows, raw)


def _id(pattern: re.Pattern[str], page: str) -> str:
    found = pattern.search(page)
    if found is None:
        raise RuntimeError("the panel shows nothing")
    return found[1]
