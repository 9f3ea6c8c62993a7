"""Somebody at a browser without JavaScript: keeps cookies, finds the token of a form, sends it."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.test import TestResponse

from tests import factories
from tests.callers import ORDERS, Caller

LOGIN = "/admin/login/"
_TOKEN = re.compile(r'name="csrf_token" type="hidden" value="([^"]+)"')


class Visitor:
    """One browser session."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()

    @classmethod
    def logged_in(cls, app: Flask, name: str = "admin") -> Visitor:
        visitor = cls(app)
        answer = visitor.log_in(name)
        assert answer.status_code == 302, answer.text
        return visitor

    def log_in(self, name: str, password: str | None = None, query: str = "") -> TestResponse:
        secret = factories.password_of(name) if password is None else password
        return self.post(LOGIN + query, username=name, password=secret)

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, **more)

    def token(self) -> str:
        """The token of this session, from whatever page it may see."""
        found = _TOKEN.search(self.client.get(LOGIN, follow_redirects=True).text)
        assert found is not None
        return found[1]

    def post(self, path: str, **fields: Any) -> TestResponse:
        """Send a form as the page would: with the token of this session."""
        return self.client.post(path, data={"csrf_token": self.token(), **fields})

    def follow(self, answer: TestResponse) -> TestResponse:
        """The page that a form leads to when it was accepted."""
        assert answer.status_code == 302, answer.text
        return self.client.get(answer.location)

    def button(self, page: str, action: str, nth: int = 0) -> dict[str, str]:
        """What a button of a page sends: its `action`, and all that its form carries but the token."""
        pattern = rf'<form method="post" action="{action}">(.*?)</form>'
        form = re.findall(pattern, self.get(page).text, re.DOTALL)[nth]
        fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)
        return {name: html.unescape(value) for name, value in fields}

    def press(self, page: str, action: str, nth: int = 0) -> TestResponse:
        """Press the button of a page, and see the page that it leads to."""
        return self.follow(self.post(action, **self.button(page, action, nth)))

    def cookie(self) -> str:
        """What a thief of the session would have."""
        cookie = self.client.get_cookie("orders_session", path="/admin")
        assert cookie is not None
        return cookie.value


def new_id(answer: TestResponse) -> str:
    """The id in the address that a saved form leads to."""
    return urlsplit(answer.location).query.removeprefix("id=")


def edit_fields(order: dict[str, Any], **others: Any) -> dict[str, Any]:
    """The form of an order as somebody who opened it would send it."""
    lines = order["products"]
    return {
        "user": order["user"],
        "status": order["status"],
        "total_price": "",
        "version": str(order["version"]),
        "line-product_id": [line["product_id"] for line in lines],
        "line-name": [line["name"] for line in lines],
        "line-price": [line["price"] for line in lines],
        "line-quantity": [str(line["quantity"]) for line in lines],
        **others,
    }


def read(admin: Caller, order_id: str) -> dict[str, Any]:
    """An order through the API."""
    order: dict[str, Any] = admin.get(f"{ORDERS}{order_id}/").get_json()
    return order


def order_fields(*lines: tuple[str, str, str], **others: str) -> dict[str, Any]:
    """The form of an order with these lines (name, price, quantity)."""
    rows = lines or (("affe", "42.00", "2"),)
    columns = dict(
        zip(("name", "price", "quantity"), (list(column) for column in zip(*rows, strict=True)), strict=True)
    )
    return {
        "status": "pending",
        "user": "",
        "total_price": "",
        **others,
        **{f"line-{name}": texts for name, texts in columns.items()},
        "line-product_id": [""] * len(rows),
    }


def listed(panel: Visitor, **query: Any) -> list[str]:
    """The ids of the orders on a page of the list, in their order."""
    answer = panel.get("/admin/orders/", query_string=query)
    assert answer.status_code == 200
    return re.findall(r'class="id" href="/admin/orders/details/\?id=([0-9a-f-]{36})[&"]', answer.text)


def hidden(page: str, name: str) -> str:
    """What a form carries under this name."""
    found = re.search(rf'name="{name}" type="hidden" value="([^"]*)"', page)
    assert found is not None
    return html.unescape(found[1])


def text_of(part: str) -> str:
    """What is to be read in a part of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", part)).split())


def made_order(admin: Caller, **others: Any) -> dict[str, Any]:
    """Make an order through the API."""
    order: dict[str, Any] = admin.post(ORDERS, factories.body(**others)).get_json()
    return order
