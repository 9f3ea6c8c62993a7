"""Cursors: where a client stopped reading, in a form that it can only hand back.

A cursor is signed, so that nobody can make the database look somewhere else, and bound to the ordering
and filters it was made under: with others it would skip orders or show them twice.
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from flask import current_app
from itsdangerous import BadData, URLSafeSerializer

from orders_app.shared.errors import Malformed

LONGEST_CURSOR = 1024


def seal(place: list[Any], bound_to: dict[str, Any]) -> str:
    """A cursor for this place (plain JSON values) in the list that `bound_to` describes."""
    return str(_serializer().dumps([_digest(bound_to), *place]))


def unseal(cursor: str, bound_to: dict[str, Any]) -> list[Any]:
    """The place in a cursor.  Raises `Malformed` for one that was not made here, or for another list."""
    try:
        digest, *place = _serializer().loads(cursor[: LONGEST_CURSOR + 1])
    except (BadData, ValueError, TypeError):
        raise Malformed(
            "This cursor cannot be read; begin anew with an empty one.", code="malformed_cursor"
        ) from None
    if digest != _digest(bound_to):
        raise Malformed(
            "This cursor belongs to a list with another ordering or other filters.", code="foreign_cursor"
        )
    return place


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(
        current_app.secret_key or "",
        salt="orders.cursor",
        signer_kwargs={"digest_method": hashlib.sha256},
    )


def _digest(bound_to: dict[str, Any]) -> str:
    canonical = orjson.dumps(bound_to, option=orjson.OPT_SORT_KEYS, default=str)
    return hashlib.sha256(canonical).hexdigest()[:16]
