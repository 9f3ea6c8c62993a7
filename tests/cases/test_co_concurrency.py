"""CO: many clients at once, against real worker processes."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from orders_app.orders.domain import TRANSITIONS, OrderStatus, allowed_transitions
from orders_app.shared.identity import Role
from tests.callers import ORDERS, Caller, path_of
from tests.cases.served import SQLITE, Person, Served
from tests.factories import body
from tests.server.processes import Answer

CLIENTS = 50
ROUNDS = 10
MOST_ROUNDS = 100
PACE_SECONDS = 0.004
WRITERS = 8
WRITES_EACH = 200
PAIRS = [(old, new) for old in OrderStatus for new in OrderStatus if old != new]


def together(*works: Callable[[], Any]) -> list[Any]:
    """What each returns, all having begun at the same moment."""
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        barrier.wait(30)
        return work()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(run, works))


def check_history(admin: Person, order: dict[str, Any], changes: int) -> None:
    """One event for each of the changes, in their order and without gaps."""
    events = admin.get(path_of(order, "events")).json()
    assert [event["sequence"] for event in events] == list(range(1, changes + 2))
    assert admin.get(path_of(order)).json()["version"] == changes + 1


@pytest.mark.server
def test_co01_fifty_increments_with_if_match_are_fifty(served: Served) -> None:
    a = served.person()
    order = a.order(total_price="0")

    def add_one() -> int:
        for attempt in range(1, 1000):
            seen = a.get(path_of(order))
            total = float(seen.json()["total_price"]) + 1
            answer = a(
                "PATCH", path_of(order), {"total_price": f"{total:.2f}"}, If_Match=seen.headers["ETag"]
            )
            if answer.status == 200:
                return attempt
            assert (answer.status, answer.json()["code"]) == (412, "precondition_failed")
        raise AssertionError("others were always faster")

    attempts = together(*[add_one] * CLIENTS)
    assert a.get(path_of(order)).json()["total_price"] == f"{CLIENTS}.00"
    assert max(attempts) > 1, "they were in one another's way"
    check_history(served.admin, order, CLIENTS)


@pytest.mark.server
def test_co02_of_fifty_with_one_tag_one_gets_through(served: Served) -> None:
    a = served.person()
    order = a.order()
    tag = a.get(path_of(order)).headers["ETag"]

    def replace(number: int) -> Answer:
        return a("PUT", path_of(order), body(total_price=number), If_Match=tag)

    answers = together(*(partial(replace, number) for number in range(1, CLIENTS + 1)))
    assert sorted(answer.status for answer in answers) == [200] + [412] * (CLIENTS - 1)
    (winner,) = [answer for answer in answers if answer.status == 200]
    assert a.get(path_of(order)).body == winner.body
    check_history(served.admin, order, 1)


@pytest.mark.parametrize(("old", "new"), PAIRS)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("name", ["alice", "admin"])
def test_co05_an_illegal_order_of_steps_is_a_conflict(
    alice: Caller, admin: Caller, name: str, method: str, old: OrderStatus, new: OrderStatus
) -> None:
    caller, role = (admin, Role.ADMIN) if name == "admin" else (alice, Role.USER)
    order = alice.order(status=old)
    answer = caller(method, path_of(order), {**order, "status": new})
    allowed = allowed_transitions(old, role)
    if new in allowed:
        assert (answer.status_code, answer.get_json()["status"]) == (200, new)
        return
    if new in TRANSITIONS[old]:
        assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden")
    else:
        assert answer.status_code == 409
        problem = answer.get_json()
        assert problem["code"] == "invalid_transition"
        assert (problem["from"], problem["to"], problem["allowed"]) == (old, new, allowed)
    assert alice.read(order).get_json() == order
    assert len(alice.get(path_of(order, "events")).get_json()) == 1


@pytest.mark.server
class TestDeletionAndUpdate:
    def race(self, served: Served, headers: Callable[[str], dict[str, str]]) -> set[tuple[int, int]]:
        """What an update and a deletion at about the same moment were told, until either came first.

        Whichever comes first begins a little later the next time, so that the two stay close.
        """
        a, admin = served.person(), served.admin
        outcomes: set[tuple[int, int]] = set()
        lead = 0.0
        for number in range(MOST_ROUNDS):
            if number >= ROUNDS and len(outcomes) > 1:
                break
            order = a.order()
            place = path_of(order)
            sent = headers(a.get(place).headers["ETag"])
            updated, deleted = together(
                partial(self.after, -lead, a, "PATCH", place, {"total_price": "1"}, **sent),
                partial(self.after, lead, a, "DELETE", place, **sent),
            )
            lead += PACE_SECONDS if updated.status == 404 else -PACE_SECONDS
            outcomes.add((updated.status, deleted.status))
            changes = (updated.status == 200) + (deleted.status == 204)
            check_history(admin, order, changes)
            gone = deleted.status == 204
            assert a.get(place).status == (404 if gone else 200)
            listed = {found["order_id"] for found in a.get(ORDERS).json()}
            assert (order["order_id"] in listed) is not gone
            assert admin.get(place).json()["is_deleted"] is gone
            for method in ("PUT", "PATCH", "DELETE") if gone else ():
                more = [] if method == "DELETE" else [body()]
                assert a(method, place, *more).status == 404, "no zombie"
        return outcomes

    @staticmethod
    def after(seconds: float, person: Person, method: str, place: str, *sent: Any, **headers: str) -> Answer:
        time.sleep(max(seconds, 0))
        return person(method, place, *sent, **headers)

    def test_co06_a_deletion_and_an_update_of_what_was_seen(self, served: Served) -> None:
        assert self.race(served, lambda tag: {"If_Match": tag}) == {(200, 412), (404, 204)}

    def test_co06_a_deletion_and_an_update_whatever_stands(self, served: Served) -> None:
        assert self.race(served, lambda _tag: {}) == {(200, 204), (404, 204)}


@pytest.mark.server
@pytest.mark.parametrize("served", [SQLITE], indirect=True)
def test_co09_no_writer_is_told_that_the_database_is_locked(served: Served) -> None:
    a = served.person()

    def write(_writer: int) -> list[tuple[int, bytes]]:
        connection = http.client.HTTPConnection("127.0.0.1", served.server.port, timeout=60)
        failures, place = [], ""
        headers = {"Authorization": a.auth, "Content-Type": "application/json"}
        for number in range(WRITES_EACH):
            method, path = ("PATCH", place) if number % 2 else ("POST", ORDERS)
            sent = {"total_price": number} if number % 2 else body()
            connection.request(method, path, json.dumps(sent), headers)
            response = connection.getresponse()
            content = response.read()
            if response.status not in {200, 201}:
                failures.append((response.status, content))
            place = response.headers["Location"] or place
        connection.close()
        return failures

    with ThreadPoolExecutor(WRITERS) as threads:
        failures = [failure for found in threads.map(write, range(WRITERS)) for failure in found]
    assert failures == []
    assert "database is locked" not in served.server.output()
    orders = a.get(f"{ORDERS}?page_size=1")
    assert json.loads(orders.headers["X-Pagination"])["total"] == WRITERS * WRITES_EACH // 2
