"""Passwords: argon2id at rest, and a short memory of what was verified.

The parameters are OWASP's minimum for argon2id (19 MiB, two passes, one lane; Password Storage Cheat
Sheet).  A check still costs tens of milliseconds, which a client that sends Basic credentials would
pay on every request, so a success is remembered for at most half a minute, in this process only.  The
memory is keyed by a MAC over the name, the password *and the stored hash*: when the password changes
the key changes with it, and nothing has to be told to forget.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime, timedelta
from queue import SimpleQueue
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.low_level import ARGON2_VERSION

from orders_app.shared.clock import utcnow

REMEMBERED_SECONDS = 30
REMEMBERED_ENTRIES = 4096

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def _made_up_hash() -> str:
    """A hash that no password has, as long to check as any: to calculate one would hold up every start."""
    salt, digest = (
        b64encode(secrets.token_bytes(length)).decode().rstrip("=")
        for length in (_hasher.salt_len, _hasher.hash_len)
    )
    costs = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${costs}${salt}${digest}"


_NOBODYS_HASH = _made_up_hash()


class _OneAtATime:
    """Does one thing after the other, in a thread of its own that ends with the process.

    Hashing is what makes a flood of log-ins expensive; one at a time leaves the other threads to readers.
    And each thread that ever hashed would keep the 19 MiB that it took for that.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = 0
        self._asked: SimpleQueue[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = SimpleQueue()

    def __call__(self, function: Callable[..., Any], *args: Any) -> Any:
        self._start()
        answer: Future[Any] = Future()
        self._asked.put((answer, function, args))
        return answer.result()

    def _start(self) -> None:
        with self._lock:
            if self._process != os.getpid():  # a fork inherits no threads
                self._process = os.getpid()
                self._asked = SimpleQueue()
                threading.Thread(target=self._work, args=(self._asked,), name="argon2", daemon=True).start()

    @staticmethod
    def _work(asked: SimpleQueue[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]]) -> None:
        while True:
            answer, function, args = asked.get()
            try:
                answer.set_result(function(*args))
            except BaseException as error:  # noqa: BLE001  # whoever asked gets it
                answer.set_exception(error)


_one_at_a_time = _OneAtATime()


def hash_password(password: str) -> str:
    """The argon2id hash to store, with its parameters and salt (PHC string format)."""
    hashed: str = _one_at_a_time(_hasher.hash, password)
    return hashed


def verify_password(password_hash: str | None, password: str) -> bool:
    """Whether the password is right.  Without a hash it takes as long and says no."""
    try:
        _one_at_a_time(_hasher.verify, password_hash or _NOBODYS_HASH, password)
    except (Argon2Error, InvalidHashError):
        return False
    return password_hash is not None


class VerifiedPasswords:
    """A bounded memory of credentials that were verified a moment ago."""

    def __init__(self, seconds: float = REMEMBERED_SECONDS, entries: int = REMEMBERED_ENTRIES) -> None:
        self._lifetime = timedelta(seconds=seconds)
        self._entries = entries
        self._key = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, datetime] = OrderedDict()
        self._lock = threading.Lock()

    def remembers(self, username: str, password_hash: str | None, password: str) -> datetime | None:
        """Until when this is remembered, if it was verified a moment ago; costs no hash."""
        digest = self._digest(username, password_hash or "", password)
        with self._lock:
            until = self._known.get(digest)
        return until if until is not None and utcnow() < until <= utcnow() + self._lifetime else None

    def verify(self, username: str, password_hash: str | None, password: str) -> bool:
        """Like `verify_password`, but quick for what was right a moment ago."""
        if self.remembers(username, password_hash, password) is not None:
            return True
        now = utcnow()
        if not verify_password(password_hash, password):
            return False
        digest = self._digest(username, password_hash or "", password)
        with self._lock:
            self._known[digest] = now + self._lifetime
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
