"""What ties an answer, a history row and a log line together: the request's id, and where it came from."""

from __future__ import annotations

import re
from contextvars import ContextVar
from uuid import uuid4

_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
_current: ContextVar[str] = ContextVar("request_id", default="")
_address: ContextVar[str] = ContextVar("address", default="")


def begin(offered: str | None = None, *, address: str = "") -> str:
    """Take the id that was offered if it is a good one, else make one; return it.

    `address` is the client's; commands have none.
    """
    request_id = offered if offered and _ACCEPTED.fullmatch(offered) else str(uuid4())
    _current.set(request_id)
    _address.set(address)
    return request_id


def current_request_id() -> str:
    """The id of the request or command that is running; empty outside of one."""
    return _current.get()


def current_address() -> str:
    """The address of the client whose request is running; empty for a command."""
    return _address.get()
