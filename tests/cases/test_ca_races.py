"""CA: readers that fill the cache while it is emptied, and a worker that dies before it could empty it."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from orders_app.orders import cache as orders_cache
from orders_app.orders import routes
from tests.callers import ORDERS, Caller, path_of
from tests.cases.served import Person, Served

STORED = "orders; fwd=miss; stored"
READERS = 6
WRITERS = 2
WRITES_EACH = 40
A_CONNECTION = 8
"""So many requests go over one connection, then another one, at another worker perhaps, is opened."""


class Reader:
    """Reads an order and the list without pause, and notes every answer that is older than it may be."""

    def __init__(self, person: Person, order: dict[str, Any], acknowledged: Callable[[], int]) -> None:
        self._person = person
        self._paths = (path_of(order), f"{ORDERS}?page_size=1")
        self._acknowledged = acknowledged
        self.reads = 0
        self.stale: list[tuple[str, int, int]] = []
        self.statuses: set[str] = set()

    def run(self, done: threading.Event) -> None:
        while not done.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self._person.server.port, timeout=30)
            for number in range(A_CONNECTION):
                self._read(connection, self._paths[number % 2])
            connection.close()

    def _read(self, connection: http.client.HTTPConnection, path: str) -> None:
        least = self._acknowledged()
        connection.request("GET", path, headers={"Authorization": self._person.auth})
        response = connection.getresponse()
        found = json.loads(response.read())
        seen = (found[0] if isinstance(found, list) else found)["version"]
        self.statuses.add(response.headers["Cache-Status"])
        self.reads += 1
        if seen < least:
            self.stale.append((path, least, seen))


@pytest.mark.server
def test_ca15_no_reader_sees_or_leaves_what_was_replaced(served: Served) -> None:
    a, admin = served.person(), served.admin
    order = a.order()
    acknowledged, lock, done = [1], threading.Lock(), threading.Event()

    def write(writer: int) -> None:
        for number in range(WRITES_EACH):
            answer = a("PATCH", path_of(order), {"total_price": f"{writer}{number}.00"})
            assert answer.status == 200
            with lock:
                acknowledged[0] = max(acknowledged[0], answer.json()["version"])

    # The list of an admin begins with the newest order of all, which is this one.
    readers = [Reader(person, order, lambda: acknowledged[0]) for person in (a, admin) * (READERS // 2)]
    with ThreadPoolExecutor(READERS + WRITERS) as threads:
        reading = [threads.submit(reader.run, done) for reader in readers]
        writing = [threads.submit(write, number) for number in range(1, WRITERS + 1)]
        errors = [job.exception() for job in writing]
        done.set()
        errors += [job.exception() for job in reading]
    assert [error for error in errors if error is not None] == []
    assert [stale for reader in readers for stale in reader.stale] == []
    assert acknowledged == [WRITERS * WRITES_EACH + 1]
    assert sum(reader.reads for reader in readers) > WRITERS * WRITES_EACH
    assert set().union(*(reader.statuses for reader in readers)) >= {STORED, "orders; hit"}
    for person in (a, admin):
        assert {answer.json()["version"] for answer in person.everywhere(path_of(order))} == {acknowledged[0]}


@pytest.mark.server
def test_ca16_what_a_worker_committed_before_it_died_is_seen_at_once(served: Served) -> None:
    a, admin = served.person(), served.admin
    order = a.order()
    places = ((a, path_of(order)), (a, ORDERS), (admin, path_of(order)))
    for person, path in places:
        person.everywhere(path)
    served.server.kill_after_commit(lambda: a("PATCH", path_of(order), {"status": "confirmed"}))
    for person, path in places:
        for answer in person.everywhere(path):
            found = answer.json()
            found = found[0] if isinstance(found, list) else found
            assert (found["version"], found["status"]) == (2, "confirmed")
    served.server.wait_for_workers()


class Overtaking:
    """Lets somebody else change things while a reader is on its way."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act
        self.happened = False

    def _once(self) -> None:
        if not self.happened:
            self.happened = True
            worker = threading.Thread(target=self._act)
            worker.start()
            worker.join()

    def after_making(self, actor: Any, asked: dict[str, Any], make: Callable[[], Any]) -> Any:
        """The change comes between the reader's query and its storing of the answer."""

        def then() -> Any:
            made = make()
            self._once()
            return made

        return orders_cache.cached_response(actor, asked, then)

    def before_making(self, actor: Any, asked: dict[str, Any], make: Callable[[], Any]) -> Any:
        """The change comes between the reader's credential, with the version in it, and its query."""

        def first() -> Any:
            self._once()
            return make()

        return orders_cache.cached_response(actor, asked, first)


@pytest.mark.parametrize("what", ["list", "detail"])
class TestOvertaken:
    @pytest.mark.parametrize("name", ["alice", "admin"])
    def test_ca18_who_read_before_the_commit_cannot_put_the_old_value_back(
        self, alice: Caller, admin: Caller, monkeypatch: pytest.MonkeyPatch, name: str, what: str
    ) -> None:
        reader = admin if name == "admin" else alice
        order = alice.order()
        path = ORDERS if what == "list" else path_of(order)
        overtake = Overtaking(lambda: alice.patch(path_of(order), {"status": "confirmed"}))
        with monkeypatch.context() as patch:
            patch.setattr(routes, "cached_response", overtake.after_making)
            old = reader.get(path)
        assert b"pending" in old.data, "the reader saw the state before"
        assert overtake.happened
        fresh = reader.get(path)
        assert fresh.headers["Cache-Status"] == STORED
        assert b"confirmed" in fresh.data

    def test_ca18_who_read_after_the_commit_under_the_old_version_does_no_harm(
        self, alice: Caller, monkeypatch: pytest.MonkeyPatch, what: str
    ) -> None:
        order = alice.order()
        path = ORDERS if what == "list" else path_of(order)
        overtake = Overtaking(lambda: alice.patch(path_of(order), {"status": "confirmed"}))
        with monkeypatch.context() as patch:
            patch.setattr(routes, "cached_response", overtake.before_making)
            assert b"confirmed" in alice.get(path).data
        assert overtake.happened
        assert b"confirmed" in alice.get(path).data
