"""The table from what can go wrong to what a client is told."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from orders_app.http.database_errors import trouble
from orders_app.http.metrics import DATABASE_FAILURES
from orders_app.http.parser import InvalidRequest
from orders_app.http.problems import problem
from orders_app.shared.errors import (
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    Malformed,
    NotAuthenticated,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    TooLarge,
    TooManyRequests,
    UnsupportedMediaType,
)

logger = logging.getLogger(__name__)

STATUS_OF: dict[type[DomainError], int] = {
    Malformed: 400,
    NotAuthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    PreconditionFailed: 412,
    TooLarge: 413,
    UnsupportedMediaType: 415,
    Invalid: 422,
    PreconditionRequired: 428,
    TooManyRequests: 429,
}

CODE_OF = {
    400: "bad_request",
    401: "not_authenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    414: "uri_too_long",
    415: "unsupported_media_type",
    422: "validation_error",
    431: "header_too_large",
    501: "not_implemented",
}

IN_TROUBLE = {
    "conflict": "Too many changes met each other. Nothing was changed; try again.",
    "full": "The database has no space left. Reading goes on; try to write again later.",
    "overloaded": "The database has too much to do. Try again shortly.",
    "read_only": "The database takes no changes at the moment. Reading goes on; try to write again later.",
    "timeout": "The database did not answer in time. Try again shortly.",
}
UNREACHABLE = "The database cannot be reached. Try again shortly."

ErrorPage = Callable[[Response], Response | None]
"""May turn a problem into a page for people; None leaves it as it is."""


def status_of(error: DomainError) -> int:
    """The HTTP status for a domain error, by the nearest class that the table names."""
    return next(STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF)


def register_error_handlers(app: Flask, page: ErrorPage) -> None:
    """Answer every error with a problem; `page` may dress it for the panel's visitors."""

    def shown(response: Response) -> Response:
        return page(response) or response

    def domain_error(error: DomainError) -> Response:
        extra: dict[str, Any] = dict(error.extra)
        if isinstance(error, InvalidRequest):
            extra["errors"] = error.errors
        elif isinstance(error, Invalid) and error.errors:
            extra["errors"] = {"json": error.errors}
        headers = {"Retry-After": str(error.retry_after)} if isinstance(error, TooManyRequests) else None
        return shown(problem(status_of(error), error.code, error.detail, extra=extra, headers=headers))

    def http_error(error: HTTPException) -> Response:
        if error.response is not None:
            return error.response  # type: ignore[return-value]  # werkzeug's type; Flask gives its own
        status = error.code or 500
        headers = {
            name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After", "Location"}
        }
        detail = error.description or "The request failed."
        return shown(problem(status, CODE_OF.get(status, "error"), detail, headers=headers))

    def unavailable(error: Exception, reason: str) -> Response:
        logger.error("The database is in trouble (%s): %s", reason, error)
        DATABASE_FAILURES.labels(reason).inc()
        return shown(problem(503, "database_unavailable", IN_TROUBLE.get(reason, UNREACHABLE)))

    def unexpected(error: Exception) -> Response:
        reason = trouble(error)
        if reason is not None:
            return unavailable(error, reason)
        logger.error("Unexpected error", exc_info=error)
        detail = "Something went wrong here. Name the request id when you report it."
        return shown(problem(500, "internal_error", detail))

    app.register_error_handler(DomainError, domain_error)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, unexpected)
