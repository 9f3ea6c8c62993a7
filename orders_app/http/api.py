"""The project's own Api and Blueprint: flask-smorest with strict reading and one shape of error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from http import HTTPStatus
from typing import Any

import flask_smorest
from flask_smorest.utils import prepare_response
from marshmallow import Schema

from orders_app.http.fields import Moment, Money, Text, WholeNumber
from orders_app.http.parser import strict_parser
from orders_app.http.problems import PROBLEM_TYPE, ProblemSchema


def id_parameter(name: str) -> list[dict[str, Any]]:
    """Documents an id in the path: `@blp.route(…, parameters=id_parameter("order_id"))`."""
    return [{"in": "path", "name": name, "required": True, "schema": {"type": "string", "format": "uuid"}}]


PUBLIC: dict[str, Any] = {"security": []}
"""Documents an endpoint that needs no credentials: `@blp.doc(**PUBLIC)`."""


RETRY_AFTER = {
    "Retry-After": {
        "description": "The seconds to wait.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    }
}


class Api(flask_smorest.Api):
    """Documents every error as problem+json.  Errors themselves are handled in `http/errors.py`."""

    ERROR_SCHEMA = ProblemSchema

    def __init__(self) -> None:
        super().__init__()
        self.register_field(Money, "string", None)
        self.register_field(WholeNumber, "integer", None)
        self.register_field(Text, "string", None)
        self.register_field(Moment, "string", "date-time")

    def _register_error_handlers(self) -> None:
        """Leave them to the application: one table for domain errors and HTTP errors alike."""

    def _init_spec(self, **kwargs: Any) -> None:
        super()._init_spec(**kwargs)
        self.ma_plugin.converter.add_parameter_attribute_function(_empty_is_absent)

    def _register_responses(self) -> None:
        for status in HTTPStatus:
            if status >= HTTPStatus.BAD_REQUEST:
                response = {"description": status.phrase, "schema": self.ERROR_SCHEMA}
                if status == HTTPStatus.TOO_MANY_REQUESTS:
                    response["headers"] = RETRY_AFTER
                prepare_response(response, self.spec, PROBLEM_TYPE)
                self.spec.components.response(status.name, response, lazy=True)
        self.spec.components.response(
            HTTPStatus.NOT_MODIFIED.name, {"description": "What the client has is what stands"}, lazy=True
        )
        anything = {"description": "Any other error", "schema": self.ERROR_SCHEMA}
        prepare_response(anything, self.spec, PROBLEM_TYPE)
        self.spec.components.response(self.DEFAULT_ERROR_RESPONSE_NAME, anything, lazy=True)


def _empty_is_absent(_converter: Any, _field: Any, *, ret: dict[str, Any]) -> dict[str, Any]:
    """An empty parameter in a query counts as not given, whatever its type (see `http/parser.py`)."""
    return {"allowEmptyValue": True} if ret["in"] == "query" else {}


class NoParameters(Schema):
    """For endpoints without query parameters: naming one is an error, not noise."""


Links = Mapping[int, Mapping[str, Mapping[str, Any]]]


class Blueprint(flask_smorest.Blueprint):
    """A blueprint that reads strictly and documents its errors."""

    ARGUMENTS_PARSER = strict_parser
    DEFAULT_LOCATION_CONTENT_TYPE_MAPPING = {  # noqa: RUF012  (flask-smorest's attribute)
        **flask_smorest.Blueprint.DEFAULT_LOCATION_CONTENT_TYPE_MAPPING,
        "json_or_form": "application/json",
    }

    def arguments(self, schema: Any, **options: Any) -> Callable[[Any], Any]:
        """As the library does, but make the schema once: that takes longer than to read a request with it."""
        decorate: Callable[[Any], Any] = super().arguments(
            schema() if isinstance(schema, type) else schema, **options
        )
        return decorate

    def header(self, parameter: dict[str, Any]) -> Callable[[Any], Any]:
        """Decorator that documents a request header, beside what `arguments` documents."""

        def decorate(view: Any) -> Any:
            documented = deepcopy(getattr(view, "_apidoc", {}))
            documented.setdefault("arguments", {}).setdefault("parameters", []).append(parameter)
            vars(view)["_apidoc"] = documented  # where flask-smorest keeps it
            return view

        return decorate

    def operation(self, name: str, links: Links | None = None) -> Callable[[Any], Any]:
        """Decorator that names an operation for programs, and tells where its answers lead.

        A link names another operation and says how to fill in its request from this request and answer;
        it is kept under the status of the answer and a name of its own.
        """
        documented: dict[str, Any] = {"operationId": name}
        if links:
            documented["responses"] = {status: {"links": leading} for status, leading in links.items()}
        decorate: Callable[[Any], Any] = self.doc(**documented)
        return decorate

    def problems(self, *statuses: int) -> Callable[[Any], Any]:
        """Decorator that documents error answers; where credentials are checked (401), 429 is one more."""
        throttled = (429,) if 401 in statuses and 429 not in statuses else ()

        def decorate(view: Any) -> Any:
            for status in (*statuses, *throttled):
                view = self.alt_response(status, HTTPStatus(status).name)(view)
            return view

        return decorate
