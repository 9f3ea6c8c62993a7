"""What is true of every answer, and whether it is what the OpenAPI document promises."""

from __future__ import annotations

from typing import Any

from flask import Flask
from jsonschema import Draft202012Validator, FormatChecker
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from orders_app.http.metrics import endpoint_label

PROBLEM_KEYS = {"type", "title", "status", "detail", "instance", "code", "request_id"}
PAGES = ("/swagger", "/admin")
# The server's own refusals: any operation can answer these, and the document says so once, as `default`.
ANYWHERE = {400, 405, 413, 414, 500, 503}


class Document:
    """The OpenAPI document of one application."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.content: dict[str, Any] = app.test_client().get("/openapi.json").get_json()
        self._validators: dict[str, Draft202012Validator] = {}

    def check(self, method: str, path: str, answer: TestResponse) -> None:
        """Fail for an answer that breaks a rule of all answers, or one that is not documented."""
        assert answer.headers["X-Request-ID"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        plain = path.partition("?")[0]
        if not plain.startswith(PAGES):
            assert not answer.data or answer.mimetype != "text/html" or answer.status_code == 302
        if plain.startswith("/api/"):
            assert answer.headers["Cache-Control"] == "private, no-cache"
            assert "Authorization" in answer.headers["Vary"]
        if answer.status_code >= 400 and method != "HEAD" and answer.mimetype != "application/json":
            self._check_problem(answer)
        rule = self._rule(method, plain)
        operation = self.content["paths"].get(rule, {}).get(method.lower())
        if operation is not None:
            self._check_documented(operation, f"{method} {rule}", answer)

    def _rule(self, method: str, path: str) -> str:
        try:
            rule, _ = self.app.url_map.bind("localhost").match(path, method=method, return_rule=True)
        except (HTTPException, ValueError):
            return ""
        return endpoint_label(rule.rule)

    @staticmethod
    def _check_problem(answer: TestResponse) -> None:
        assert answer.mimetype == "application/problem+json", (answer.mimetype, answer.data[:200])
        problem = answer.get_json()
        assert set(problem) >= PROBLEM_KEYS, problem
        assert problem["status"] == answer.status_code
        assert problem["request_id"] == answer.headers["X-Request-ID"]
        if answer.status_code == 401:
            schemes = [value.partition(" ")[0] for value in answer.headers.getlist("WWW-Authenticate")]
            assert schemes == ["Bearer", "Basic"]
        if answer.status_code == 405:
            assert answer.headers["Allow"]
        if answer.status_code in {429, 503}:
            assert int(answer.headers["Retry-After"]) > 0

    def _check_documented(self, operation: dict[str, Any], name: str, answer: TestResponse) -> None:
        documented = operation["responses"].get(str(answer.status_code))
        if documented is None:
            assert answer.status_code in ANYWHERE, f"{name}: {answer.status_code} is not documented"
            return
        documented = self.resolve(documented)
        for header, described in documented.get("headers", {}).items():
            if described.get("required"):
                assert header in answer.headers, f"{name}: no {header}"
        content = documented.get("content")
        if content is None:
            assert not answer.data, f"{name}: an answer without content has some"
            return
        assert answer.mimetype in content, f"{name}: {answer.mimetype} is not documented"
        schema = content[answer.mimetype].get("schema")
        if schema is not None:
            key = f"{name} {answer.status_code}"
            validator = self._validators.get(key) or self._validators.setdefault(key, self.validator(schema))
            validator.validate(answer.get_json())

    def resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        """Follow a `$ref` inside the document."""
        while "$ref" in node:
            target: Any = self.content
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            node = target
        return node

    def validator(self, schema: dict[str, Any]) -> Draft202012Validator:
        """A validator for a schema that may refer to the document's components."""
        whole = {**schema, "components": self.content["components"]}
        return Draft202012Validator(whole, format_checker=FormatChecker())
