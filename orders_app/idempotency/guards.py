"""Views that do their work once for each `Idempotency-Key`, and what OpenAPI says of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flask import Response, current_app, request

from orders_app.extensions import unit_of_work
from orders_app.http.bodies import body_read
from orders_app.http.parser import InvalidRequest
from orders_app.http.problems import problem
from orders_app.idempotency import services
from orders_app.idempotency.domain import (
    LONGEST_KEY,
    Attempt,
    StoredAnswer,
    checked_key,
    fingerprint_of,
    scope_of,
)
from orders_app.shared.identity import Actor
from orders_app.shared.strict_json import loads
from orders_app.shared.unit_of_work import UnitOfWork

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
RETRY_AFTER_SECONDS: Final = 1
_KEPT_HEADERS = ("Content-Type", "ETag", "Location")

IDEMPOTENCY_KEY: dict[str, Any] = {
    "in": "header",
    "name": HEADER,
    "description": "Makes the request safe to send again: for 24 hours the same key with the same body gets "
    "the first answer, and nothing is done twice.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": LONGEST_KEY,
        "pattern": "^[!-~]([ -~]*[!-~])?$",
    },
}
"""The header of the request, for `@blp.doc(parameters=[…])`."""

REPLAYED_HEADER: dict[str, Any] = {
    REPLAYED: {
        "description": "`true` where this is the first answer once more; absent otherwise.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}
"""The header of the answer, for `@blp.response(…, headers=…)`."""


def answer_once(actor: Actor, make: Callable[[UnitOfWork], Response]) -> Response:
    """What `make` answers in a unit of work, or what it answered the first time under the same key.

    Only successes are kept: what `make` raises rolls everything back, the claim on the key included.
    """
    attempt = _attempt(actor)
    if attempt is None:
        with unit_of_work() as uow:
            return make(uow)
    try:
        with unit_of_work() as uow:
            first = services.claim(uow, actor=actor, attempt=attempt)
            if first is not None:
                return _replayed(first)
            response = make(uow)
            services.keep(uow, actor=actor, attempt=attempt, answer=_kept(response))
    except services.InProgress as error:
        return problem(409, error.code, error.detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    except services.KeyReused as error:
        raise _refused(error.detail, "Used before with another body.", error.code) from None
    return response


def _attempt(actor: Actor) -> Attempt | None:
    """What was asked under which key; None without one."""
    text = request.headers.get(HEADER)
    if text is None or actor.user_id is None:
        return None
    try:
        # White space around a field's value is no part of it (RFC 9110, section 5.5); servers may leave it.
        key = checked_key(text.strip(" \t"))
    except ValueError as error:
        raise _refused(f"{HEADER} is not valid; see errors.", str(error)) from None
    if body := body_read(request):
        said = [loads(body)]
    else:
        # What is sent where no body is asked for means nothing, and yet another one is another request.
        said = [data.hex()] if (data := request.get_data()) else []
    secret = current_app.config["ORDERS"].secret_key
    return Attempt(
        scope=scope_of(user_id=actor.user_id, method=request.method, path=request.path, key=key),
        fingerprint=fingerprint_of(secret, *said),
    )


def _refused(detail: str, message: str, code: str | None = None) -> InvalidRequest:
    return InvalidRequest(detail, errors={"header": {HEADER: [message]}}, code=code)


def _kept(response: Response) -> StoredAnswer:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    return StoredAnswer(response.status_code, headers, response.get_data())


def _replayed(first: StoredAnswer) -> Response:
    response = Response(first.body, status=first.status)
    response.headers.update(first.headers)
    response.headers[REPLAYED] = "true"
    return response
