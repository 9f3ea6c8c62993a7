"""The request id that ties an answer, a history row and a log line together."""

from __future__ import annotations

import re
from contextvars import ContextVar
from uuid import uuid4

_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
_current: ContextVar[str] = ContextVar("request_id", default="")


def begin(offered: str | None = None) -> str:
    """Take the id that was offered if it is a good one, else make one; return it."""
    request_id = offered if offered and _ACCEPTED.fullmatch(offered) else str(uuid4())
    _current.set(request_id)
    return request_id


def current_request_id() -> str:
    """The id of the request or command that is running; empty outside of one."""
    return _current.get()
