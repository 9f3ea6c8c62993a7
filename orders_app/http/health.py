"""`/healthz`: the process is up.  `/readyz`: it can do its work, or which part is missing."""

from __future__ import annotations

import logging
from collections.abc import Callable

from flask import Flask, Response, current_app, jsonify

logger = logging.getLogger(__name__)

Check = Callable[[], str | None]
"""None when all is well, else what is wrong, in a few words and without secrets."""


_EXTENSION = "orders_health"


def failing_parts() -> dict[str, str]:
    """What is wrong with which part of this application now; empty when all is well."""
    checks: dict[str, Check] = current_app.extensions[_EXTENSION]
    return _failures(checks)


def serve_health(app: Flask, *, required: dict[str, Check], optional: dict[str, Check]) -> None:
    """Serve both.  Without an optional part the service is `degraded` and ready all the same."""
    app.extensions[_EXTENSION] = {**required, **optional}

    @app.get("/healthz/")
    def healthz() -> Response:
        return jsonify(status="ok")

    @app.get("/readyz/")
    def readyz() -> tuple[Response, int]:
        missing = _failures(required)
        absent = _failures(optional) if not missing else {}
        names = [*required, *optional]
        checks = {name: missing.get(name) or absent.get(name) or "ok" for name in names}
        status = "unavailable" if missing else "degraded" if absent else "ok"
        response = jsonify(status=status, failing=[*missing, *absent], checks=checks)
        if missing:
            response.headers["Retry-After"] = "5"
        return response, 503 if missing else 200


def _failures(checks: dict[str, Check]) -> dict[str, str]:
    failures = {}
    for name, check in checks.items():
        try:
            problem = check()
        except Exception as error:  # noqa: BLE001  # whatever is wrong with a part, the answer is that it is not ready
            logger.warning("Not ready: %s: %s", name, error)
            problem = "cannot be reached"
        if problem:
            failures[name] = problem
    return failures
