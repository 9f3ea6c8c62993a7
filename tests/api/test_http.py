"""What holds for every answer, whatever it is about."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from orders_app import create_app
from orders_app.extensions import db
from orders_app.http.log_files import open_log_files
from tests.callers import ORDERS, USERS, Caller, path_of
from tests.conftest import Backend
from tests.document import Document
from tests.factories import body


@pytest.mark.parametrize("given", ["abc-123", "A.b_c", "x" * 128])
def test_a_good_request_id_is_kept(alice: Caller, given: str) -> None:
    assert alice.get(ORDERS, headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["bad id", "<script>", "x" * 129, "x" * 10_000, "a\tb", "ä", "a;b"])
def test_a_bad_request_id_is_replaced(alice: Caller, given: str) -> None:
    made = alice.get(ORDERS, headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert made != given
    assert len(made) == 36


def test_every_request_has_an_id_of_its_own(alice: Caller) -> None:
    assert len({alice.get(ORDERS).headers["X-Request-ID"] for _ in range(5)}) == 5


def test_the_hosts_are_a_setting(app: Flask, make_app: Callable[..., Flask]) -> None:
    caller = Caller(make_app(trusted_hosts=("localhost", ".shop.example")))
    assert caller.get("/healthz", headers={"Host": "a.shop.example"}).status_code == 200
    assert caller.get("/healthz", headers={"Host": "evilshop.example"}).status_code == 400


def test_forwarded_headers_are_believed_of_named_proxies_only(
    app: Flask, make_app: Callable[..., Flask], log_dir: Path
) -> None:
    def address_in_log(application: Flask) -> str:
        (log_dir / "general.log").write_text("")
        Caller(application, "Bearer x").get(ORDERS, headers={"X-Forwarded-For": "192.0.2.9"})
        return str(json.loads((log_dir / "general.log").read_text())["address"])

    assert address_in_log(app) == "127.0.0.1"
    assert address_in_log(make_app(trusted_proxies=("127.0.0.0/8",))) == "192.0.2.9"


class TestFailures:
    """What nobody planned for: the client learns the request id, the log learns the rest."""

    @pytest.fixture
    def broken(self, app: Flask, make_app: Callable[..., Flask]) -> Flask:
        application = make_app()

        def fail(**_: object) -> str:
            raise RuntimeError("SELECT secret FROM users in /srv/app.py")

        application.view_functions["orders.OrderDetail"] = fail
        return application

    def test_a_500_tells_nothing(self, broken: Flask, caplog: pytest.LogCaptureFixture) -> None:
        answer = Caller(broken).get("/api/v1/orders/x/", headers={"X-Request-ID": "abc-123"})
        problem = answer.get_json()
        assert (answer.status_code, problem["code"]) == (500, "internal_error")
        assert not any(word in answer.text for word in ("secret", "RuntimeError", "/srv", "Traceback"))
        assert "secret" in caplog.text

    def test_a_500_is_counted_as_a_failure(self, broken: Flask) -> None:
        Caller(broken).get("/api/v1/orders/x/")
        counts = Caller(broken).get("/metrics/", headers={"Accept": "application/json"}).get_json()
        assert counts["/api/v1/orders/{order_id}/"]["errors"] >= 1


class TestWithoutTheDatabase:
    @pytest.fixture
    def cut_off(self, app: Flask, backend: Backend, tmp_path: Path) -> Flask:
        """An application whose database is not there."""
        gone = (
            backend.config.database_url.replace("/test_", "/gone_", 1)
            if backend.has_redis
            else f"sqlite:///{tmp_path}/no folder/orders.db"
        )
        config = replace(backend.config, database_url=gone)
        application = create_app(config)
        application.extensions["orders_document"] = Document(application)
        return application

    @pytest.mark.parametrize("header", ["Basic YWxpY2U6YWxpY2UtcGFzc3dvcmQtMQ==", "token"])
    @pytest.mark.parametrize(("method", "path"), [("GET", ORDERS), ("POST", ORDERS), ("GET", f"{USERS}me/")])
    def test_it_is_a_503_with_a_time_to_come_back(
        self, alice: Caller, cut_off: Flask, header: str, method: str, path: str
    ) -> None:
        authorization = alice.authorization if header == "token" else header
        answer = Caller(cut_off, authorization)(method, path, body())
        assert (answer.status_code, answer.get_json()["code"]) == (503, "database_unavailable")
        assert answer.headers["Retry-After"]
        assert "sql" not in answer.text.lower()

    def test_nobody_logs_in_meanwhile(self, cut_off: Flask) -> None:
        sent = {"username": "alice", "password": "alice-password-1"}
        assert Caller(cut_off).post("/api/v1/login/", sent).status_code == 503

    def test_who_sends_nothing_is_still_told_so(self, cut_off: Flask) -> None:
        assert Caller(cut_off).get(ORDERS).status_code == 401

    def test_the_process_is_up_and_not_ready(self, cut_off: Flask) -> None:
        assert Caller(cut_off).get("/healthz/").status_code == 200
        answer = Caller(cut_off).get("/readyz/")
        assert answer.status_code == 503
        assert "database" in answer.get_json()["failing"]
        assert "sql" not in answer.text.lower()

    def test_the_metrics_are_still_there(self, cut_off: Flask) -> None:
        answer = Caller(cut_off).get("/metrics/")
        assert answer.status_code == 200
        assert "orders_http_requests_total" in answer.text


def test_a_database_that_comes_back_is_used_again(alice: Caller) -> None:
    with alice.app.app_context():
        db.engine.dispose()
    assert alice.get(ORDERS).status_code == 200


def test_logs_that_cannot_be_written_change_no_answer(alice: Caller, tmp_path: Path, log_dir: Path) -> None:
    open_log_files(tmp_path / "no such folder")
    order = alice.order()
    assert alice.patch(path_of(order), {"status": "confirmed"}).status_code == 200
    assert alice.post("/api/v1/login/", {"username": "alice", "password": "wrong"}).status_code == 401
    assert alice.get(ORDERS, headers={"Authorization": "Bearer x"}).status_code == 401
    assert alice.get(USERS).status_code == 403


def test_refusals_are_logged_with_name_address_and_request(
    alice: Caller, anonymous: Caller, log_dir: Path
) -> None:
    (log_dir / "general.log").write_text("")
    wrong = {"username": 'eve\n{"event": "forged"}', "password": "wrong password"}
    anonymous.post("/api/v1/login/", wrong, headers={"X-Request-ID": "one"})
    anonymous.get(ORDERS, headers={"X-Request-ID": "two", "Authorization": "Bearer x.y.z"})
    alice.get(USERS, headers={"X-Request-ID": "three"})
    lines: list[dict[str, Any]] = [
        json.loads(line) for line in (log_dir / "general.log").read_text().splitlines()
    ]
    assert [(line["request_id"], line["reason"], line["user"]) for line in lines] == [
        ("one", "wrong_password", wrong["username"]),
        ("two", "bad_token", ""),
        ("three", "not_an_admin", "alice"),
    ]
    assert {line["event"] for line in lines} == {"access.denied"}
    assert {line["address"] for line in lines} == {"127.0.0.1"}


def test_no_secret_is_in_a_log_or_an_answer(app: Flask, anonymous: Caller, log_dir: Path) -> None:
    password = "alice-password-1"
    tokens = anonymous.post("/api/v1/login/", {"username": "alice", "password": password}).get_json()
    bearer = Caller(app, f"Bearer {tokens['access']}")
    bearer.order()
    answers = [
        bearer.get("/api/v1/nothing/").text,
        anonymous.post("/api/v1/refresh/", {"refresh": tokens["access"]}).text,
        anonymous.post("/api/v1/login/", {"username": "alice", "password": [password]}).text,
        anonymous.get("/metrics/").text,
    ]
    logs = [log.read_text() for log in log_dir.glob("*.log")]
    for secret in (password, tokens["access"], tokens["refresh"]):
        assert not any(secret in text for text in answers + logs)


@pytest.mark.parametrize("path", ["/api/v1//orders/", "/api//v1/users/me/"])
def test_a_double_slash_leads_nowhere(alice: Caller, path: str) -> None:
    answer = alice.get(path)
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
