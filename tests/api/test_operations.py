"""Metrics and health."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from orders_app.extensions import db
from tests import factories
from tests.callers import ORDERS, USERS, Caller, path_of
from tests.conftest import Backend

AS_JSON = {"Accept": "application/json"}


def series(caller: Caller) -> dict[tuple[str, str, str], float]:
    """Every counter per endpoint, by name, method and endpoint."""
    content = caller.get("/metrics/").text
    return {
        (sample.name, sample.labels["method"], sample.labels["endpoint"]): sample.value
        for family in text_string_to_metric_families(content)
        for sample in family.samples
        if "endpoint" in sample.labels and "le" not in sample.labels
    }


def growth(caller: Caller, act: Callable[[], object]) -> dict[tuple[str, str, str], float]:
    before = series(caller)
    act()
    after = series(caller)
    grown = {key: value - before.get(key, 0) for key, value in after.items()}
    return {
        key: value for key, value in grown.items() if value and key[2] != "/metrics/" and "_sum" not in key[0]
    }


def test_calls_successes_and_failures_of_each_endpoint(anonymous: Caller, alice: Caller) -> None:
    order = alice.order()

    def act() -> None:
        alice.get(ORDERS)
        alice.get("/api/v1/orders")
        alice.get(f"{ORDERS}?page=0")
        alice.read(order)
        alice.delete(path_of({"order_id": order["order_id"][::-1]}))

    detail = "/api/v1/orders/{order_id}/"
    total, success, failure = (f"orders_http_requests_{kind}total" for kind in ("", "success_", "failure_"))
    timed = "orders_http_request_duration_seconds_count"
    assert growth(anonymous, act) == {
        (total, "GET", ORDERS): 3,
        (success, "GET", ORDERS): 2,
        (failure, "GET", ORDERS): 1,
        (timed, "GET", ORDERS): 3,
        (total, "GET", detail): 1,
        (success, "GET", detail): 1,
        (timed, "GET", detail): 1,
        (total, "DELETE", detail): 1,
        (failure, "DELETE", detail): 1,
        (timed, "DELETE", detail): 1,
    }


def test_the_same_sums_in_the_shape_of_the_original(anonymous: Caller, alice: Caller) -> None:
    before = anonymous.get("/metrics/", headers=AS_JSON).get_json().get(ORDERS, {})
    alice.get(ORDERS)
    alice.order()
    alice.get(f"{ORDERS}?page=0")
    counts = anonymous.get("/metrics/", headers=AS_JSON).get_json()
    grown = {key: value - before.get(key, 0) for key, value in counts[ORDERS].items()}
    assert grown == {"total_calls": 3, "success": 2, "errors": 1}
    assert all(set(count) == {"total_calls", "success", "errors"} for count in counts.values())


TEXTS = ("text/plain", "application/openmetrics-text")


@pytest.mark.parametrize(
    "accept",
    [
        *(None, "*/*", "text/plain", "text/html", "application/openmetrics-text; version=1.0.0"),
        *(f"{form};version={version}" for form in TEXTS for version in ("abc", "1.x", "", "9" * 5000)),
    ],
)
def test_text_is_what_everybody_else_gets(anonymous: Caller, accept: str | None) -> None:
    answer = anonymous.get("/metrics/", headers={"Accept": accept} if accept else {})
    assert answer.status_code == 200
    assert "orders_http_requests_total" in answer.text
    assert answer.mimetype in {"text/plain", "application/openmetrics-text"}


def test_nobody_makes_more_series_by_inventing_things(anonymous: Caller, alice: Caller) -> None:
    def invent(first: int) -> None:
        for number in range(first, first + 30):
            alice.get(f"{ORDERS}{number}/")
            alice.get(f"/nothing/{number}/")
            alice(f"METHOD{number}", ORDERS)
            alice(f"METHOD{number}", f"/nothing/{number}")
            alice.get(f"{ORDERS}?x{number}=1")

    invent(0)
    before = set(series(anonymous))
    invent(100)
    assert set(series(anonymous)) == before
    labels = {key[1:] for key in before}
    assert ("GET", "unmatched") in labels
    assert ("OTHER", ORDERS) in labels or ("OTHER", "unmatched") in labels


def test_orders_are_counted_by_status(app: Flask, make_app: Callable[..., Flask]) -> None:
    alice = Caller.by_token(make_app(), "alice")
    alice.order(status="confirmed")
    alice.delete(path_of(alice.order()))
    content = alice.get("/metrics/").text
    assert 'orders_by_status{status="confirmed"} 1.0' in content
    assert 'orders_by_status{status="pending"} 0.0' in content


class TestToken:
    @pytest.fixture
    def guarded(self, app: Flask, make_app: Callable[..., Flask]) -> Flask:
        return make_app(metrics_token="scrape-me")

    @pytest.mark.parametrize(
        "header",
        [None, "Bearer wrong", "Basic c2NyYXBlLW1l", "scrape-me", "Bearer", "Bearer scrape-me2", "Bearer ä"],
    )
    def test_scrapers_without_it_are_refused(self, guarded: Flask, header: str | None) -> None:
        assert Caller(guarded, header).get("/metrics/").status_code == 401

    @pytest.mark.parametrize("header", ["Bearer scrape-me", "bearer scrape-me"])
    def test_scrapers_with_it_are_served(self, guarded: Flask, header: str) -> None:
        assert Caller(guarded, header).get("/metrics/").status_code == 200

    def test_an_admin_is_no_scraper(self, guarded: Flask) -> None:
        assert Caller.by_token(guarded, "admin").get("/metrics/").status_code == 401


class TestHealth:
    @pytest.mark.parametrize("path", ["/healthz", "/healthz/", "/readyz", "/readyz/"])
    def test_all_is_well(self, anonymous: Caller, path: str) -> None:
        answer = anonymous.get(path)
        assert (answer.status_code, answer.get_json()["status"]) == (200, "ok")

    def test_without_migrations_it_is_not_ready(self, app: Flask, anonymous: Caller) -> None:
        revision = self.set_revision(app, "0000")
        try:
            answer = anonymous.get("/readyz/")
        finally:
            self.set_revision(app, revision)
        assert answer.status_code == 503
        assert answer.get_json()["failing"] == ["migrations"]
        assert "db upgrade" in answer.get_json()["checks"]["migrations"]

    @staticmethod
    def set_revision(app: Flask, revision: str) -> str:
        with app.app_context():
            session = db.session()
            before = str(session.execute(text("SELECT version_num FROM alembic_version")).scalar_one())
            session.execute(text("UPDATE alembic_version SET version_num = :new"), {"new": revision})
            session.commit()
        return before

    def test_without_the_cache_it_is_degraded_and_ready(
        self, app: Flask, backend: Backend, make_app: Callable[..., Flask], tmp_path: Path
    ) -> None:
        folder = tmp_path / "cache"
        gone = {"redis_url": "redis://127.0.0.1:1/0"} if backend.has_redis else {"cache_dir": folder}
        application = make_app(**gone)
        shutil.rmtree(folder, ignore_errors=True)
        answer = Caller(application).get("/readyz/")
        assert answer.status_code == 200
        assert (answer.get_json()["status"], answer.get_json()["failing"]) == ("degraded", ["cache"])
        alice = Caller.by_token(application, "alice")
        assert alice.read(alice.order()).headers["Cache-Status"] == "orders; fwd=miss"

    def test_a_cache_that_is_switched_off_is_not_missed(
        self, app: Flask, make_app: Callable[..., Flask]
    ) -> None:
        assert Caller(make_app(cache_enabled=False)).get("/readyz/").get_json()["status"] == "ok"


def test_the_root_leads_to_the_documentation(anonymous: Caller) -> None:
    answer = anonymous.get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/swagger/")


def test_what_is_public_says_nothing_of_anybody(anonymous: Caller, alice: Caller) -> None:
    order = alice.order()
    for path in ("/metrics/", "/healthz/", "/readyz/", "/openapi.json"):
        content = anonymous.get(path).text
        assert order["order_id"] not in content
        assert str(factories.user_id(alice.app, "alice")) not in content
    assert anonymous.get(USERS).status_code == 401
