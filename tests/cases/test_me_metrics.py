"""Metrics: nobody can multiply them, the token guards them, and they count each request once."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import EnvironBuilder

from tests.callers import ORDERS, USERS, Caller, path_of
from tests.cases.operations import each
from tests.factories import body

TIMED = "orders_http_request_duration_seconds"


def series(caller: Caller) -> dict[tuple[str, str, str, str], float]:
    """Every sample of the requests: by name, method, endpoint and bucket."""
    return {
        (
            sample.name,
            sample.labels["method"],
            sample.labels["endpoint"],
            sample.labels.get("le", ""),
        ): sample.value
        for family in text_string_to_metric_families(caller.get("/metrics/").text)
        for sample in family.samples
        if "endpoint" in sample.labels
    }


def names(caller: Caller) -> set[str]:
    """All series there are, whatever their labels."""
    return {line.rpartition(" ")[0] for line in caller.get("/metrics/").text.splitlines() if line[0] != "#"}


METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
KNOWN = [
    *(ORDERS, f"{ORDERS}*/", f"{ORDERS}*/events/", f"{ORDERS}*/restore/", USERS, f"{USERS}{uuid4()}/"),
    *("/admin/*/", "/admin/orders/", "/healthz", "/openapi.json"),
]
UNKNOWN = ["/*", "/nothing/*/*", "//*", "/api/*/", "/\xff*", "/api/v1/orders/*/*/"]


class Crowd:
    """Many requests, sent to the application without the cost of a client."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.environ = EnvironBuilder(path="/").get_environ()
        self.statuses: set[int] = set()

    def send(self, method: str, path: str, made_up: str) -> None:
        """One request, with something made up wherever a client may put what it likes."""
        environ = {
            **self.environ,
            "PATH_INFO": path.replace("*", made_up),
            "QUERY_STRING": f"x{made_up}={made_up}",
            "REQUEST_METHOD": method,
            "HTTP_X_REQUEST_ID": made_up,
            "HTTP_USER_AGENT": made_up,
            "wsgi.input": io.BytesIO(),
        }
        answer = self.app.wsgi_app(environ, self.start)
        b"".join(answer)
        if hasattr(answer, "close"):  # what is a list has nothing to close
            answer.close()

    def start(self, status: str, _headers: Any, _error: Any = None) -> Any:
        self.statuses.add(int(status[:3]))
        return None


@pytest.mark.timeout(300)  # ten thousand requests on a machine that is busy
def test_me01_nobody_makes_more_series(app: Flask, anonymous: Caller) -> None:
    """Ten thousand paths, ids, methods, parameters and headers that nobody has seen before."""
    crowd = Crowd(app)
    for path in (*KNOWN, *UNKNOWN):
        for method in METHODS:
            crowd.send(method, path, "first")
    names(anonymous)  # which is a request itself
    before = names(anonymous)
    dice = random.Random(1)
    for number in range(10_000):
        made_up = f"{dice.getrandbits(64):x}"
        method = f"METHOD{number}" if number % 3 == 0 else dice.choice(METHODS)
        crowd.send(method, dice.choice(UNKNOWN if number % 8 else KNOWN), made_up)
    assert crowd.statuses >= {200, 302, 401, 404, 405}
    assert names(anonymous) <= before
    labels = {(method, endpoint) for _, method, endpoint, _ in series(anonymous)}
    rules = {re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule) for rule in app.url_map.iter_rules()}
    assert {endpoint for _, endpoint in labels} <= rules | {"unmatched", "/api/v1/register/"}
    assert {method for method, _ in labels} <= {*METHODS[:-1], "OTHER"}


@each(
    "header",
    [
        None,
        "Bearer wrong",
        "Bearer",
        "Bearer ",
        "Basic c2NyYXBlLW1l",
        "scrape-me",
        "Bearer scrape-me2",
        "Bearer \u00e4",
    ],
)
def test_me02_scrapers_without_the_token_are_refused(
    app: Flask, make_app: Callable[..., Flask], header: str | None
) -> None:
    guarded = make_app(metrics_token="scrape-me")
    for path in ("/metrics/", "/metrics"):
        for accept in ("*/*", "application/json"):
            answer = Caller(guarded, header).get(path, headers={"Accept": accept})
            assert answer.status_code == 401
            assert answer.mimetype == "application/problem+json"
            assert "orders_http" not in answer.text
        assert Caller(guarded, header)("HEAD", path).status_code == 401


def test_me02_nobody_else_s_credentials_are_the_token(app: Flask, make_app: Callable[..., Flask]) -> None:
    guarded = make_app(metrics_token="scrape-me")
    for caller in (Caller.by_token(guarded, "admin"), Caller.by_password(guarded, "admin")):
        assert caller.get("/metrics/").status_code == 401


@each("header", ["Bearer scrape-me", "bearer scrape-me", "BEARER  scrape-me"])
def test_me02_scrapers_with_the_token_are_served(
    app: Flask, make_app: Callable[..., Flask], header: str
) -> None:
    guarded = make_app(metrics_token="scrape-me")
    assert "orders_http_requests_total" in Caller(guarded, header).get("/metrics/").text


def test_me04_the_histogram_counts_what_the_counters_count(
    app: Flask, alice: Caller, admin: Caller, anonymous: Caller
) -> None:
    """For each method and endpoint; over several workers it is tested on a server."""
    before = series(anonymous)
    order = alice.order()
    asked = [
        *(("GET", ORDERS, alice),) * 5,
        *(("GET", path_of(order), alice), ("HEAD", path_of(order), alice), ("OPTIONS", ORDERS, alice)),
        *(("GET", ORDERS, anonymous), ("GET", "/nothing/", alice), ("PURGE", ORDERS, alice)),
        *(
            ("DELETE", path_of(order), alice),
            ("DELETE", path_of(order), alice),
            ("GET", f"{ORDERS}?x=1", alice),
        ),
    ]
    for method, path, caller in asked:
        caller(method, path)
    admin.post(ORDERS, body(user="nobody"))
    after = series(anonymous)

    def grown(name: str, *labels: str) -> float:
        method, endpoint, *bucket = labels
        key = (name, method, endpoint, bucket[0] if bucket else "")
        return after[key] - before.get(key, 0)

    labels = {key[1:3] for key in after}
    for pair in labels:
        count = grown(f"{TIMED}_count", *pair)
        assert count == grown("orders_http_requests_total", *pair), pair
        assert count == grown(f"{TIMED}_bucket", *pair, "+Inf"), pair
        kinds = [f"orders_http_requests_{kind}_total" for kind in ("success", "failure")]
        assert count == sum(grown(kind, *pair) for kind in kinds if (kind, *pair, "") in after), pair
    assert grown("orders_http_requests_total", "GET", ORDERS) == 7
    assert grown("orders_http_requests_total", "POST", ORDERS) == 2
    assert grown("orders_http_requests_failure_total", "GET", ORDERS) == 2
    assert grown("orders_http_requests_total", "OTHER", "unmatched") == 1
    assert grown("orders_http_requests_total", "DELETE", "/api/v1/orders/{order_id}/") == 2
