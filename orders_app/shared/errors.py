"""Errors of the domain.  They carry a stable `code` and no HTTP status: `http/errors.py` maps them."""

from __future__ import annotations

from typing import Any


class DomainError(Exception):
    """Something the caller asked for cannot be done.

    `code` is a stable word that a program can branch on, `detail` a sentence for a person, and
    `extra` holds further members of the answer (RFC 9457, section 3.2).
    """

    code = "error"

    def __init__(self, detail: str, *, code: str | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code
        self.extra = extra


class NotAuthenticated(DomainError):
    """Nobody knows who is asking."""

    code = "not_authenticated"


class Forbidden(DomainError):
    """It is known who is asking, and they may not."""

    code = "forbidden"


class NotFound(DomainError):
    """It is not there, or it belongs to somebody else."""

    code = "not_found"


class Conflict(DomainError):
    """The state that things are in does not allow it."""

    code = "conflict"


class PreconditionFailed(DomainError):
    """What the caller saw is not what stands now."""

    code = "precondition_failed"


class PreconditionRequired(DomainError):
    """The caller has to say what they saw."""

    code = "precondition_required"


class Invalid(DomainError):
    """It was understood, and breaks a rule.  `errors` nests the messages as marshmallow does."""

    code = "validation_error"

    def __init__(self, detail: str, *, errors: dict[str, Any] | None = None, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.errors = errors or {}


class TooManyRequests(DomainError):
    """It was asked too often; `retry_after` is the number of seconds to wait."""

    code = "too_many_requests"

    def __init__(self, detail: str, *, retry_after: int, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_after = retry_after


class Malformed(DomainError):
    """It could not be read at all."""

    code = "malformed_json"


class TooLarge(DomainError):
    """It is larger than this service reads."""

    code = "too_large"


class UnsupportedMediaType(DomainError):
    """It is not written in a format that this service reads."""

    code = "unsupported_media_type"
