"""All operations of the API, read from the application's own routes, and helpers of the cases about them."""

from __future__ import annotations

import functools
import inspect
import io
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.test import EnvironBuilder, TestResponse

from tests import factories
from tests.callers import Caller


def each(names: str, values: Iterable[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Like `parametrize`, within one test: for values so many and so quick that setting up would cost more.

    They share a database, and the note on a failure says with which of them it came.
    """
    arguments = names.split(", ")

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def run_for_each(**fixtures: Any) -> None:
            for value in values:
                given = dict(zip(arguments, value if len(arguments) > 1 else [value], strict=True))
                try:
                    test(**fixtures, **given)
                except BaseException as error:
                    error.add_note(f"with {ascii(given)[:200]}")
                    raise

        asked = inspect.signature(test)
        kept = [parameter for name, parameter in asked.parameters.items() if name not in arguments]
        vars(run_for_each)["__signature__"] = asked.replace(parameters=kept)
        return run_for_each

    return decorate


SOME_ID = "019ab0f2-6f6e-7cc3-9b9e-4f2f3c1d8a55"
PUBLIC = {"/api/v1/login/", "/api/v1/refresh/", "/api/v1/logout/", "/api/v1/register/"}


@dataclass(frozen=True)
class Operation:
    """A method of a rule of the API."""

    method: str
    rule: str
    arguments: frozenset[str]

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"

    def path(self, *, order_id: str = SOME_ID, user_id: str = SOME_ID) -> str:
        """Its path, with these ids."""
        path = self.rule.replace("<string(length=36):user_id>", user_id).replace("<order_id>", order_id)
        assert "<" not in path, path
        return path

    @property
    def takes_body(self) -> bool:
        return self.method in {"PUT", "PATCH"} or (self.method == "POST" and "restore" not in self.rule)

    def good_body(self, name: str = "zoe") -> dict[str, Any] | None:
        """A body that it accepts; None where it takes none."""
        if not self.takes_body:
            return None
        if "users" in self.rule:
            return (
                {"username": name, "password": "long enough"} if self.method == "POST" else {"role": "user"}
            )
        return {"status": "confirmed"} if self.method == "PATCH" else factories.body()


def operations(app: Flask) -> list[Operation]:
    """All of the API, HEAD included."""
    return [
        Operation(method, rule.rule, frozenset(rule.arguments))
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)
        if rule.rule.startswith("/api/")
        for method in sorted((rule.methods or set()) - {"OPTIONS"})
    ]


def protected(app: Flask) -> list[Operation]:
    """Those that need credentials."""
    found = [operation for operation in operations(app) if operation.rule not in PUBLIC]
    assert len(found) > 15
    return found


def send(caller: Caller, operation: Operation, path: str, body: Any = None, **headers: str) -> TestResponse:
    """Send it as this caller, with a request id that is always the same."""
    more = [] if body is None else [body]
    return caller(operation.method, path, *more, headers={"X-Request-ID": "same", **headers})


def without(answer: TestResponse, *texts: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """An answer to be compared with another: all of it but the date and these texts.

    Its length counts (of the answer to a HEAD it is all that is told of the body), so compare only where
    the texts are equally long.
    """
    data = answer.data
    for text in texts:
        data = data.replace(text.encode(), b"-")
    headers = sorted((name, value) for name, value in answer.headers if name != "Date")
    return answer.status_code, headers, data


@dataclass(frozen=True)
class Measured:
    """A bare answer, and the processor time that the application took for it."""

    status: int
    body: bytes
    seconds: float

    def json(self) -> Any:
        return json.loads(self.body)


def measured(
    app: Flask, method: str, path: str, *, raw: bytes = b"", tries: int = 3, **headers: str
) -> Measured:
    """Ask the application itself, so that nothing but its own work is measured; the best of some tries."""
    best: Measured | None = None
    for _ in range(tries):
        builder = EnvironBuilder(path=path, method=method, content_type="application/json")
        environ = builder.get_environ()
        environ["wsgi.input"] = io.BytesIO(raw)
        environ["CONTENT_LENGTH"] = str(len(raw))
        environ.update({f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()})
        status: list[str] = []

        def start(line: str, _headers: Any, _error: Any = None, status: list[str] = status) -> Any:
            status.append(line)
            return None

        began = time.process_time()
        answer = app.wsgi_app(environ, start)
        body = b"".join(answer)
        if hasattr(answer, "close"):  # what is a list has nothing to close
            answer.close()
        seconds = time.process_time() - began
        if best is None or seconds < best.seconds:
            best = Measured(int(status[0].split()[0]), body, seconds)
    assert best is not None
    return best
