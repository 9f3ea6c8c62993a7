"""Bodies of requests: declared as JSON in UTF-8, not compressed, not too large."""

from __future__ import annotations

from typing import Any

from flask import Request

from orders_app.shared.errors import Malformed, TooLarge, UnsupportedMediaType
from orders_app.shared.strict_json import loads

_BODY_READ = "orders.body_read"


def read_json(request: Request) -> Any:
    """The body as Python values, read by `shared/strict_json.py`.

    Raises `UnsupportedMediaType` unless it is declared as UTF-8 JSON, `TooLarge` and `Malformed`.
    """
    _check_declared(request)
    data = request.environ[_BODY_READ] = request.get_data(cache=False)
    if request.content_length is not None and len(data) < request.content_length:
        raise Malformed("The body ends before its Content-Length.")
    if request.content_length is None and request.environ["wsgi.input"].read(1):
        # A body sent in chunks does not say how long it is: reading stops at the limit without a word.
        raise TooLarge("The body is larger than this service reads.")
    return loads(data)


def body_read(request: Request) -> bytes:
    """The body that `read_json` has read; empty for an endpoint that takes none."""
    data: bytes = request.environ.get(_BODY_READ, b"")
    return data


def _check_declared(request: Request) -> None:
    mimetype = request.mimetype
    if mimetype != "application/json" and not (
        mimetype.startswith("application/") and mimetype.endswith("+json")
    ):
        raise UnsupportedMediaType("Send the body as application/json.")
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if charset not in {"utf-8", "utf8"}:
        raise UnsupportedMediaType("JSON is sent in UTF-8.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("Compressed bodies are not accepted.")
