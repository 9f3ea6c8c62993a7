"""Nothing changes without the token of the session, and nothing changes by GET."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from orders_app.auth.services import sessions
from tests import factories
from tests.admin.visitor import LOGIN, Visitor, hidden, order_fields
from tests.callers import ORDERS, Caller


def _forms(order_id: str, user_id: str, seen: str) -> list[tuple[str, dict[str, object]]]:
    return [
        ("/admin/orders/new/", order_fields()),
        (f"/admin/orders/edit/?id={order_id}", order_fields(version="1", user="admin")),
        ("/admin/orders/delete/", {"id": order_id, "version": "1"}),
        ("/admin/orders/restore/", {"id": order_id, "version": "1"}),
        ("/admin/orders/transition/", {"id": order_id, "version": "1", "to": "confirmed"}),
        ("/admin/users/new/", {"username": "mallory", "password": "password-123", "role": "admin"}),
        (
            f"/admin/users/edit/?id={user_id}",
            {"username": "mallory", "role": "admin", "is_active": "y", "seen": seen},
        ),
        (f"/admin/users/password/?id={user_id}", {"password": "password-123", "seen": seen}),
        ("/admin/users/disable/", {"id": user_id, "seen": seen}),
        ("/admin/users/enable/", {"id": user_id, "seen": seen}),
        ("/admin/logout/", {}),
        (LOGIN, {"username": "admin", "password": "admin-password-1"}),
    ]


def _seen(panel: Visitor, user_id: str) -> str:
    return hidden(panel.get(f"/admin/users/edit/?id={user_id}").text, "seen")


def _state(admin: Caller, order_id: str) -> list[object]:
    paths = (ORDERS, f"{ORDERS}{order_id}/", f"{ORDERS}{order_id}/events/", "/api/v1/users/")
    return [admin.get(path).get_json() for path in paths]


@pytest.mark.parametrize("token", ["none", "empty", "wrong", "another session's", "shortened"])
def test_a_form_without_its_token_changes_nothing(
    app: Flask, panel: Visitor, admin: Caller, token: str
) -> None:
    order_id = admin.post(ORDERS, factories.body()).get_json()["order_id"]
    before = _state(admin, order_id)
    tokens = {
        "empty": "",
        "wrong": "20991231235959##0123456789abcdef0123456789abcdef01234567",
        "another session's": Visitor.logged_in(app).token(),
        "shortened": panel.token()[:-1],
    }
    user_id = str(factories.user_id(app, "alice"))
    for path, fields in _forms(order_id, user_id, _seen(panel, user_id)):
        sent = fields if token == "none" else {**fields, "csrf_token": tokens[token]}
        answer = panel.client.post(path, data=sent)
        assert answer.status_code == 400, path
        assert answer.mimetype == "text/html"
        assert "Nothing was changed." in answer.text
    assert _state(admin, order_id) == before
    assert panel.get("/admin/").status_code == 200


def test_every_form_that_changes_something_is_in_the_test_above(app: Flask) -> None:
    tried = {path.partition("?")[0] for path, _ in _forms("x", "y", "z")}
    rules = {rule.rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    assert {rule for rule in rules if rule.startswith("/admin")} == tried


def test_no_get_changes_anything(app: Flask, panel: Visitor, admin: Caller) -> None:
    order_id = admin.post(ORDERS, factories.body()).get_json()["order_id"]
    before = _state(admin, order_id)
    user_id = str(factories.user_id(app, "alice"))
    for path, fields in _forms(order_id, user_id, _seen(panel, user_id)):
        answer = panel.get(path, query_string=None if "?" in path else fields)
        assert answer.status_code in {200, 302, 405}, path
    assert _state(admin, order_id) == before
    assert panel.get("/admin/").status_code == 200


def test_errors_are_pages_for_people(panel: Visitor, admin: Caller) -> None:
    expected = {
        "/admin/nothing/": 404,
        "/admin/orders/delete/": 405,
        "/admin/orders/details/?id=1": 404,
        "/admin/orders/details/": 404,
        "/admin/orders/export/csv/": 404,
        "/admin/users/details/?id=00000000-0000-0000-0000-000000000000": 404,
    }
    for path, status in expected.items():
        answer = panel.get(path)
        assert answer.status_code == status, path
        assert answer.mimetype == "text/html"
        assert answer.headers["X-Request-ID"] in answer.text
    assert panel.get("/admin/orders/delete/").headers["Allow"]
    assert admin.get("/api/v1/nothing/").mimetype == "application/problem+json"


def test_a_database_that_is_away_is_a_page_too(panel: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("secret host"))

    monkeypatch.setattr(sessions, "actor_of_session", unreachable)
    answer = panel.get("/admin/orders/")
    assert (answer.status_code, answer.mimetype) == (503, "text/html")
    assert answer.headers["Retry-After"]
    assert "secret" not in answer.text


def test_an_error_of_ours_shows_the_request_id_and_nothing_else(
    panel: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("orders_app.admin.orders.count_orders", broken)
    answer = panel.get("/admin/orders/")
    assert (answer.status_code, answer.mimetype) == (500, "text/html")
    assert answer.headers["X-Request-ID"] in answer.text
    assert "secret" not in answer.text


def test_too_large_a_form_is_refused_with_a_page(panel: Visitor) -> None:
    answer = panel.post("/admin/orders/new/", **{"line-name": "x" * 5_000_000})
    assert answer.status_code == 413
    assert answer.mimetype == "text/html"
