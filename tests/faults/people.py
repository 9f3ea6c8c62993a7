"""What people do while something fails: read, write, log in, use the panel, scrape the metrics.

Each method does one of these and checks what must hold of the answer whatever has failed: what is
shown is right, what is refused is refused in good form, nothing else is seen.  It returns the status.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPMessage
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from werkzeug.datastructures import Headers

from tests.callers import ORDERS, path_of
from tests.factories import body
from tests.servers import wait_until

UNAVAILABLE = "database_unavailable"
OLDEST_FIRST = "/admin/orders/?sort=5"
"""The list in the panel by when the orders were made: the one of these people stays on its first page."""
_TOKEN = re.compile(r'name="csrf_token" type="hidden" value="([^"]+)"')
_FORM = re.compile(r"<form.*?</form>", re.DOTALL)
_INPUT = re.compile(r'<input[^>]* name="([^"]+)" value="([^"]*)"')
_SECRETS = re.compile(r"psycopg|sqlite|SELECT|UPDATE|127\.0\.0\.1|/tmp|Traceback")
_GAUGE = "orders_by_status{"


@dataclass(frozen=True)
class Seen:
    """An answer, wherever it came from."""

    status: int
    headers: HTTPMessage | Headers
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


Send = Callable[[str, str, bytes | None, dict[str, str]], Seen]


class People:
    """An admin with a token, a session of the panel and one order, who knows what it must look like."""

    def __init__(self, send: Send, password: str) -> None:
        self._send = send
        self._password = password
        self._number = 100
        tokens = self._log_in(password)
        self._bearer = f"Bearer {tokens.json()['access']}"
        self._cookie = self._session()
        made = self.call("POST", ORDERS, body())
        assert made.status == 201, made.text
        self.order: dict[str, Any] = made.json()
        self.path = path_of(self.order)
        self._form = _first_button(self._browse(self._page))
        self.cache_status: set[str | None] = set()
        """What the last reading said of the cache."""
        self.unsure: list[dict[str, Any]] = []
        """What the order may be as well, where a change was neither confirmed nor refused for certain."""

    def call(self, method: str, path: str, content: Any = None, **headers: str) -> Seen:
        """A request to the API with the token."""
        sent = {"Authorization": self._bearer, **headers}
        data = None
        if content is not None:
            data = json.dumps(content).encode()
            sent["Content-Type"] = "application/json"
        return self._send(method, path, data, sent)

    def read(self) -> int:
        """The order, and the list that it is on, as no worker has them ready: nobody else has this tag."""
        unknown = {"If-None-Match": f'"{uuid4().hex}"'}
        one = self.call("GET", self.path, **unknown)
        many = self.call("GET", f"{ORDERS}?ordering=created_at", **unknown)
        assert one.status == many.status
        self.cache_status = {one.headers.get("Cache-Status"), many.headers.get("Cache-Status")}
        if one.status == 200:
            self._check(one.json())
            assert one.json() in many.json()
        else:
            _in_good_form(one)
        return one.status

    def fill_the_cache(self) -> None:
        """Have both answers in the cache, fresh."""

        def is_cached() -> bool:
            assert self.read() == 200
            return self.cache_status == {"orders; hit"}

        wait_until(is_cached, what="the cache")

    def write(self) -> int:
        """A change of the order, and a new one."""
        self._number += 1
        total = f"{self._number}.00"
        changed = self.call("PATCH", self.path, {"total_price": total})
        if changed.status == 200:
            assert changed.json()["total_price"] == total
            self._is_known(changed.json(), total_price=total)
            if not self.unsure:
                assert changed.json()["version"] == self.order["version"] + 1
            self.order, self.unsure = changed.json(), []
        else:
            _in_good_form(changed)
            self._maybe(total_price=total)
        made = self.call("POST", ORDERS, body())
        if made.status != 201:
            _in_good_form(made)
        assert (made.status == 201) == (changed.status == 200)
        return changed.status

    def log_in(self, password: str | None = None) -> int:
        """With the right password, unless another one is given."""
        answer = self._log_in(password or self._password)
        if answer.status == 200:
            assert set(answer.json()) == {"access", "refresh"}
        elif answer.status == 401:
            assert answer.json()["code"] == "invalid_credentials"
        else:
            _in_good_form(answer)
        return answer.status

    def panel(self) -> int:
        """The list of orders in the panel: that, or a plain page that says what is the matter."""
        page = self._browse(OLDEST_FIRST)
        if page.status == 200:
            assert page.headers["Content-Type"].startswith("text/html")
            assert self.order["order_id"] in page.text
        else:
            _is_a_plain_page(page)
        return page.status

    def write_in_the_panel(self) -> int:
        """A button on the page of the order, or on the page as it was last seen."""
        page = self._browse(self._page)
        if page.status == 200:
            self._form = _first_button(page)
        else:
            _is_a_plain_page(page)
        to = self._form["to"]
        done = self._browse("/admin/orders/transition/", self._form)
        if done.status != 302:
            _is_a_plain_page(done)
            self._maybe(status=to)
            return done.status
        found = self.call("GET", self.path).json()
        assert found["version"] == int(self._form["version"]) + 1
        self._is_known(found, status=to)
        self.order, self.unsure = found, []
        return 200

    def metrics(self) -> int:
        """A scrape, which is what one needs most now."""
        scraped = self.scrape()
        assert "orders_http_requests_total{" in scraped.text
        return scraped.status

    def scrape(self) -> Seen:
        return self._send("GET", "/metrics/", None, {})

    def gauge_is_there(self) -> bool:
        return _GAUGE in self.scrape().text

    def counter(self, name: str) -> float:
        """The sum of a counter over all its labels."""
        lines = [line for line in self.scrape().text.splitlines() if re.match(rf"{name}[{{ ]", line)]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    def nothing_is_lost(self) -> None:
        """Every confirmed change is there, and each version has one event."""
        found = self.call("GET", self.path).json()
        self._check(found)
        events = self.call("GET", f"{self.path}events/").json()
        assert [event["sequence"] for event in events] == list(range(1, found["version"] + 1))
        self.order, self.unsure = found, []

    def _browse(self, path: str, form: dict[str, str] | None = None) -> Seen:
        """A page of the panel, or a form that is sent to it, in the session."""
        headers = {"Cookie": self._cookie}
        if form is None:
            answer = self._send("GET", path, None, headers)
        else:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            answer = self._send("POST", path, urlencode(form).encode(), headers)
        if "Set-Cookie" in answer.headers:
            self._cookie = _cookie(answer)
        return answer

    @property
    def _page(self) -> str:
        return f"/admin/orders/details/?id={self.order['order_id']}"

    @property
    def _known(self) -> list[dict[str, Any]]:
        return [self.order, *self.unsure]

    def _is_known(self, found: dict[str, Any], **changed: str) -> None:
        """What was found is what was known, with this change."""
        assert _content(found) in [_content({**state, **changed}) for state in self._known]

    def _maybe(self, **changed: str) -> None:
        """This may have been changed, or not."""
        for state in self._known:
            if {**state, **changed} not in self._known:
                self.unsure.append({**state, **changed})

    def _check(self, found: dict[str, Any]) -> None:
        """What was found is the last confirmed state, or one that may have come about since."""
        possible = [_content(state) for state in self.unsure]
        assert found == self.order or _content(found) in possible, self._known

    def _log_in(self, password: str) -> Seen:
        content = json.dumps({"username": "admin", "password": password}).encode()
        return self._send("POST", "/api/v1/login/", content, {"Content-Type": "application/json"})

    def _session(self) -> str:
        page = self._send("GET", "/admin/login/", None, {})
        token = _TOKEN.search(page.text)
        assert token is not None, page.text
        form = {"csrf_token": token[1], "username": "admin", "password": self._password}
        headers = {"Cookie": _cookie(page), "Content-Type": "application/x-www-form-urlencoded"}
        done = self._send("POST", "/admin/login/", urlencode(form).encode(), headers)
        assert done.status == 302, done.text
        return _cookie(done)


def _content(order: dict[str, Any]) -> dict[str, Any]:
    """What a change of the total or the status changes in no way that is not known beforehand."""
    others = {"updated_at", "version", "allowed_transitions"}
    return {key: value for key, value in order.items() if key not in others}


def _cookie(answer: Seen) -> str:
    return str(answer.headers["Set-Cookie"]).partition(";")[0]


def _first_button(page: Seen) -> dict[str, str]:
    """What the first button that changes the status sends."""
    form = next(form for form in _FORM.findall(page.text) if 'name="to"' in form)
    return dict(_INPUT.findall(form.replace(' type="hidden"', "")))


def _is_a_plain_page(page: Seen) -> None:
    """A page that tells a person to come back, and what to say to whoever looks into it."""
    assert page.status == 503, (page.status, page.text)
    assert page.headers["Content-Type"].startswith("text/html")
    assert int(page.headers["Retry-After"]) > 0
    assert page.headers["X-Request-ID"] in page.text
    assert "ry again" in page.text or "ry to write again" in page.text
    assert not _SECRETS.search(page.text)


def _in_good_form(answer: Seen) -> None:
    """A problem that tells a program when to come back and a person what is the matter."""
    assert answer.status == 503, (answer.status, answer.text)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    problem = answer.json()
    assert problem["code"] == UNAVAILABLE
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    assert not _SECRETS.search(answer.text)
