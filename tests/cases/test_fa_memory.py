"""FA26: memory stays flat."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import random
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import psutil  # type: ignore[import-untyped]  # it has no types, and little is used of it
import pytest

from tests.callers import ORDERS, basic, path_of
from tests.factories import body
from tests.server.processes import ADMIN_PASSWORD, BACKENDS, ServerProcess, serving_on

pytestmark = pytest.mark.server

REQUESTS = int(os.environ.get("FA26_REQUESTS", "800"))
CLIENTS = 4
NEW_CONNECTION_EVERY = 20
MOST_BYTES = 90 * 1024 * 1024
EXPECTED = {200, 201, 204, 400, 401, 404, 409, 422}


@pytest.fixture(scope="module", params=BACKENDS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("memory")
    with serving_on(request, folder) as running:
        yield running


class Client(threading.Thread):
    """Sends a mix of all that is sent, good and bad, over a connection that it keeps open for a while."""

    def __init__(self, server: ServerProcess, seed: int, requests: int) -> None:
        super().__init__()
        self.statuses: Counter[int] = Counter()
        self._chance = random.Random(seed)
        self._requests = requests
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        account = {"username": "admin", "password": ADMIN_PASSWORD}
        self._account = account
        pair = server.request("POST", "/api/v1/login/", account).json()
        self._auth = {"Authorization": f"Bearer {pair['access']}"}
        self._order: dict[str, Any] = {}

    def run(self) -> None:
        self._order = json.loads(self._send("POST", ORDERS, body(), self._auth))
        for number in range(self._requests):
            if number % NEW_CONNECTION_EVERY == 0:
                self._connection.close()  # the next one may be another worker's, so that all are warmed up
            self._one(number)
        self._connection.close()

    def _one(self, number: int) -> None:
        path = path_of(self._order)
        wrong = {"products": [{"name": "", "price": "-1", f"x{number}": 1}]}
        by_password = {"Authorization": basic("admin", ADMIN_PASSWORD)}
        mix: list[tuple[int, tuple[str, str, Any, dict[str, str]]]] = [
            (40, ("GET", path, None, self._auth)),
            (15, ("GET", f"{ORDERS}?page_size=5&min_price={number}", None, self._auth)),
            (15, ("PATCH", path, {"total_price": number}, self._auth)),
            (6, ("POST", ORDERS, body(), {**self._auth, "Idempotency-Key": f"{self.name}-{number}"})),
            (6, ("GET", f"/api/v1/invented/{number}/", None, self._auth)),
            (6, ("POST", ORDERS, wrong, self._auth)),
            (4, ("GET", ORDERS, None, {"Authorization": f"Bearer not.a.token{number}"})),
            (4, ("GET", f"{path}events/", None, by_password)),
            (2, ("GET", "/metrics/", None, {})),
            (1, ("GET", "/admin/login/", None, {})),
            (1, ("GET", "/openapi.json", None, {})),
        ]
        (asked,) = self._chance.choices([asked for _, asked in mix], [weight for weight, _ in mix])
        text = self._send(*asked)
        if "Idempotency-Key" in asked[3]:
            self._order = json.loads(text)

    def _send(self, method: str, path: str, content: Any, headers: dict[str, str]) -> bytes:
        data = None if content is None else json.dumps(content)
        sent = headers if data is None else {**headers, "Content-Type": "application/json"}
        self._connection.request(method, path, data, sent)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status == 401 and headers.get("Authorization") == self._auth["Authorization"]:
            # A long run outlives its token.
            login = self._send("POST", "/api/v1/login/", self._account, {})
            self._auth = {"Authorization": f"Bearer {json.loads(login)['access']}"}
            return self._send(method, path, content, {**headers, **self._auth})
        self.statuses[answer.status] += 1
        return text


def memory(server: ServerProcess) -> list[int]:
    """The resident bytes of each worker process."""
    return [psutil.Process(number).memory_info().rss for number in sorted(server.workers())]


seeds = itertools.count()


def send(server: ServerProcess, requests: int) -> None:
    clients = [Client(server, next(seeds), requests // CLIENTS) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    statuses = sum((client.statuses for client in clients), Counter[int]())
    assert set(statuses) <= EXPECTED, statuses
    assert statuses.total() >= requests


@pytest.mark.timeout(24 * 3600)
def test_fa26_memory_stays_flat_under_mixed_requests(server: ServerProcess) -> None:
    """After a warm-up no worker process grows or shrinks by more than a tenth.

    2,000 requests here; `make soak` sends the million of the case, a tenth of it as the warm-up.
    """
    send(server, max(REQUESTS // 10, 1200))
    workers, before = server.workers(), memory(server)
    send(server, REQUESTS)
    after = memory(server)
    assert server.workers() == workers
    growth = [now / then for now, then in zip(after, before, strict=True)]
    assert all(0.9 <= factor <= 1.1 for factor in growth), (before, after)


def test_a_worker_that_is_warm_takes_less_than_90_mib(server: ServerProcess) -> None:
    """What processes share (programs, libraries) is divided among them; on SQLite it need not even be."""
    send(server, 400)
    shares = [psutil.Process(number).memory_full_info().pss for number in sorted(server.workers())]
    assert max(shares) < MOST_BYTES, shares
    if server.environment["DATABASE_URL"].startswith("sqlite"):
        assert max(memory(server)) < MOST_BYTES, memory(server)
