"""Every route asks who is calling, or is on the list of those that need not."""

from __future__ import annotations

import pytest
from flask import Flask

PUBLIC = {
    "/": "leads to the documentation",
    "/openapi.json": "the document",
    "/swagger/": "the page that shows it",
    "/swagger/assets/<path:filename>": "its scripts and styles",
    "/api/v1/login/": "takes a password",
    "/api/v1/refresh/": "takes a refresh token",
    "/api/v1/logout/": "takes a refresh token",
    "/healthz/": "says that the process is up",
    "/readyz/": "says which part is missing",
    "/metrics/": "counts only; METRICS_TOKEN guards it",
    "/admin/login/": "takes a password",
    "/admin/login/password/<token>/": "takes a one-time link",
}
SOME_ID = "019ab0f2-6f6e-7cc3-9b9e-4f2f3c1d8a55"


@pytest.mark.parametrize("backend", ["sqlite+files"], indirect=True)
def test_every_route_is_guarded_or_on_the_list(app: Flask) -> None:
    open_routes = set()
    for rule in app.url_map.iter_rules():
        path = rule.build(dict.fromkeys(rule.arguments, SOME_ID), append_unknown=False)
        assert path is not None
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            answer = app.test_client().open(path[1], method=method, json={}, buffered=True)
            to_log_in = answer.status_code == 302 and "/admin/login" in answer.headers["Location"]
            if answer.status_code not in {401, 403} and not to_log_in:
                open_routes.add(rule.rule)
    assert {
        rule for rule in open_routes - set(PUBLIC) if not rule.endswith("static/<path:filename>")
    } == set()
