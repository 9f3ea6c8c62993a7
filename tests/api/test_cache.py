"""Cached, changed, fresh: for every door of the API, for the list and the detail, for owner and admin."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from orders_app.extensions import cache, unit_of_work
from orders_app.orders import cache as orders_cache
from orders_app.orders import routes, services
from orders_app.orders.domain import OrderChanges, OrderStatus
from tests import factories
from tests.callers import ORDERS, USERS, Caller, path_of
from tests.servers import RedisServer

HIT, STORED = "orders; hit", "orders; fwd=miss; stored"
Order = dict[str, Any]


def status(answer: TestResponse) -> str:
    return answer.headers["Cache-Status"]


def warm(*callers: Caller, path: str) -> None:
    """Read until the answer comes from the cache."""
    for caller in callers:
        caller.get(path)
        assert status(caller.get(path)) == HIT


def rename(admin: Caller, name: str) -> TestResponse:
    return admin.patch(f"{USERS}{factories.user_id(admin.app, 'alice')}/", {"username": name})


CHANGES: dict[str, Callable[[Caller, Caller, Order], TestResponse]] = {
    "POST": lambda alice, admin, order: alice.post(ORDERS, factories.body()),
    "POST for another": lambda alice, admin, order: admin.post(ORDERS, factories.body(user="alice")),
    "PUT": lambda alice, admin, order: alice.put(path_of(order), factories.body(total_price="7")),
    "PUT by an admin": lambda alice, admin, order: admin.put(path_of(order), factories.body(total_price="7")),
    "PATCH": lambda alice, admin, order: alice.patch(path_of(order), {"status": "confirmed"}),
    "PATCH by an admin": lambda alice, admin, order: admin.patch(path_of(order), {"status": "confirmed"}),
    "a move to another": lambda alice, admin, order: admin.patch(path_of(order), {"user": "bob"}),
    "DELETE": lambda alice, admin, order: alice.delete(path_of(order)),
    "DELETE by an admin": lambda alice, admin, order: admin.delete(path_of(order)),
    "a new name": lambda alice, admin, order: rename(admin, "alicia"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("reader", ["alice", "admin"])
def test_after_a_change_the_list_is_fresh(
    app: Flask, alice: Caller, admin: Caller, reader: str, change: Callable[..., TestResponse]
) -> None:
    order = alice.order()
    caller = admin if reader == "admin" else alice
    warm(caller, path=ORDERS)
    before = caller.get(ORDERS).get_json()
    assert change(alice, admin, order).status_code < 300
    answer = caller.get(ORDERS)
    assert status(answer) == STORED
    assert answer.get_json() != before
    assert answer.get_json() == uncached(caller, ORDERS).get_json()


@pytest.mark.parametrize(
    "change", [change for name, change in CHANGES.items() if not name.startswith("POST")],
    ids=[name for name in CHANGES if not name.startswith("POST")],
)  # fmt: skip
@pytest.mark.parametrize("reader", ["alice", "admin"])
def test_after_a_change_the_detail_is_fresh(
    app: Flask, alice: Caller, admin: Caller, reader: str, change: Callable[..., TestResponse]
) -> None:
    order = alice.order()
    caller = admin if reader == "admin" else alice
    warm(caller, path=path_of(order))
    before = caller.read(order).data
    assert change(alice, admin, order).status_code < 300
    answer = caller.read(order)
    expected = uncached(caller, path_of(order))
    assert answer.data != before
    assert answer.status_code == expected.status_code
    if answer.status_code == 200:
        assert answer.get_json() == expected.get_json()


@pytest.mark.parametrize("reader", ["alice", "admin"])
def test_after_a_restoration_it_is_there_again(alice: Caller, admin: Caller, reader: str) -> None:
    order = alice.order()
    alice.delete(path_of(order))
    caller = admin if reader == "admin" else alice
    warm(caller, path=ORDERS)
    warm(admin, path=f"{ORDERS}?is_deleted=true")
    caller.read(order)
    assert admin.post(path_of(order, "restore")).status_code == 200
    assert [found["order_id"] for found in caller.orders()] == [order["order_id"]]
    assert caller.read(order).get_json()["version"] == 3
    assert admin.orders(is_deleted="true") == []


def uncached(caller: Caller, path: str) -> TestResponse:
    """The same request, answered past the cache."""
    app = caller.app
    settings = app.config["ORDERS"]
    app.config["ORDERS"] = _WithoutCache(settings)
    try:
        answer = caller.get(path)
    finally:
        app.config["ORDERS"] = settings
    if answer.status_code == 200:
        assert status(answer) == "orders; fwd=bypass"
    return answer


class _WithoutCache:
    cache_enabled = False

    def __init__(self, settings: Any) -> None:
        self._settings = settings

    def __getattr__(self, name: str) -> Any:
        return getattr(self._settings, name)


def test_the_status_says_what_happened(alice: Caller) -> None:
    order = alice.order()
    for path in (ORDERS, path_of(order)):
        assert [status(alice.get(path)) for _ in range(3)] == [STORED, HIT, HIT]


def test_a_hit_is_the_same_answer_with_all_its_headers(alice: Caller) -> None:
    for _ in range(3):
        alice.order()
    first, second = (alice.get(f"{ORDERS}?page_size=2") for _ in range(2))
    assert (status(first), status(second)) == (STORED, HIT)
    ignored = {"Cache-Status", "X-Request-ID", "Date"}
    headers = [
        {name: value for name, value in answer.headers if name not in ignored} for answer in (first, second)
    ]
    assert headers[0] == headers[1]
    assert first.data == second.data
    assert "Link" in headers[1]


def test_one_users_answer_is_never_anothers(alice: Caller, bob: Caller, admin: Caller, anonymous: Caller) -> None:
    order = alice.order()
    bobs = bob.order()
    for path in (ORDERS, path_of(order)):
        warm(alice, admin, path=path)
    assert bob.orders() == [bobs]
    assert bob.read(order).status_code == 404
    assert anonymous.get(ORDERS).status_code == 401
    assert anonymous.read(order).status_code == 401
    assert alice.orders() == [order]
    assert len(admin.orders()) == 2
    assert admin.read(order).get_json()["allowed_transitions"] == order["allowed_transitions"]


def test_a_cached_answer_of_an_admin_is_not_a_users_who_was_one(app: Flask, alice: Caller, admin: Caller) -> None:
    order = alice.order()
    admin.post(USERS, {"username": "root", "password": "root-password-1", "role": "admin"})
    root = Caller.by_password(app, "root")
    warm(root, path=ORDERS)
    warm(root, path=path_of(order))
    admin.patch(f"{USERS}{factories.user_id(app, 'root')}/", {"role": "user"})
    assert root.orders() == []
    assert root.read(order).status_code == 404


def test_others_keep_their_hits(alice: Caller, bob: Caller) -> None:
    alice.order()
    order = bob.order()
    warm(alice, path=ORDERS)
    bob.patch(path_of(order), {"status": "confirmed"})
    assert status(alice.get(ORDERS)) == HIT


@pytest.mark.parametrize(
    ("method", "sent"),
    [("PATCH", {"status": "completed"}), ("PATCH", {"products": []}), ("PATCH", {}), ("PATCH", {"user": "nobody"})],
)  # fmt: skip
def test_what_is_refused_or_changes_nothing_leaves_the_hit(
    alice: Caller, admin: Caller, method: str, sent: Any
) -> None:
    order = alice.order(status="pending")
    warm(alice, path=path_of(order))
    (admin if "user" in sent else alice)(method, path_of(order), sent)
    assert status(alice.read(order)) == HIT


def test_what_is_rolled_back_leaves_the_hit(app: Flask, alice: Caller) -> None:
    order = alice.order()
    warm(alice, path=path_of(order))
    with app.app_context():
        actor = factories.actor("alice")
        with pytest.raises(ZeroDivisionError), unit_of_work() as uow:  # noqa: PT012  (it fails at its end)
            changes = OrderChanges(status=OrderStatus.CONFIRMED)
            services.change_order(uow, actor=actor, order_id=UUID(order["order_id"]), changes=changes)
            uow.session.flush()
            raise ZeroDivisionError
    answer = alice.read(order)
    assert (status(answer), answer.get_json()) == (HIT, order)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "PUT"])
def test_only_reading_fills(alice: Caller, method: str) -> None:
    order = alice.order()
    extra = [order] if method in {"POST", "PUT"} else []
    alice(method, path_of(order), *extra)
    if method != "HEAD":
        assert status(alice.read(order)) == STORED


def test_an_error_is_never_stored(alice: Caller, bob: Caller, admin: Caller) -> None:
    order = alice.order()
    for _ in range(2):
        assert bob.read(order).status_code == 404
        assert bob.get(f"{ORDERS}?page=0").status_code == 422
    admin.patch(path_of(order), {"user": "bob"})
    assert bob.read(order).status_code == 200


def test_the_same_question_in_other_words_is_one_entry(alice: Caller) -> None:
    alice.order()
    warm(alice, path=f"{ORDERS}?status=pending&min_price=1")
    for same in ("min_price=1.00&status=pending", "status=pending&min_price=1e0&q=&page=1", "page_size=50&min_price=01&status=pending&format=json"):
        assert status(alice.get(f"{ORDERS}?{same}")) == HIT


@pytest.mark.parametrize(
    "other",
    ["", "status=confirmed", "status=pending&status=confirmed", "page=2", "page_size=49", "ordering=created_at", "q=a", "min_price=2", "max_price=1"],
)  # fmt: skip
def test_another_question_is_another_entry(alice: Caller, other: str) -> None:
    warm(alice, path=f"{ORDERS}?status=pending&min_price=1")
    assert status(alice.get(f"{ORDERS}?{other}")) == STORED


def test_invented_parameters_make_no_entries(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    stored: list[str] = []
    monkeypatch.setattr(cache.__class__, "set", lambda self, key, *args, **more: bool(stored.append(key)) or True)
    for number in range(50):
        alice.get(f"{ORDERS}?x{number}=1")
    assert stored == []


class Overwriting:
    """Puts something of its own in the place of whatever is stored next."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, change: Callable[[bytes], Any]) -> None:
        original = cache.__class__.set

        def replaced(this: Any, key: str, value: bytes, *args: Any, **more: Any) -> Any:
            return original(this, key, change(value), *args, **more)

        monkeypatch.setattr(cache.__class__, "set", replaced)


