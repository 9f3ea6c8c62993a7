"""What makes two requests the same one.  Standard library only."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import timedelta
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from typing import Any, Final
from uuid import UUID

LIFETIME: Final = timedelta(hours=24)
LONGEST_KEY: Final = 255
# The default context would round what it normalises to 28 digits.
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sending of a request that carries a key.

    `scope` is equal for attempts at the same thing, `fingerprint` for those that also say the same.
    """

    scope: bytes
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it was given the first time."""

    status: int
    headers: dict[str, str]
    body: bytes


def checked_key(text: str) -> str:
    """The key if it is one.  Raises `ValueError` with a sentence for a person."""
    if not text:
        raise ValueError("Must not be empty.")
    if len(text) > LONGEST_KEY:
        raise ValueError(f"Longer than {LONGEST_KEY} characters.")
    if not (text.isascii() and text.isprintable()):
        raise ValueError("Only printable ASCII characters are allowed.")
    return text


def scope_of(*, user_id: UUID, method: str, path: str, key: str) -> bytes:
    """A digest over who asks for what under which key; paths count without their trailing slash."""
    # None of the parts can hold a line break, so no two different lists of them read the same.
    return hashlib.sha256("\n".join([user_id.hex, method, path.rstrip("/"), key]).encode()).digest()


def fingerprint_of(secret: str, *body: Any) -> bytes:
    """A MAC over a body's meaning, not its spelling: key order, white space and `1.50` or `1.5` are one.

    Without a body, over nothing.  It is keyed, since a body may hold a password, which a plain digest would
    let anybody who reads it guess at leisure.
    """
    key = hashlib.sha256(b"orders.idempotency\0" + secret.encode()).digest()
    parts = [json.dumps(value, sort_keys=True, separators=(",", ":"), default=_exact) for value in body]
    return hmac.digest(key, "".join(parts).encode(), "sha256")


def _exact(value: Decimal) -> str:
    return str(value.normalize(_EXACT))
