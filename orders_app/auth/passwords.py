"""Passwords: argon2id at rest, and a short memory of what was verified.

The parameters are OWASP's minimum for argon2id (19 MiB, two passes, one lane; Password Storage Cheat
Sheet).  A check still costs tens of milliseconds, which a client that sends Basic credentials would
pay on every request, so a success is remembered for at most half a minute, in this process only.  The
memory is keyed by a MAC over the name, the password *and the stored hash*: when the password changes
the key changes with it, and nothing has to be told to forget.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

REMEMBERED_SECONDS = 30
REMEMBERED_ENTRIES = 4096

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_DUMMY_HASH = _hasher.hash(secrets.token_urlsafe(32))
# Hashing is what makes a flood of log-ins expensive; one at a time leaves the other threads to readers.
_one_at_a_time = threading.Lock()


def hash_password(password: str) -> str:
    """The argon2id hash to store, with its parameters and salt (PHC string format)."""
    return _hasher.hash(password)


def verify_password(password_hash: str | None, password: str) -> bool:
    """Whether the password is right.  Without a hash it takes as long and says no."""
    with _one_at_a_time:
        try:
            _hasher.verify(password_hash or _DUMMY_HASH, password)
        except (Argon2Error, InvalidHashError):
            return False
    return password_hash is not None


class VerifiedPasswords:
    """A bounded memory of credentials that were verified a moment ago."""

    def __init__(self, seconds: float = REMEMBERED_SECONDS, entries: int = REMEMBERED_ENTRIES) -> None:
        self._seconds = seconds
        self._entries = entries
        self._key = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, float] = OrderedDict()
        self._lock = threading.Lock()

    def remembers(self, username: str, password_hash: str | None, password: str) -> bool:
        """Whether this was verified a moment ago; costs no hash."""
        digest = self._digest(username, password_hash or "", password)
        with self._lock:
            return self._known.get(digest, 0.0) > time.monotonic()

    def verify(self, username: str, password_hash: str | None, password: str) -> bool:
        """Like `verify_password`, but quick for what was right a moment ago."""
        if self.remembers(username, password_hash, password):
            return True
        now = time.monotonic()
        if not verify_password(password_hash, password):
            return False
        digest = self._digest(username, password_hash or "", password)
        with self._lock:
            self._known[digest] = now + self._seconds
            self._known.move_to_end(digest)
            while len(self._known) > self._entries:
                self._known.popitem(last=False)
        return True

    def _digest(self, *parts: str) -> bytes:
        mac = hashlib.blake2b(key=self._key, digest_size=32)
        for part in parts:
            data = part.encode("utf-8", "surrogatepass")
            mac.update(len(data).to_bytes(8, "big") + data)
        return mac.digest()
