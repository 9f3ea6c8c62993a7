"""What goes wrong is a page for people."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError

from orders_app.auth.services import sessions
from tests.admin.visitor import Visitor
from tests.callers import Caller


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

    form = {"csrf_token": panel.token()}
    monkeypatch.setattr(sessions, "actor_of_session", unreachable)
    answer = panel.get("/admin/orders/")
    assert (answer.status_code, answer.mimetype) == (503, "text/html")
    assert answer.headers["Retry-After"]
    assert "secret" not in answer.text
    hint = "Your browser may still have what you typed"
    assert hint not in answer.text
    assert hint in panel.client.post("/admin/orders/new/", data=form).text


def test_an_error_of_ours_shows_the_request_id_and_nothing_else(
    panel: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("orders_app.admin.orders.view.figures_up_to", broken)
    answer = panel.get("/admin/orders/")
    assert (answer.status_code, answer.mimetype) == (500, "text/html")
    assert answer.headers["X-Request-ID"] in answer.text
    assert "secret" not in answer.text


def test_too_large_a_form_is_refused_with_a_page(panel: Visitor) -> None:
    answer = panel.post("/admin/orders/new/", **{"line-name": "x" * 5_000_000})
    assert answer.status_code == 413
    assert answer.mimetype == "text/html"