FOREIGN: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda entry: b"",
    "garbage": lambda entry: b"garbage",
    "a pickle": lambda entry: b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x04true\x94\x85\x94R\x94.",
    "cut off": lambda entry: entry[:40],
    "a forged body": lambda entry: entry.replace(b"84.00", b"00.01"),
    "another signature": lambda entry: b"\0" * 16 + entry[16:],
    "no signature": lambda entry: entry[16:],
    "only a signature": lambda entry: entry[:16],
}


@pytest.mark.parametrize("change", FOREIGN.values(), ids=FOREIGN.keys())
def test_what_we_did_not_write_is_a_miss(
    alice: Caller, monkeypatch: pytest.MonkeyPatch, change: Callable[[bytes], bytes]
) -> None:
    order = alice.order()
    with monkeypatch.context() as patch:
        Overwriting(patch, change)
        alice.read(order)
    answer = alice.read(order)
    assert (status(answer), answer.get_json()) == (STORED, order)


def test_an_entry_under_another_key_is_a_miss(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = alice.order(), alice.order()
    kept: list[bytes] = []
    with monkeypatch.context() as patch:
        Overwriting(patch, lambda entry: kept.append(entry) or entry)
        alice.read(one)
        Overwriting(patch, lambda entry: kept[0])
        alice.read(other)
    answer = alice.read(other)
    assert (status(answer), answer.get_json()) == (STORED, other)


def test_without_the_cache_everything_works(app: Flask, make_app: Callable[..., Flask]) -> None:
    alice = Caller.by_token(make_app(cache_enabled=False), "alice")
    order = alice.order()
    for _ in range(2):
        assert status(alice.read(order)) == "orders; fwd=bypass"
    alice.patch(path_of(order), {"status": "confirmed"})
    assert alice.read(order).get_json()["status"] == "confirmed"


class TestRaces:
    """A reader that was overtaken by a writer, step by step."""

    @pytest.mark.parametrize("name", ["alice", "admin"])
    @pytest.mark.parametrize("what", ["list", "detail"])
    def test_who_read_before_the_commit_cannot_put_the_old_value_back(
        self, alice: Caller, admin: Caller, monkeypatch: pytest.MonkeyPatch, name: str, what: str
    ) -> None:
        reader = admin if name == "admin" else alice
        order = alice.order()
        path = ORDERS if what == "list" else path_of(order)
        overtake = _Overtaking(lambda: alice.patch(path_of(order), {"status": "confirmed"}))
        with monkeypatch.context() as patch:
            patch.setattr(routes, "cached_response", overtake.after_making)
            old = reader.get(path)
        assert b"pending" in old.data, "the reader saw the state before"
        assert overtake.happened
        fresh = reader.get(path)
        assert status(fresh) == STORED
        assert b"confirmed" in fresh.data

    @pytest.mark.parametrize("what", ["list", "detail"])
    def test_who_read_after_the_commit_under_the_old_version_does_no_harm(
        self, alice: Caller, monkeypatch: pytest.MonkeyPatch, what: str
    ) -> None:
        order = alice.order()
        path = ORDERS if what == "list" else path_of(order)
        overtake = _Overtaking(lambda: alice.patch(path_of(order), {"status": "confirmed"}))
        with monkeypatch.context() as patch:
            patch.setattr(routes, "cached_response", overtake.before_making)
            assert b"confirmed" in alice.get(path).data
        assert b"confirmed" in alice.get(path).data

    def test_many_readers_and_a_writer(self, app: Flask) -> None:
        """A reader never sees less than what was acknowledged before it began."""
        alice = Caller.by_token(app, "alice")
        path = path_of(alice.order())
        acknowledged, done, wrong = [1], threading.Event(), list[tuple[int, int]]()

        def read() -> None:
            caller = Caller(app, alice.authorization)
            while not done.is_set():
                least = acknowledged[0]
                seen = caller.get(path).get_json()["version"]
                if seen < least:
                    wrong.append((least, seen))

        readers = [threading.Thread(target=read) for _ in range(2)]
        for thread in readers:
            thread.start()
        for number in range(2, 42):
            acknowledged[0] = alice.patch(path, {"total_price": number}).get_json()["version"]
        done.set()
        for thread in readers:
            thread.join()
        assert wrong == []
        assert acknowledged == [41]


class _Overtaking:
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
        def then() -> Any:
            made = make()
            self._once()
            return made

        return orders_cache.cached_response(actor, asked, then)

    def before_making(self, actor: Any, asked: dict[str, Any], make: Callable[[], Any]) -> Any:
        def first() -> Any:
            self._once()
            return make()

        return orders_cache.cached_response(actor, asked, first)


@pytest.mark.redis
@pytest.mark.postgres
@pytest.mark.parametrize("backend", ["postgresql+redis"], indirect=True)
class TestRedisGoesAway:
    def test_every_request_works_and_nothing_stale_comes_back(
        self, app: Flask, alice: Caller, admin: Caller, redis_server: RedisServer
    ) -> None:
        order = alice.order()
        warm(alice, admin, path=path_of(order))
        redis_server.stop()
        try:
            assert status(alice.read(order)) == "orders; fwd=miss"
            assert alice.patch(path_of(order), {"status": "confirmed"}).status_code == 200
            assert alice.read(order).get_json()["status"] == "confirmed"
            assert admin.orders()[0]["status"] == "confirmed"
            assert alice.get("/readyz/").get_json()["status"] == "degraded"
        finally:
            redis_server.start()
            with app.app_context():
                cache.cache.breaker._closed_again_at = 0.0
        assert alice.read(order).get_json()["status"] == "confirmed"
        assert status(alice.read(order)) == HIT

    def test_a_server_that_forgot_nothing_serves_nothing_stale(
        self, app: Flask, alice: Caller
    ) -> None:
        order = alice.order()
        warm(alice, path=path_of(order))
        with app.app_context():
            breaker = cache.cache.breaker
        breaker.trip(OSError("the network is gone"))
        alice.patch(path_of(order), {"status": "confirmed"})
        breaker._closed_again_at = 0.0
        answer = alice.read(order)
        assert (status(answer), answer.get_json()["status"]) == (STORED, "confirmed")
