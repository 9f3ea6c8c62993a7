"""People who call the API.  Every answer they get is held against the rules that hold for all answers."""

from __future__ import annotations

import base64
import json
from typing import Any, Self

from flask import Flask
from werkzeug.test import TestResponse

from tests import factories
from tests.document import Document

ORDERS = "/api/v1/orders/"
USERS = "/api/v1/users/"
_NOTHING = object()


def basic(name: str, password: str | None = None) -> str:
    """The value of an `Authorization` header."""
    secret = factories.password_of(name) if password is None else password
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


class Caller:
    """Somebody with credentials, or without.

    Calls check what is true of every answer (see `tests/document.py`), so that each test of the suite
    is also a test of the OpenAPI document.
    """

    def __init__(self, app: Flask, authorization: str | None = None) -> None:
        self.app = app
        self.authorization = authorization

    @classmethod
    def by_token(cls, app: Flask, name: str) -> Self:
        return cls(app, "Bearer " + factories.logged_in(app, name)["access"])

    @classmethod
    def by_password(cls, app: Flask, name: str, password: str | None = None) -> Self:
        return cls(app, basic(name, password))

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = _NOTHING,
        *,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
        query: Any = None,
    ) -> TestResponse:
        sent = dict(headers or {})
        if self.authorization and "Authorization" not in sent:
            sent["Authorization"] = self.authorization
        data = raw
        if body is not _NOTHING:
            data = json.dumps(body, default=str).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        answer = self.app.test_client(use_cookies=False).open(
            path, method=method, data=data, headers=sent, query_string=query, buffered=True
        )
        document: Document = self.app.extensions["orders_document"]
        document.check(method, path, answer)
        return answer

    def get(self, path: str, **more: Any) -> TestResponse:
        return self("GET", path, **more)

    def post(self, path: str, body: Any = _NOTHING, **more: Any) -> TestResponse:
        return self("POST", path, body, **more)

    def put(self, path: str, body: Any = _NOTHING, **more: Any) -> TestResponse:
        return self("PUT", path, body, **more)

    def patch(self, path: str, body: Any = _NOTHING, **more: Any) -> TestResponse:
        return self("PATCH", path, body, **more)

    def delete(self, path: str, **more: Any) -> TestResponse:
        return self("DELETE", path, **more)

    def order(self, **others: Any) -> dict[str, Any]:
        """Make an order and return it."""
        answer = self.post(ORDERS, factories.body(**others))
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.get_json()
        return made

    def orders(self, **query: Any) -> list[dict[str, Any]]:
        """The orders on a page of the list."""
        answer = self.get(ORDERS, query=query)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.get_json()
        return found

    def read(self, order: dict[str, Any]) -> TestResponse:
        return self.get(path_of(order))


def path_of(order: dict[str, Any], *more: str) -> str:
    """The path of an order, or of something below it."""
    return ORDERS + "/".join([order["order_id"], *more]) + "/"
