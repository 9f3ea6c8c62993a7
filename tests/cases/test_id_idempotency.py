"""ID: a request that is sent again does nothing twice."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from flask import Flask

from orders_app.history.models import OrderEventRow
from orders_app.idempotency.models import IdempotencyKey
from orders_app.shared.clock import utcnow
from tests import factories
from tests.api.test_idempotency import BODY, REPLAYED, count, is_replay, restore, send
from tests.callers import ORDERS, Caller, path_of
from tests.cases.served import POSTGRESQL, Person, Served
from tests.server.processes import Answer
from tests.servers import wait_until

PARALLEL = 50
DAY = timedelta(hours=24)
RESET = struct.pack("ii", 1, 0)


def test_id01_the_same_key_and_body_get_the_first_answer(app: Flask, alice: Caller) -> None:
    first = send(alice)
    assert first.status_code == 201
    assert REPLAYED not in first.headers
    assert first.headers["Location"] == path_of(first.get_json())
    again = send(alice)
    assert is_replay(again, first)
    assert again.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    assert (count(app), count(app, OrderEventRow)) == (1, 1)


def test_id04_the_same_key_on_another_route_is_another_request(app: Flask, admin: Caller) -> None:
    first = send(admin)
    for order in (first.get_json(), admin.order()):
        admin.delete(path_of(order))
        answer = restore(admin, order)
        assert (answer.status_code, REPLAYED in answer.headers) == (200, False)
        assert is_replay(restore(admin, order), answer)
    assert is_replay(send(admin), first)
    assert count(app) == 2


def test_id05_the_same_key_of_another_user_is_another_request(
    app: Flask, alice: Caller, bob: Caller, admin: Caller
) -> None:
    answers = [send(caller) for caller in (alice, bob, admin)]
    assert {(answer.status_code, REPLAYED in answer.headers) for answer in answers} == {(201, False)}
    assert [answer.get_json()["user"] for answer in answers] == ["alice", "bob", "admin"]
    assert len({answer.get_json()["order_id"] for answer in answers}) == 3
    for caller, answer in zip((alice, bob, admin), answers, strict=True):
        assert is_replay(send(caller), answer)
    assert count(app) == 3


class TestAfterADay:
    """The clock of the process is moved; passwords are good at any time, tokens are not."""

    @pytest.mark.parametrize(("later", "replayed"), [(DAY - timedelta(seconds=2), True), (DAY, False)])
    def test_id11_after_a_day_it_is_a_new_request(self, app: Flask, later: timedelta, replayed: bool) -> None:
        alice = Caller.by_password(app, "alice")
        first = send(alice)
        assert first.status_code == 201
        with time_machine.travel(utcnow() + later + timedelta(seconds=1), tick=True):
            second = send(alice)
            assert second.status_code == 201
            assert (REPLAYED in second.headers) is replayed
            same = second.get_json()["order_id"] == first.get_json()["order_id"]
            assert same is replayed
            assert is_replay(send(alice), second if not replayed else first)
        assert count(app) == (1 if replayed else 2)
        assert count(app, IdempotencyKey) == 1


class TestWhatChangedMeanwhile:
    def test_id12_the_first_answer_stands_though_the_order_has_changed(self, alice: Caller) -> None:
        first = send(alice)
        path = path_of(first.get_json())
        assert alice.patch(path, {"status": "confirmed"}).status_code == 200
        assert is_replay(send(alice), first)
        assert alice.delete(path).status_code == 204
        assert is_replay(send(alice), first)

    def test_id12_the_first_answer_stands_though_the_order_is_anothers_now(
        self, app: Flask, alice: Caller, bob: Caller, admin: Caller
    ) -> None:
        """To the byte what she was told when it was hers, and nothing of what has become of it.

        The address itself is 404 to her, and the key is of no use to the new owner.
        """
        first = send(alice)
        path = path_of(first.get_json())
        handed_over = admin.patch(path, {"user": "bob", "total_price": "77.77"})
        assert (handed_over.status_code, handed_over.get_json()["user"]) == (200, "bob")
        assert bob.delete(path).status_code == 204
        assert admin.post(path_of(first.get_json(), "restore")).status_code == 200
        again = send(alice)
        assert is_replay(again, first)
        assert again.get_json() == first.get_json()
        assert again.get_json()["user"] == "alice"
        assert b"bob" not in again.data
        assert b"77.77" not in again.data
        assert alice.get(path).status_code == 404
        assert alice.orders() == []
        assert (count(app), count(app, OrderEventRow)) == (1, 4), "nothing is done twice"
        bobs = send(bob)
        assert (bobs.status_code, REPLAYED in bobs.headers) == (201, False)
        assert path_of(bobs.get_json()) != path

    def test_id12_who_was_disabled_gets_nothing(self, app: Flask, alice: Caller) -> None:
        send(alice)
        factories.change_user(app, "alice", is_active=False)
        answer = send(alice)
        assert (answer.status_code, b"order_id" in answer.data) == (401, False)

    def test_id12_who_is_no_admin_any_more_gets_nothing_of_an_admins(self, app: Flask, admin: Caller) -> None:
        order = admin.order()
        admin.delete(path_of(order))
        assert restore(admin, order).status_code == 200
        assert send(admin, {**BODY, "user": "bob"}).status_code == 201
        factories.change_user(app, "admin", role="user")
        assert restore(admin, order).status_code == 403
        assert send(admin, {**BODY, "user": "bob"}).status_code == 403
        assert count(app) == 2


def post(person: Person, key: str) -> Answer:
    return person("POST", ORDERS, BODY, Idempotency_Key=key)


def made_by(person: Person) -> list[dict[str, Any]]:
    orders: list[dict[str, Any]] = person.get(ORDERS).json()
    return orders


def check_one_order(person: Person, answer: Answer) -> None:
    """The answer tells of the only order that there is, with the only event."""
    assert answer.status == 201
    assert made_by(person) == [answer.json()]
    events = person.get(path_of(answer.json(), "events")).json()
    assert [event["event"] for event in events] == ["order.created"]


@pytest.mark.server
class TestManyAtOnce:
    def test_id02_of_fifty_at_once_comes_one_order(self, served: Served) -> None:
        a, key = served.person(), str(uuid4())
        with ThreadPoolExecutor(PARALLEL) as threads:
            answers = list(threads.map(lambda _: post(a, key), range(PARALLEL)))
        made = [answer for answer in answers if answer.status == 201]
        assert sum(REPLAYED not in answer.headers for answer in made) == 1
        assert len({answer.body for answer in made}) == 1
        check_one_order(a, made[0])
        refused = [answer for answer in answers if answer.status != 201]
        for answer in refused:
            assert (answer.status, answer.json()["code"]) == (409, "idempotency_in_progress")
            assert int(answer.headers["Retry-After"]) > 0
        if served.backend != POSTGRESQL:
            assert refused == [], "there one waits for the other"


@pytest.mark.server
class TestTheClientGoesAway:
    def send_and_leave(
        self,
        person: Person,
        key: str,
        part: float,
        *,
        reset: bool,
        before: Callable[[], None] = lambda: None,
    ) -> None:
        """Send the head and a part of the body, and be gone without a look at the answer.

        `before` runs when all is sent; the server may give up a request whose client is gone at once.
        """
        body = json.dumps(BODY).encode()
        head = (
            f"POST {ORDERS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {person.auth}\r\n"
            f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", person.server.port), timeout=10) as connection:
            connection.sendall(head.encode() + body[: int(len(body) * part)])
            before()
            if reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    @pytest.mark.parametrize("reset", [False, True])
    def test_id07_after_a_whole_request(self, served: Served, reset: bool) -> None:
        """It may have been worked on or not; either way there is one order in the end."""
        for _ in range(5):
            a, key = served.person(), str(uuid4())
            self.send_and_leave(a, key, 1, reset=reset)
            answers: list[Answer] = []

            def answered(a: Person = a, key: str = key, answers: list[Answer] = answers) -> bool:
                answers.append(post(a, key))
                assert answers[-1].status in {201, 409}
                return answers[-1].status == 201

            wait_until(answered, what="the answer")
            check_one_order(a, answers[-1])
            assert post(a, key).body == answers[-1].body

    def test_id07_what_was_done_is_replayed(self, served: Served) -> None:
        a, key = served.person(), str(uuid4())

        def until_it_is_made() -> None:
            wait_until(lambda: len(made_by(a)) == 1, what="the order")

        self.send_and_leave(a, key, 1, reset=False, before=until_it_is_made)
        again = post(a, key)
        assert again.headers[REPLAYED] == "true"
        check_one_order(a, again)

    @pytest.mark.parametrize("reset", [False, True])
    def test_id07_after_half_a_body(self, served: Served, reset: bool) -> None:
        a, key = served.person(), str(uuid4())
        for _ in range(3):
            self.send_and_leave(a, key, 0.5, reset=reset)
        first = post(a, key)
        assert REPLAYED not in first.headers
        check_one_order(a, first)
        assert post(a, key).headers[REPLAYED] == "true"


@pytest.mark.server
def test_id08_the_worker_dies_after_the_commit_and_the_retry_is_a_replay(served: Served) -> None:
    a, admin, key = served.person(), served.admin, str(uuid4())
    served.server.kill_after_commit(lambda: post(a, key))
    again = post(a, key)
    assert again.headers[REPLAYED] == "true"
    check_one_order(a, again)
    order = again.json()
    a("DELETE", path_of(order))
    place = path_of(order, "restore")
    served.server.kill_after_commit(lambda: admin("POST", place, Idempotency_Key=key))
    restored = admin("POST", place, Idempotency_Key=key)
    assert (restored.status, restored.headers[REPLAYED]) == (200, "true")
    assert len(a.get(path_of(order, "events")).json()) == 3
    served.server.wait_for_workers()
