"""HT: what holds for every answer over HTTP."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from orders_app.http.metrics import endpoint_label
from tests import factories
from tests.callers import ORDERS, USERS, Caller, path_of
from tests.factories import body

SOME_ID = "019ab0f2-6f6e-7cc3-9b9e-4f2f3c1d8a55"
OF_THIS_ANSWER_ALONE = {"X-Request-ID", "Date", "Cache-Status"}


def headers_of(answer: TestResponse) -> list[tuple[str, str]]:
    return [(name, value) for name, value in answer.headers if name not in OF_THIS_ANSWER_ALONE]


def readable(app: Flask, order: dict[str, Any]) -> list[str]:
    """The address of everything that an admin can read."""
    ids = {"order_id": order["order_id"], "user_id": str(factories.user_id(app, "alice"))}
    return [
        re.sub(r"{(\w+)}", lambda found: ids[found[1]], endpoint_label(rule.rule))
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.rule.startswith("/api/")
    ]


class TestHeadAndOptions:
    def test_ht01_head_is_get_without_the_body(self, app: Flask, admin: Caller, anonymous: Caller) -> None:
        order = admin.order()
        paths = readable(app, order)
        assert {ORDERS, path_of(order), path_of(order, "events"), USERS, f"{USERS}me/"} <= set(paths)
        for path in [*paths, f"{ORDERS}?page=2", f"{ORDERS}?page=0", path_of({"order_id": SOME_ID})]:
            got, head = admin.get(path), admin("HEAD", path)
            assert (head.status_code, head.data) == (got.status_code, b""), path
            assert head.headers["Content-Length"] == str(len(got.data)), path
            assert headers_of(head) == headers_of(got), path

    def test_ht01_head_asks_who_is_calling(
        self, app: Flask, admin: Caller, bob: Caller, anonymous: Caller
    ) -> None:
        order = admin.order()
        for path in readable(app, order):
            assert anonymous("HEAD", path).status_code == anonymous.get(path).status_code == 401
            assert bob("HEAD", path).status_code == bob.get(path).status_code, path
        assert bob("HEAD", path_of(order)).status_code == 404
        assert bob("HEAD", USERS).status_code == 403

    def test_ht02_options_tells_methods_and_nothing_else(self, app: Flask, alice: Caller) -> None:
        order = alice.order()
        everybody = (Caller(app), Caller(app, "Bearer x.y.z"), alice)
        for rule in app.url_map.iter_rules():
            if not rule.rule.startswith(("/api/", "/healthz", "/readyz", "/metrics", "/openapi")):
                continue
            path = re.sub(r"<[^>]+>", order["order_id"], rule.rule)
            for caller in everybody:
                answer = caller("OPTIONS", path)
                assert (answer.status_code, answer.data) == (200, b""), path
                allowed = {word.strip() for word in answer.headers["Allow"].split(",")}
                assert (rule.methods or set()) <= allowed
        assert alice.read(order).get_json() == order


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", ORDERS, {"GET", "HEAD", "OPTIONS", "POST"}),
        ("PATCH", ORDERS, {"GET", "HEAD", "OPTIONS", "POST"}),
        ("POST", ORDERS + "x/", {"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"}),
        ("GET", "/api/v1/login/", {"OPTIONS", "POST"}),
        ("DELETE", USERS, {"GET", "HEAD", "OPTIONS", "POST"}),
        ("POST", "/metrics/", {"GET", "HEAD", "OPTIONS"}),
        ("TRACE", ORDERS, {"GET", "HEAD", "OPTIONS", "POST"}),
        ("FOO", ORDERS, {"GET", "HEAD", "OPTIONS", "POST"}),
    ],
)
def test_ht04_a_method_that_is_not_served(
    anonymous: Caller, method: str, path: str, allowed: set[str]
) -> None:
    answer = anonymous(method, path)
    assert (answer.status_code, answer.mimetype) == (405, "application/problem+json")
    assert {word.strip() for word in answer.headers["Allow"].split(",")} == allowed


class TestTrailingSlash:
    @pytest.mark.parametrize("end", ["", "/"])
    def test_ht05_everything_works_with_it_and_without(
        self, alice: Caller, admin: Caller, anonymous: Caller, end: str
    ) -> None:
        made = alice.post(ORDERS.rstrip("/") + end, body())
        assert made.status_code == 201
        path = made.headers["Location"].rstrip("/")
        assert alice.get(ORDERS.rstrip("/") + end).get_json() == [made.get_json()]
        assert alice.get(path + end).status_code == 200
        assert alice("HEAD", path + end).status_code == 200
        assert alice.patch(path + end, {}).status_code == 200
        assert alice.put(path + end, body()).status_code == 200
        assert alice.get(f"{path}/events{end}").status_code == 200
        assert alice.delete(path + end).status_code == 204
        assert admin.post(f"{path}/restore{end}").status_code == 200
        account = {"username": "dora", "password": "dora-password-1"}
        user = admin.post(f"/api/v1/users{end}", account)
        assert user.status_code == 201
        assert admin.get(f"/api/v1/users{end}").status_code == 200
        assert (
            admin.patch(f"{USERS}{user.get_json()['user_id']}{end}", {"is_active": True}).status_code == 200
        )
        assert alice.get(f"/api/v1/users/me{end}").status_code == 200
        tokens = anonymous.post(f"/api/v1/login{end}", account)
        assert tokens.status_code == 200
        fresh = anonymous.post(f"/api/v1/refresh{end}", {"refresh": tokens.get_json()["refresh"]})
        assert fresh.status_code == 200
        out = anonymous.post(f"/api/v1/logout{end}", {"refresh": fresh.get_json()["refresh"]})
        assert out.status_code == 204
        for public in ("/metrics", "/healthz", "/readyz", "/swagger"):
            assert anonymous.get(public + end).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8000", 200),
        ("127.0.0.1:99", 200),
        ("[::1]:8000", 200),
        ("LOCALHOST", 200),
        ("evil.example", 400),
        ("localhost.evil.example", 400),
        ("", 400),
        ("a b", 400),
        ("localhost:x", 400),
        ("localhost@evil.example", 400),
        ("localhost#.evil.example", 400),
        ("localhost/evil.example", 400),
    ],
)
def test_ht07_only_known_hosts_are_served(alice: Caller, host: str, status: int) -> None:
    for path in ("/healthz", f"{ORDERS}?page_size=1"):
        answer = alice.get(path, headers={"Host": host})
        assert answer.status_code == status
        assert "evil" not in str(answer.headers) + answer.text
    for path in ("/admin/", "/swagger/", "/"):
        answer = alice.app.test_client().get(path, headers={"Host": host})
        assert (answer.status_code == 400) is (status == 400)
        assert "evil" not in str(answer.headers)


def test_ht07_no_link_names_a_host(alice: Caller, admin: Caller) -> None:
    """Neither the one that was asked, nor one that somebody claims was."""
    claims = dict.fromkeys(("X-Forwarded-Host", "X-Host", "X-Original-Host", "Forwarded"), "evil.example")
    claims["X-Forwarded-Proto"] = "https"
    made = alice.post(ORDERS, body(), headers=claims)
    alice.order()
    pages = alice.get(f"{ORDERS}?page_size=1", headers=claims)
    assert made.headers["Location"].startswith("/api/v1/orders/")
    assert re.fullmatch(r'</api/v1/orders/\?[^>]*>; rel="next"', pages.headers["Link"])
    login = alice.get("/admin/orders/", headers=claims)
    assert login.headers["Location"].startswith("/admin/login/")
    for answer in (made, pages, login):
        assert "evil" not in str(answer.headers) + answer.text


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example"])
def test_ht10_no_other_origin_is_let_in(alice: Caller, anonymous: Caller, origin: str) -> None:
    order = alice.order()
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "DELETE",
        "Access-Control-Request-Headers": "authorization",
    }
    for path in (ORDERS, path_of(order), "/api/v1/login/", "/api/v1/nothing/", "/openapi.json", "/metrics/"):
        for caller in (alice, anonymous):
            for method in ("GET", "HEAD", "OPTIONS", "POST", "DELETE"):
                if (method, path) in {("POST", ORDERS), ("DELETE", path_of(order))}:
                    continue
                answer = caller(method, path, headers=asked)
                assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")], path


def test_ht11_what_was_made_is_where_the_location_says(alice: Caller, admin: Caller) -> None:
    account = {"username": "dora", "password": "dora-password-1"}
    for caller, path, sent in (
        (alice, ORDERS, body()),
        (admin, ORDERS, body(user="bob", status="completed")),
        (admin, USERS, account),
    ):
        made = caller.post(path, sent)
        assert made.status_code == 201
        found = caller.get(made.headers["Location"])
        assert (found.status_code, found.get_json()) == (200, made.get_json())
    again = alice.post(ORDERS, body(), headers={"Idempotency-Key": "k"})
    replayed = alice.post(ORDERS, body(), headers={"Idempotency-Key": "k"})
    assert alice.get(replayed.headers["Location"]).get_json() == again.get_json()


@pytest.mark.parametrize("accept", [None, "text/html", "*/*", "text/html,application/xhtml+xml;q=0.9"])
@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/api/v1/nothing/",
        "/api/v2/orders/",
        "/api/v1/orders/x/y/z/",
        "/.env",
        "/%00",
        "/%FF",
        "/static/x",
        "/docs",
        "/api/v1/orders/<script>/",
        "/wp-login.php",
    ],
)
def test_ht13_an_unknown_path_is_a_problem(alice: Caller, path: str, accept: str | None) -> None:
    for method in ("GET", "POST", "DELETE"):
        answer = alice(method, path, headers={"Accept": accept} if accept else {})
        assert answer.status_code in {404, 405}, method
        assert answer.mimetype == "application/problem+json"
        assert "<" not in json.dumps({**answer.get_json(), "instance": ""})


def test_ht13_html_is_never_an_answer_of_the_api(alice: Caller, anonymous: Caller) -> None:
    order = alice.order()
    browser = {"Accept": "text/html"}
    answers = [
        anonymous.get(ORDERS, headers=browser),
        alice.get(USERS, headers=browser),
        alice.get(path_of({"order_id": str(uuid4())}), headers=browser),
        alice("DELETE", ORDERS, headers=browser),
        alice.post(path_of(order, "restore"), headers=browser),
        alice.patch(path_of(order), {"status": "completed"}, headers={**browser, "If-Match": '"x"'}),
        alice.post(ORDERS, raw=b"{", headers=browser),
        alice.post(ORDERS, raw=b" " * 5_000_000, headers=browser),
        alice.post(ORDERS, raw=b"{}", headers={**browser, "Content-Type": "text/plain"}),
        alice.post(ORDERS, {}, headers=browser),
    ]
    expected = [401, 403, 404, 405, 403, 412, 400, 413, 415, 422]
    assert [answer.status_code for answer in answers] == expected
    assert {answer.mimetype for answer in answers} == {"application/problem+json"}


class TestDocument:
    def test_ht17_the_document_names_what_is_served_and_nothing_else(
        self, app: Flask, admin: Caller, anonymous: Caller
    ) -> None:
        """What each operation answers is held against it on every call of the suite (`tests/document.py`)."""
        content = anonymous.get("/openapi.json").get_json()
        ids = {"{order_id}": admin.order()["order_id"], "{user_id}": SOME_ID}
        served: dict[str, set[str]] = {}
        for rule in app.url_map.iter_rules():
            if rule.rule.startswith("/api/"):
                methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
                served.setdefault(endpoint_label(rule.rule), set()).update(methods)
        documented = {
            path: {method.upper() for method in item if method != "parameters"}
            for path, item in content["paths"].items()
            if path.startswith("/api/")
        }
        assert documented == served
        for path, methods in documented.items():
            place = re.sub(r"{\w+}", lambda found: ids[found[0]], path)
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
                answer = anonymous(method, place)
                public = "security" in content["paths"][path].get(method.lower(), {})
                if method not in methods:
                    assert answer.status_code == 405
                elif not public:
                    assert answer.status_code == 401, (method, path)
                else:
                    assert answer.status_code == 415, (method, path)

    def test_ht17_it_can_be_read_by_everybody_as_documented(self, anonymous: Caller, admin: Caller) -> None:
        order = admin.order()
        page = anonymous.get("/swagger/")
        assert (page.status_code, page.mimetype) == (200, "text/html")
        document = anonymous.get("/openapi.json")
        assert document.get_json() == admin.get("/openapi.json").get_json()
        for text in (page.text, document.text):
            assert order["order_id"] not in text
            assert "127.0.0.1" not in text
        assert anonymous.get("/docs").status_code == 404
        assert "/api/v1/register/" not in document.get_json()["paths"]
        assert anonymous.post("/api/v1/register/", {}).status_code == 404
