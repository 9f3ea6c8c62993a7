"""CA: what one person is shown is never another's, and never what was replaced, on any of four workers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask

from config import Config
from orders_app import create_app
from orders_app.extensions import db, unit_of_work
from orders_app.orders import records, services
from orders_app.shared.identity import Actor, Role
from tests import factories
from tests.callers import ORDERS, USERS, Caller, path_of
from tests.cases.served import Person, Served
from tests.server.processes import Answer

HIT, STORED = "orders; hit", "orders; fwd=miss; stored"


def ids(answers: list[Answer]) -> set[tuple[str, ...]]:
    """The ids of the orders in each of these lists."""
    assert {answer.status for answer in answers} == {200}
    return {tuple(order["order_id"] for order in answer.json()) for answer in answers}


def statuses(answers: list[Answer]) -> set[int]:
    return {answer.status for answer in answers}


def warm(*people: Person, path: str) -> None:
    """Read until the answer comes from the cache, which all workers share."""
    for person in people:
        person.get(path)
        assert HIT in {answer.headers["Cache-Status"] for answer in person.everywhere(path, times=6)}


@pytest.mark.server
class TestWhoseItIs:
    def test_ca01_b_never_gets_the_list_of_a(self, served: Served) -> None:
        a, b = served.person(), served.person()
        order_of_a, order_of_b = a.order(), b.order()
        warm(a, path=ORDERS)
        assert ids(b.everywhere(ORDERS)) == {(order_of_b["order_id"],)}
        assert ids(a.everywhere(ORDERS)) == {(order_of_a["order_id"],)}

    def test_ca03_nobody_in_particular_gets_nothing_of_a(self, served: Served) -> None:
        a = served.person()
        order = a.order()
        stranger = Person(served.server, "", "")
        wrong = Person(served.server, "", "Bearer x.y.z")
        for path in (ORDERS, path_of(order)):
            warm(a, path=path)
            for person in (stranger, wrong):
                answers = person.everywhere(path)
                assert statuses(answers) == {401}
                assert not any(b'"affe"' in answer.body for answer in answers)

    def test_ca04_a_user_never_gets_the_list_of_an_admin(self, served: Served) -> None:
        a, b, admin = served.person(), served.person(), served.admin
        order = a.order()
        b.order()
        warm(admin, path=ORDERS)
        assert ids(a.everywhere(ORDERS)) == {(order["order_id"],)}
        assert len(admin.get(ORDERS).json()) > 1


@pytest.mark.server
class TestAfterAChange:
    def check_change(self, served: Served, method: str, sent: dict[str, Any]) -> None:
        a, admin = served.person(), served.admin
        order = a.order()
        place = path_of(order)
        newest = f"{ORDERS}?page_size=1&user={a.name}"
        for person, path in ((a, place), (a, ORDERS), (admin, place), (admin, newest)):
            warm(person, path=path)
        answer = a(method, place, sent)
        assert (answer.status, answer.json()["version"]) == (200, 2)
        for person, path in ((a, place), (admin, place)):
            seen = {reading.body for reading in person.everywhere(path)}
            assert len(seen) == 1
            if person is a:
                assert seen == {answer.body}
        for person, path in ((a, ORDERS), (admin, newest)):
            lists = [reading.json() for reading in person.everywhere(path)]
            assert {(found[0]["version"], found[0]["total_price"]) for found in lists} == {(2, "7.00")}

    def test_ca06_a_put_is_seen_on_every_worker(self, served: Served) -> None:
        self.check_change(served, "PUT", factories.body(total_price="7", status="confirmed"))

    def test_ca07_a_patch_is_seen_on_every_worker(self, served: Served) -> None:
        self.check_change(served, "PATCH", {"total_price": "7"})

    def test_ca09_what_was_deleted_is_gone_on_every_worker(self, served: Served) -> None:
        a, admin = served.person(), served.admin
        gone, stays = a.order(), a.order()
        place, listed = path_of(gone), f"{ORDERS}?user={a.name}"
        for person, path in ((a, place), (a, ORDERS), (admin, listed)):
            warm(person, path=path)
        assert a("DELETE", place).status == 204
        assert statuses(a.everywhere(place)) == {404}
        for person, path in ((a, ORDERS), (admin, listed)):
            assert ids(person.everywhere(path)) == {(stays["order_id"],)}

    def test_ca10_what_was_restored_is_back_on_every_worker(self, served: Served) -> None:
        a, admin = served.person(), served.admin
        order = a.order()
        place, deleted = path_of(order), f"{ORDERS}?is_deleted=true&user={a.name}"
        a("DELETE", place)
        warm(a, path=ORDERS)
        warm(admin, path=deleted)
        assert statuses(a.everywhere(place)) == {404}
        assert ids(admin.everywhere(deleted)) == {(order["order_id"],)}
        assert admin("POST", path_of(order, "restore")).status == 200
        assert {answer.json()["version"] for answer in a.everywhere(place)} == {3}
        assert ids(a.everywhere(ORDERS)) == {(order["order_id"],)}
        assert ids(admin.everywhere(deleted)) == {()}

    def test_ca12_a_new_name_and_an_end_are_seen_in_cached_answers(self, served: Served) -> None:
        a, admin = served.person(), served.admin
        place = path_of(a.order())
        listed = f"{ORDERS}?user={a.name}"
        for person, path in ((a, place), (a, ORDERS), (admin, place), (admin, listed)):
            warm(person, path=path)
        account, name = f"{USERS}{a.user_id}/", f"renamed-{uuid4().hex[:12]}"
        assert admin("PATCH", account, {"username": name}).status == 200
        for person in (a, admin):
            assert {answer.json()["user"] for answer in person.everywhere(place)} == {name}
        assert {answer.json()[0]["user"] for answer in a.everywhere(ORDERS)} == {name}
        assert ids(admin.everywhere(listed)) == {()}
        warm(a, path=place)
        assert admin("PATCH", account, {"is_active": False}).status == 200
        assert statuses(a.everywhere(place)) == statuses(a.everywhere(ORDERS)) == {401}


@pytest.fixture
def beside(served: Served) -> Iterator[Flask]:
    """Another process, as it were: an application in this one on the database and the cache of the server."""
    application = create_app(Config.from_env(served.server.environment))
    yield application
    with application.app_context():
        db.engine.dispose()


@pytest.mark.server
class TestNotThereAndThenThere:
    def test_ca13_an_order_that_was_not_there_is_found_once_it_is_made(
        self, served: Served, beside: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a = served.person()
        order_id, lines = uuid4(), factories.order_line()
        place = f"{ORDERS}{order_id}/"
        assert statuses(a.everywhere(place)) == {404}
        assert ids(a.everywhere(ORDERS)) == {()}
        made = iter([order_id])
        monkeypatch.setattr(records, "new_id", lambda: next(made, None) or uuid4())
        with beside.app_context(), unit_of_work() as uow:
            actor = Actor(UUID(a.user_id), a.name, Role.USER)
            services.create_order(uow, actor=actor, new=factories.new_order(lines))
        answers = a.everywhere(place)
        assert {(answer.status, answer.json()["order_id"]) for answer in answers} == {(200, str(order_id))}
        assert ids(a.everywhere(ORDERS)) == {(str(order_id),)}

    def test_ca13_an_order_that_was_anothers_is_found_once_it_is_ones_own(self, served: Served) -> None:
        a, b, admin = served.person(), served.person(), served.admin
        place = path_of(a.order())
        assert statuses(b.everywhere(place)) == {404}
        assert admin("PATCH", place, {"user": b.name}).status == 200
        assert statuses(b.everywhere(place)) == {200}
        assert statuses(a.everywhere(place)) == {404}


def test_ca24_private_answers_say_so(alice: Caller, bob: Caller, anonymous: Caller) -> None:
    order = alice.order()
    place = path_of(order)
    tag = alice.get(place).headers["ETag"]
    answers = [
        alice.get(ORDERS),
        alice.get(ORDERS),
        alice.get(place),
        alice.get(place, headers={"If-None-Match": tag}),
        alice("HEAD", place),
        alice.get(path_of(order, "events")),
        alice.get(f"{USERS}me/"),
        alice.patch(place, {"total_price": "1"}),
        alice.post(ORDERS, factories.body()),
        bob.get(place),
        bob.get(f"{ORDERS}?page=0"),
        anonymous.get(place),
    ]
    assert {answer.status_code for answer in answers} == {200, 201, 304, 401, 404, 422}
    for answer in answers:
        assert answer.headers.getlist("Cache-Control") == ["private, no-cache"]
        assert "Authorization" in [word.strip() for word in answer.headers["Vary"].split(",")]


class TestWhatFills:
    @pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "PUT", "PATCH"])
    def test_ca25_only_a_get_fills_what_a_get_is_served(self, alice: Caller, method: str) -> None:
        order = alice.order()
        sent = [order] if method in {"POST", "PUT", "PATCH"} else []
        for path in (path_of(order), ORDERS):
            before = alice(method, path, *sent)
            assert "stored" not in before.headers.get("Cache-Status", "")
            answer = alice.get(path)
            assert answer.headers["Cache-Status"] == STORED
            assert len(answer.data) > 2

    def test_ca25_a_head_may_be_answered_from_what_a_get_stored(self, alice: Caller) -> None:
        place = path_of(alice.order())
        full = alice.get(place)
        head = alice("HEAD", place)
        assert (head.headers["Cache-Status"], head.data) == (HIT, b"")
        assert head.headers["ETag"] == full.headers["ETag"]
        assert head.headers["Content-Length"] == str(len(full.data))
