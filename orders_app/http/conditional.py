"""Conditional requests (RFC 9110, section 13): entity tags, `If-None-Match`, `If-Match`."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response, current_app, request

from orders_app.shared.errors import PreconditionRequired

ETAG_HEADER: dict[str, Any] = {
    "ETag": {
        "description": "Strong, over the whole answer; send it back in `If-None-Match` or `If-Match`.",
        "schema": {"type": "string", "example": '"5d41402abc4b2a76b9719d911017c592"'},
    }
}
"""What answers with a tag document of their headers."""

IF_NONE_MATCH: dict[str, Any] = {
    "in": "header",
    "name": "If-None-Match",
    "description": "Tags that the client has; 304 without a body while one of them stands.",
    "schema": {"type": "string"},
}
IF_MATCH: dict[str, Any] = {
    "in": "header",
    "name": "If-Match",
    "description": "Tags that the client saw; 412 with `current_version` when none of them stands any more.",
    "schema": {"type": "string"},
}


def unless_known(response: Response, tag: str) -> Response:
    """The response with its tag; 304 without a body if the client named that tag in `If-None-Match`."""
    response.set_etag(tag)
    if request.method in {"GET", "HEAD"} and request.if_none_match.contains_weak(tag):
        response.status_code = HTTPStatus.NOT_MODIFIED
        response.set_data(b"")
        del response.headers["Content-Type"]
        del response.headers["Content-Length"]
    return response


def expected_tags() -> frozenset[str] | None:
    """The tags of `If-Match`, `*` among them where it says so; None where nothing was expected.

    Raises `PreconditionRequired` where the settings demand the header (RFC 6585, section 3).
    """
    if "If-Match" not in request.headers:
        if current_app.config["ORDERS"].require_if_match:
            raise PreconditionRequired("Send If-Match with the tag of the order that you saw.")
        return None
    named = request.if_match
    return frozenset({"*"}) if named.star_tag else frozenset(named.as_set(include_weak=False))
