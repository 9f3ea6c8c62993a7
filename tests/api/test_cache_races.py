"""Readers that are overtaken by writers, and a cache server that goes away."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from orders_app.extensions import cache
from orders_app.http.breaker import Breaker
from orders_app.http.cache_backends import ResilientRedisCache
from orders_app.orders import cache as orders_cache
from orders_app.orders import routes
from tests.api.test_cache import HIT, STORED, status, warm
from tests.callers import ORDERS, Caller, path_of
from tests.servers import RedisServer


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


def breaker_of_the_cache() -> Breaker:
    backend: object = cache.cache
    assert isinstance(backend, ResilientRedisCache)
    return backend.breaker


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
                breaker_of_the_cache().close()
        assert alice.read(order).get_json()["status"] == "confirmed"
        assert status(alice.read(order)) == HIT

    def test_a_server_that_forgot_nothing_serves_nothing_stale(self, app: Flask, alice: Caller) -> None:
        order = alice.order()
        warm(alice, path=path_of(order))
        with app.app_context():
            breaker = breaker_of_the_cache()
        breaker.trip()
        alice.patch(path_of(order), {"status": "confirmed"})
        breaker.close()
        answer = alice.read(order)
        assert (status(answer), answer.get_json()["status"]) == (STORED, "confirmed")
