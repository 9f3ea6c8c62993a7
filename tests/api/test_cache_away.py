"""A cache server that goes away."""

from __future__ import annotations

import pytest
from flask import Flask

from orders_app.extensions import cache
from orders_app.http.breaker import Breaker
from orders_app.http.redis_cache import ResilientRedisCache
from tests.api.test_cache import HIT, STORED, status, warm
from tests.callers import ORDERS, Caller, path_of
from tests.servers import RedisServer


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
            # What the process has ready itself is still good: the database says so.
            assert status(alice.read(order)) == HIT
            assert status(alice.get(f"{ORDERS}?page_size=3")) == "orders; fwd=miss"
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
