"""Reading requests strictly: unknown and repeated parameters are refused, bodies are real JSON."""

from __future__ import annotations

from typing import Any, NoReturn

from flask import Request
from marshmallow import RAISE, Schema, ValidationError, fields
from webargs.flaskparser import FlaskParser

from orders_app.http.bodies import read_json
from orders_app.shared.errors import Invalid

KEPT_WHEN_EMPTY = frozenset({"cursor"})


class InvalidRequest(Invalid):
    """`errors` is nested by where the values stood: `json`, `query` or `form`."""


class StrictParser(FlaskParser):
    """webargs as flask-smorest uses it, with nothing overlooked or guessed."""

    DEFAULT_UNKNOWN_BY_LOCATION = dict.fromkeys(("json", "json_or_form", "query", "form", "path"), RAISE)

    def load_json(self, req: Request, schema: Schema) -> Any:
        # Endpoints with a body take no parameters beside it.
        _single_values(req.args, _NO_PARAMETERS, "query")
        return read_json(req)

    def load_json_or_form(self, req: Request, schema: Schema) -> Any:
        if req.mimetype in {"application/x-www-form-urlencoded", "multipart/form-data"}:
            return _single_values(req.form, schema, "json_or_form")
        return self.load_json(req, schema)

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        return _single_values(req.args, schema, "query")

    def handle_error(
        self,
        error: ValidationError,
        req: Request,
        schema: Schema,
        *,
        error_status_code: int | None,
        error_headers: Any,
    ) -> NoReturn:
        messages = error.messages
        nested = messages if isinstance(messages, dict) else {"_schema": messages}
        renamed = {"json" if place == "json_or_form" else place: what for place, what in nested.items()}
        raise InvalidRequest("The request is not valid; see errors.", errors=renamed)


_NO_PARAMETERS = Schema()


def _single_values(given: Any, schema: Schema, place: str) -> dict[str, Any]:
    """Each value once, save for lists.  In a query an empty one counts as not given, `format` is `json`."""
    values: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    for name in given:
        texts = [text for text in given.getlist(name) if text or place != "query" or name in KEPT_WHEN_EMPTY]
        field = schema.fields.get(name)
        if field is None and name == "format" and place == "query":
            if set(texts) - {"json"}:
                errors[name] = ["Only json is available."]
            elif len(texts) > 1:
                errors[name] = ["Given more than once."]
        elif field is None:
            errors[name] = ["Unknown field."]
        elif isinstance(field, fields.List):
            values[name] = texts
        elif len(texts) > 1:
            errors[name] = ["Given more than once."]
        elif texts:
            values[name] = texts[0]
    if errors:
        raise InvalidRequest("The request is not valid; see errors.", errors={place: errors})
    return values


strict_parser = StrictParser()
