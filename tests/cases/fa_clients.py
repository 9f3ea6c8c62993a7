"""Clients that write without a pause while a server is killed, stopped or restarted under them."""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.callers import ORDERS, path_of
from tests.factories import body
from tests.server.processes import ADMIN_PASSWORD, ServerProcess


class Writers:
    """Some threads that make orders, change their totals and then confirm them, over connections that
    they keep open."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        account = {"username": "admin", "password": ADMIN_PASSWORD}
        pair = server.request("POST", "/api/v1/login/", account).json()
        self._headers = {"Authorization": f"Bearer {pair['access']}", "Content-Type": "application/json"}
        self.confirmed: dict[str, int] = {}
        """The version that was last confirmed, of each order."""
        self.statuses: Counter[int] = Counter()
        self.refused = 0
        """Connections that nobody took: no request was sent."""
        self.broken: list[Exception] = []
        """Requests that were sent and got no answer."""
        self._done = threading.Event()

    @contextmanager
    def at_work(self, threads: int = 3) -> Iterator[None]:
        """They write while the block runs."""
        self._done.clear()
        workers = [threading.Thread(target=self._write) for _ in range(threads)]
        for worker in workers:
            worker.start()
        try:
            yield
        finally:
            self._done.set()
            for worker in workers:
                worker.join(60)

    def stop(self) -> None:
        self._done.set()

    def get(self, path: str) -> Any:
        answer = self.server.request("GET", path, auth=self._headers["Authorization"])
        assert answer.status == 200, answer.body
        return answer.json()

    def check(self) -> None:
        """Every confirmed order is there, not older than confirmed, with one event for each version."""
        for order_id, version in self.confirmed.items():
            order = self.get(f"{ORDERS}{order_id}/")
            assert order["version"] >= version, order_id
            events = self.get(f"{ORDERS}{order_id}/events/")
            assert [event["sequence"] for event in events] == list(range(1, order["version"] + 1))

    def _write(self) -> None:
        connection: http.client.HTTPConnection | None = None
        order: dict[str, Any] | None = None
        number = 0
        while not self._done.is_set():
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
                try:
                    connection.connect()
                except OSError:
                    self.refused += 1
                    connection = None
                    self._done.wait(0.05)
                    continue
            number += 1
            try:
                if order is None:
                    connection.request("POST", ORDERS, json.dumps(body()), self._headers)
                else:
                    change = {"total_price": number} if order["version"] == 1 else {"status": "confirmed"}
                    connection.request("PATCH", path_of(order), json.dumps(change), self._headers)
                response = connection.getresponse()
                content = response.read()
            except (OSError, http.client.HTTPException) as error:
                self.broken.append(error)
                connection.close()
                connection = None
                order = None
                continue
            self.statuses[response.status] += 1
            if response.status in {200, 201}:
                order = json.loads(content)
                self.confirmed[order["order_id"]] = order["version"]
                if order["version"] >= 3:
                    order = None
            if response.will_close:
                connection.close()
                connection = None
        if connection is not None:
            connection.close()
