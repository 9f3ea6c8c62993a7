"""Somebody at the panel of a running server without a browser: keeps cookies, fills in forms, sends them."""

from __future__ import annotations

import html
import re
from http.cookiejar import CookieJar
from typing import Self
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

from tests.server.processes import ServerProcess

_FORM = r'<form [^>]*action="{}"[^>]*>(.*?)</form>'
_HIDDEN = re.compile(r"<input[^>]*>")
_ATTRIBUTE = re.compile(r'(type|name|value)="([^"]*)"')


class PanelSession:
    """One log-in."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._opener: OpenerDirector = build_opener(HTTPCookieProcessor(CookieJar()))

    @classmethod
    def of(cls, server: ServerProcess, name: str, password: str) -> Self:
        session = cls(f"http://127.0.0.1:{server.port}")
        page = session.get("/admin/login/")
        fields = {**_hidden(page), "username": name, "password": password}
        assert 'data-open="keys"' in session.post("/admin/login/", fields)
        return session

    def get(self, path: str) -> str:
        with self._opener.open(self._address + path, timeout=30) as answer:
            return str(answer.read().decode())

    def post(self, path: str, fields: dict[str, str]) -> str:
        """Send a form; the page that it leads to. Raises `HTTPError` where it is refused."""
        with self._opener.open(self._address + path, urlencode(fields).encode(), timeout=30) as answer:
            return str(answer.read().decode())

    def press(self, path: str, action: str, **fields: str) -> str:
        """Fill in and send the form of a page; the page that it leads to, which must say no error."""
        form = re.search(_FORM.format(re.escape(action)), self.get(path), re.DOTALL)
        assert form is not None, f"{path} has no form for {action}"
        page = self.post(action, {**_hidden(form[1]), **fields})
        assert "message error" not in page, page
        return page


def _hidden(form: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for field in _HIDDEN.findall(form):
        attributes = dict(_ATTRIBUTE.findall(field))
        if attributes.get("type") == "hidden":
            found[attributes["name"]] = html.unescape(attributes.get("value", ""))
    return found
