"""LO03: every failed authentication, every denial and every action of an admin stands in `general.log`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from tests import factories
from tests.admin.visitor import LOGIN, Visitor, hidden, order_fields
from tests.callers import ORDERS, USERS, Caller, path_of

REQUEST = {"X-Request-ID": "this-one"}


def lines(log_dir: Path) -> list[dict[str, Any]]:
    file = log_dir / "general.log"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def denials(log_dir: Path) -> list[dict[str, Any]]:
    return [line for line in lines(log_dir) if line["event"] == "access.denied"]


def the_denial(log_dir: Path) -> dict[str, Any]:
    found = denials(log_dir)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("method", "more", "body"),
    [
        ("GET", (), None),
        ("HEAD", (), None),
        ("PUT", (), factories.body()),
        ("PATCH", (), {"status": "confirmed"}),
        ("DELETE", (), None),
        ("GET", ("events",), None),
    ],
)
def test_lo03_an_attempt_at_anothers_order(
    alice: Caller, bob: Caller, log_dir: Path, method: str, more: tuple[str, ...], body: Any
) -> None:
    order = alice.order()
    sent = {"headers": REQUEST} | ({} if body is None else {"body": body})
    assert bob(method, path_of(order, *more), **sent).status_code == 404
    denial = the_denial(log_dir)
    assert denial.pop("at").endswith("Z")
    assert denial == {
        "event": "access.denied",
        "user": "bob",
        "request_id": "this-one",
        "reason": "anothers_order",
        "address": "127.0.0.1",
        "order_id": order["order_id"],
    }


def test_what_never_was_and_ones_own_deleted_order_are_no_denial(alice: Caller, log_dir: Path) -> None:
    order = alice.order()
    assert alice.delete(path_of(order)).status_code == 204
    for path in (path_of(order), f"{ORDERS}{UUID(int=7)}/", f"{ORDERS}nonsense/"):
        assert alice.get(path).status_code == 404
        assert alice.delete(path).status_code == 404
    assert denials(log_dir) == []


@pytest.mark.parametrize(
    ("query", "reason"),
    [({"user": "bob"}, "others_orders"), ({"is_deleted": "true"}, "deleted_orders")],
)
def test_lo03_a_list_that_is_for_admins(
    alice: Caller, log_dir: Path, query: dict[str, str], reason: str
) -> None:
    assert alice.get(ORDERS, query=query, headers=REQUEST).status_code == 403
    denial = the_denial(log_dir)
    assert (denial["reason"], denial["user"], denial["request_id"]) == (reason, "alice", "this-one")


def test_lo03_what_only_an_admin_makes_of_an_order(alice: Caller, log_dir: Path) -> None:
    order = alice.order(status="confirmed")
    assert alice.patch(path_of(order), {"status": "completed"}).status_code == 403
    assert alice.post(path_of(order, "restore")).status_code == 403
    assert [(line["reason"], line["order_id"]) for line in denials(log_dir)] == [
        ("not_an_admin", order["order_id"])
    ] * 2


def test_a_move_that_there_is_not_is_no_denial(alice: Caller, log_dir: Path) -> None:
    order = alice.order()
    assert alice.patch(path_of(order), {"status": "completed"}).status_code == 409
    assert denials(log_dir) == []


def test_lo03_a_replay_by_who_is_no_admin_any_more(app: Flask, admin: Caller, log_dir: Path) -> None:
    key = {"Idempotency-Key": "k-1"}
    assert admin.post(ORDERS, factories.body(), headers=key).status_code == 201
    factories.change_user(app, "admin", role="user")
    assert admin.post(ORDERS, factories.body(), headers=key).status_code == 403
    assert the_denial(log_dir)["reason"] == "not_an_admin"


@pytest.mark.parametrize(
    "header", ["Basic !!!!", "Basic YWxpY2U=", "Digest x", "Bearer", "Basic ", "nothing"]
)
def test_lo03_credentials_that_cannot_be_read(anonymous: Caller, log_dir: Path, header: str) -> None:
    assert anonymous.get(ORDERS, headers={"Authorization": header}).status_code == 401
    assert the_denial(log_dir)["reason"] == "unreadable_credentials"


def test_lo03_no_credentials(anonymous: Caller, log_dir: Path) -> None:
    assert anonymous.get(ORDERS).status_code == 401
    assert the_denial(log_dir)["reason"] == "no_credentials"


def test_who_is_shown_the_log_in_page_is_not_denied(anonymous: Caller, log_dir: Path) -> None:
    assert anonymous.get("/admin/").status_code == 302
    assert denials(log_dir) == []


def test_lo03_a_scraper_with_another_token(app: Flask, make_app: Callable[..., Flask], log_dir: Path) -> None:
    guarded = make_app(metrics_token="scrape-me-scrape-me")
    assert Caller(guarded, "Bearer not-this").get("/metrics/").status_code == 401
    assert the_denial(log_dir)["reason"] == "bad_metrics_token"


class TestPanel:
    def test_lo03_a_session_of_somebody_who_is_no_admin_any_more(self, app: Flask, log_dir: Path) -> None:
        panel = Visitor.logged_in(app)
        factories.change_user(app, "admin", role="user")
        assert panel.get("/admin/orders/", headers=REQUEST).status_code == 302
        denial = the_denial(log_dir)
        assert (denial["reason"], denial["user"], denial["request_id"]) == (
            "not_an_admin",
            "admin",
            "this-one",
        )

    def test_lo03_a_copy_of_a_session_that_has_ended(self, app: Flask, log_dir: Path) -> None:
        panel = Visitor.logged_in(app)
        copy = Visitor(app)
        copy.client.set_cookie("orders_session", path="/admin", value=panel.cookie())
        panel.post("/admin/logout/")
        assert copy.get("/admin/").status_code == 302
        assert the_denial(log_dir)["reason"] == "bad_session"

    def test_lo03_a_form_without_its_token(self, app: Flask, log_dir: Path) -> None:
        panel = Visitor.logged_in(app)
        assert panel.client.post("/admin/orders/new/", data=order_fields()).status_code == 400
        denial = the_denial(log_dir)
        assert (denial["reason"], denial["user"]) == ("bad_form_token", "admin")

    def test_lo03_a_user_at_the_door(self, app: Flask, log_dir: Path) -> None:
        assert Visitor(app).log_in("alice").status_code == 403
        denial = the_denial(log_dir)
        assert (denial["reason"], denial["user"], denial["address"]) == ("not_an_admin", "alice", "127.0.0.1")


def test_lo03_what_an_admin_does_is_logged_with_address_and_request(
    app: Flask, alice: Caller, admin: Caller, log_dir: Path
) -> None:
    order = alice.order()
    user = f"{USERS}{factories.user_id(app, 'bob')}/"
    admin.patch(path_of(order), {"status": "confirmed"}, headers=REQUEST)
    admin.delete(path_of(order), headers=REQUEST)
    admin.post(path_of(order, "restore"), headers=REQUEST)
    admin.post(USERS, {"username": "carol", "password": "carol-password-1"}, headers=REQUEST)
    admin.patch(user, {"is_active": False}, headers=REQUEST)
    done = [line for line in lines(log_dir) if line["request_id"] == "this-one"]
    assert [(line["event"], line.get("order_id"), line.get("subject")) for line in done] == [
        ("order.status_changed", order["order_id"], None),
        ("order.deleted", order["order_id"], None),
        ("order.restored", order["order_id"], None),
        ("user.created", None, "carol"),
        ("user.updated", None, "bob"),
    ]
    assert {(line["user"], line["address"]) for line in done} == {("admin", "127.0.0.1")}


def test_lo03_the_panel_is_no_different(app: Flask, log_dir: Path) -> None:
    panel = Visitor.logged_in(app)
    assert panel.post("/admin/orders/new/", **order_fields()).status_code == 302
    user_id = factories.user_id(app, "bob")
    seen = hidden(panel.get(f"/admin/users/edit/?id={user_id}").text, "seen")
    assert panel.post("/admin/users/disable/", id=str(user_id), seen=seen).status_code == 302
    done = [
        (line["event"], line["user"], line["address"], bool(line["request_id"])) for line in lines(log_dir)
    ]
    assert done == [
        ("user.logged_in", "admin", "127.0.0.1", True),
        ("order.created", "admin", "127.0.0.1", True),
        ("user.updated", "admin", "127.0.0.1", True),
    ]


def test_the_address_is_the_clients_and_not_the_proxys(
    app: Flask, make_app: Callable[..., Flask], log_dir: Path
) -> None:
    behind = make_app(trusted_proxies=("127.0.0.0/8",))
    forwarded = {"X-Forwarded-For": "203.0.113.5, 192.0.2.9"}
    Caller.by_token(behind, "alice").post(ORDERS, factories.body(), headers=forwarded)
    form = {"username": "alice", "password": "wrong"}
    behind.test_client().post(LOGIN, data=form, headers=forwarded)
    assert [(line["event"], line["address"]) for line in lines(log_dir)] == [
        ("order.created", "192.0.2.9"),
        ("access.denied", "192.0.2.9"),
    ]


def test_a_command_has_no_address(app: Flask, log_dir: Path) -> None:
    result = app.test_cli_runner().invoke(args=["users", "disable", "bob"])
    assert result.exit_code == 0, result.output
    assert [("address" in line, line["user"]) for line in lines(log_dir)] == [(False, "command line")]
