"""One shape for every error: RFC 9457 `application/problem+json`."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
from flask import Response, request
from marshmallow import INCLUDE, Schema, fields

from orders_app.shared.correlation import current_request_id

PROBLEM_TYPE = "application/problem+json"
INVALID_TOKEN = "invalid_token"  # noqa: S105  (a code, no token)
CHALLENGES = ('Bearer realm="orders"', 'Basic realm="orders", charset="UTF-8"')
RETRY_AFTER_SECONDS = 5


class ProblemSchema(Schema):
    """An error, for programs (`code`) and for people (`detail`)."""

    class Meta:
        title = "Problem"
        unknown = INCLUDE  # some problems say more: `allowed`, `current_version`

    type = fields.String(required=True, metadata={"description": "A URI for the kind of problem."})
    title = fields.String(required=True, metadata={"description": "The HTTP status in words."})
    status = fields.Integer(required=True, metadata={"description": "The HTTP status code."})
    detail = fields.String(required=True, metadata={"description": "What went wrong, for a person."})
    instance = fields.String(required=True, metadata={"description": "The path that was asked for."})
    code = fields.String(
        required=True, metadata={"description": "A stable word that a program can branch on."}
    )
    request_id = fields.String(
        required=True, metadata={"description": "Stands in the logs too; name it when you report a problem."}
    )
    errors = fields.Dict(
        metadata={"description": "For 422: the messages, nested like the request that they are about."}
    )


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    extra: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """The answer for one error.  401 gets both challenges, 503 a `Retry-After`."""
    body = {
        "type": f"urn:problem:orders:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.path,
        "code": code,
        "request_id": current_request_id(),
        **(extra or {}),
    }
    response = Response(_encode(body), status=status, content_type=PROBLEM_TYPE)
    response.headers.update(headers or {})
    if status == HTTPStatus.UNAUTHORIZED:
        for challenge in CHALLENGES:
            # RFC 6750, section 3.1: whoever sent a token learns that it is the token.
            is_about_token = code == INVALID_TOKEN and challenge.startswith("Bearer")
            response.headers.add(
                "WWW-Authenticate", f'{challenge}, error="{code}"' if is_about_token else challenge
            )
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers.setdefault("Retry-After", str(RETRY_AFTER_SECONDS))
    return response


def _encode(body: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        # A path or a key can hold bytes that are no UTF-8; what cannot be written is replaced.
        return orjson.dumps(_printable(body), option=orjson.OPT_NON_STR_KEYS)


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_printable(key): _printable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(item) for item in value]
    return value
