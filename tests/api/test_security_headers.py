"""The headers that browsers obey, on every kind of answer."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.admin.visitor import LOGIN, Visitor
from tests.callers import ORDERS, Caller, path_of

DATA = [
    ("GET", ORDERS, 401),
    ("GET", "/", 302),
    ("GET", "/api/v1/nothing/", 404),
    ("GET", "/nothing", 404),
    ("POST", "/healthz/", 405),
    ("GET", "/healthz/", 200),
    ("GET", "/readyz/", 200),
    ("GET", "/metrics/", 200),
    ("GET", "/openapi.json", 200),
    ("OPTIONS", ORDERS, 200),
    ("POST", "/api/v1/login/", 415),
]
PAGES = [
    ("GET", "/swagger/", 200),
    ("GET", "/swagger/assets/swagger-ui.css", 200),
    ("GET", "/swagger/assets/swagger-ui-bundle.js", 200),
    ("GET", "/swagger/assets/nothing.js", 404),
    ("GET", "/swagger/assets/", 404),
    ("POST", "/swagger/", 405),
    ("GET", LOGIN, 200),
    ("POST", LOGIN, 400),
    ("GET", "/admin/", 302),
    ("GET", "/admin/nothing", 302),
    ("GET", f"{LOGIN}static/panel.css", 200),
    ("GET", f"{LOGIN}static/nothing.css", 404),
]


def ask(app: Flask, method: str, path: str, base_url: str = "http://localhost") -> TestResponse:
    client = app.test_client(use_cookies=False)
    return client.open(path, method=method, base_url=base_url, buffered=True)


def policy_of(answer: TestResponse) -> dict[str, str]:
    directives = [
        part.strip().partition(" ") for part in answer.headers["Content-Security-Policy"].split(";")
    ]
    return {name: sources for name, _, sources in directives}


def check_common(answer: TestResponse) -> None:
    headers = answer.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Request-ID"]
    assert headers["Cache-Control"]
    assert "Strict-Transport-Security" not in headers
    assert "X-Powered-By" not in headers
    assert not any(name.startswith("Access-Control-") for name, _ in headers)
    policy = policy_of(answer)
    for directive in ("default-src", "object-src", "base-uri", "frame-ancestors"):
        assert policy[directive] == "'none'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "*" not in headers["Content-Security-Policy"]


@pytest.mark.parametrize(("method", "path", "status"), DATA)
def test_an_answer_that_is_data_may_do_nothing_in_a_browser(
    app: Flask, method: str, path: str, status: int
) -> None:
    answer = ask(app, method, path)
    assert answer.status_code == status
    check_common(answer)
    assert "sandbox" in policy_of(answer)
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.vary.to_header() == "Authorization"


@pytest.mark.parametrize(("method", "path", "status"), PAGES)
def test_a_page_runs_what_is_its_own_and_nothing_inline(
    app: Flask, method: str, path: str, status: int
) -> None:
    answer = ask(app, method, path)
    assert answer.status_code == status
    check_common(answer)
    policy = policy_of(answer)
    assert policy["style-src"] == "'self'"
    assert re.fullmatch(r"'self'( 'nonce-[\w-]{22}')?", policy["script-src"])
    assert policy["form-action"] == "'self'"
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    if answer.mimetype == "text/html" or status >= 400:
        assert answer.headers["Cache-Control"] == "no-store"


def test_orders_and_their_errors_have_them_too(alice: Caller, bob: Caller) -> None:
    order = alice.order()
    answers = [
        alice.get(ORDERS),
        alice.get(ORDERS),
        alice.read(order),
        alice.get(path_of(order), headers={"If-None-Match": alice.read(order).headers["ETag"]}),
        bob.read(order),
        alice.get("/api/v1/users/"),
        alice.get(ORDERS, query={"page": "x"}),
        alice.delete(path_of(order)),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 304, 404, 403, 422, 204]
    for answer in answers:
        check_common(answer)
        assert "sandbox" in policy_of(answer)


def test_pages_of_the_panel_have_them_too(app: Flask) -> None:
    panel = Visitor.logged_in(app)
    for path in ("/admin/", "/admin/orders/", "/admin/users/", "/admin/nothing"):
        check_common(panel.get(path))


def test_a_nonce_is_good_for_one_answer(app: Flask) -> None:
    nonces = set()
    for _ in range(5):
        answer = ask(app, "GET", "/swagger/")
        nonce = policy_of(answer)["script-src"].partition("'nonce-")[2].rstrip("'")
        scripts = re.findall(r"<script[^>]*>", answer.text)
        assert len(scripts) == 2
        assert all(f'nonce="{nonce}"' in script for script in scripts)
        nonces.add(nonce)
    assert len(nonces) == 5


@pytest.mark.parametrize("path", [path for _, path, _ in (*DATA, *PAGES)])
def test_over_https_browsers_are_to_stay_there(app: Flask, path: str) -> None:
    answer = ask(app, "GET", path, base_url="https://localhost")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_the_cookie_over_https_is_this_hosts_alone(app: Flask) -> None:
    cookie = ask(app, "GET", LOGIN, base_url="https://localhost").headers["Set-Cookie"]
    assert cookie.startswith("__Host-orders_session=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_a_log_in_over_https_works_with_that_cookie(app: Flask) -> None:
    client = app.test_client()
    base = "https://localhost"
    page = client.get(LOGIN, base_url=base).text
    token = re.search(r'name="csrf_token" type="hidden" value="([^"]+)"', page)
    assert token is not None
    form = {"csrf_token": token[1], "username": "admin", "password": "admin-password-1"}
    assert client.post(LOGIN, data=form, base_url=base).status_code == 302
    assert client.get("/admin/", base_url=base).status_code == 200
    assert client.get("/admin/").status_code == 302, "not over plain HTTP"


@pytest.mark.parametrize(
    "name", ["X-Forwarded-Host", "Forwarded", "X-Host", "X-Original-URL", "X-Rewrite-URL"]
)
def test_no_header_puts_another_host_or_path_in_a_link(
    app: Flask, make_app: Callable[..., Flask], name: str
) -> None:
    behind_a_proxy = make_app(trusted_proxies=("127.0.0.0/8",))
    value = "host=evil.example" if name == "Forwarded" else "evil.example"
    forged = {name: value, "X-Forwarded-For": "192.0.2.1"}
    admin = Caller.by_token(behind_a_proxy, "admin")
    made = admin.post(ORDERS, {"products": [{"name": "x", "price": 1, "quantity": 1}]}, headers=forged)
    admin.order()
    answers = [
        made,
        admin.get(ORDERS, query={"page_size": 1}, headers=forged),
        admin.get("/", headers=forged),
        admin.get("/openapi.json", headers=forged),
        behind_a_proxy.test_client().get("/admin/orders/", headers=forged),
    ]
    for answer in answers:
        assert answer.status_code in {200, 201, 302}
        assert "evil.example" not in answer.text
        assert "evil.example" not in str(answer.headers)
