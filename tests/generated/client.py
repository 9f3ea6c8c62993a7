"""The model's people on the wire: requests to the running server, and answers held against expectations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from tests.callers import ORDERS, basic
from tests.generated.model import NEW, Account, Order, Refused, Shop, Shown
from tests.server.processes import ADMIN_PASSWORD, Answer, ServerProcess

LOGIN, REFRESH, LOGOUT = (f"/api/v1/{name}/" for name in ("login", "refresh", "logout"))
OPERATOR = Account("admin", ADMIN_PASSWORD, "", role="admin")
"""Who keeps the accounts, and is no part of the model."""


class Client:
    """Sends what somebody asks for; what comes back must agree with the model."""

    def __init__(self, server: ServerProcess, shop: Shop) -> None:
        self.server = server
        self.shop = shop
        self.request_id = ""
        self._ids: set[str] = set()

    def send(self, actor: Account, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """A request under a log-in that stands, if this account has one, else with the password."""
        access = [
            family.access[0] for family in self.shop.families if family.is_open and family.owner is actor
        ]
        auth = f"Bearer {access[0]}" if access else basic(actor.name, actor.password)
        self.request_id = f"model-{uuid4().hex}"
        answer = self.server.request(method, path, body, auth=auth, X_Request_ID=self.request_id, **headers)
        assert answer.headers["X-Request-ID"] == self.request_id
        assert answer.status < 500, answer.body
        return answer

    def log_in(self, account: Account, password: str) -> Answer:
        return self.server.request("POST", LOGIN, {"username": account.name, "password": password})

    def show(self, path: str, token: str) -> Answer:
        """Hand in a refresh token, or what is taken for one."""
        return self.server.request("POST", path, {"refresh": token})

    def adopt(self, order: Order, expected: Shown, actor: Account, answer: Answer) -> None:
        """The answer is what was expected; what only the service can know is learned from it."""
        self._compare(Order(expected).seen_by(actor), answer.json(), "order")
        shown = {name: answer.json()[name] for name in expected}
        if order.shown and expected["version"] != order.shown["version"]:
            assert shown["updated_at"] > order.shown["updated_at"]
        order.shown = shown
        self.check_tag(order, actor, answer)

    def check_tag(self, order: Order, actor: Account, answer: Answer) -> None:
        """One tag for one answer, and another one for every other version."""
        tag, key = answer.headers["ETag"], order.tag_key(actor)
        assert order.tags.setdefault(key, tag) == tag
        assert all(known != tag for other, known in order.tags.items() if other[0] != key[0])

    def pages(self, actor: Account, query: str) -> Iterator[Answer]:
        """The pages of a list, from the first to the last, as `Link` leads from one to the next."""
        path = f"{ORDERS}?{query}"
        while path:
            answer = self.send(actor, "GET", path)
            assert answer.status == 200, answer.body
            yield answer
            following = re.search("<([^>]*)>", answer.headers.get("Link", ""))
            path = following.group(1) if following else ""

    def _compare(self, expected: Any, actual: Any, where: str) -> None:
        if expected is NEW:
            assert isinstance(actual, str), where
            if where.endswith("_id"):
                assert actual not in self._ids, f"{where} is not new"
                self._ids.add(actual)
        elif isinstance(expected, dict):
            assert set(actual) == set(expected), where
            for name, value in expected.items():
                self._compare(value, actual[name], f"{where}.{name}")
        elif isinstance(expected, list):
            assert len(actual) == len(expected), where
            for place, value in enumerate(expected):
                self._compare(value, actual[place], f"{where}.{place}")
        else:
            assert actual == expected, where


def check_refusal(answer: Answer, refused: Refused) -> None:
    """The error that the model expects, with what it says beside the usual."""
    assert answer.status == refused.status, (refused, answer.body)
    problem = answer.json()
    assert problem["code"] == refused.code, (problem, refused)
    assert {name: problem[name] for name in refused.extra} == refused.extra


def without_place(answer: Answer) -> tuple[int, dict[str, Any]]:
    """An error without what tells one request from another: where it was sent, and its id."""
    return answer.status, {
        name: value for name, value in answer.json().items() if name not in {"instance", "request_id"}
    }
