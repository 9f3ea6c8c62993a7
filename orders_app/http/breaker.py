"""What keeps a server that is gone from slowing every request."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LONGEST_TRY_SECONDS = 30.0
"""Longer than any attempt takes."""


class Breaker:
    """Closed while all is well.  A failure opens it for a while; then one caller may try again.

    Several threads use it at once.  Who is let try reports how it went: `trip` or `close`.  Of whom
    nothing is heard for long, another one takes the place.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._try_again_at: float | None = None
        self._tried_until = 0.0
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        return self._try_again_at is not None

    def trip(self) -> bool:
        """Open, for a while from now on; whether it was closed before."""
        with self._lock:
            was_closed = self._try_again_at is None
            self._try_again_at = self._clock() + self._seconds
            self._tried_until = 0.0
            return was_closed

    def close(self) -> bool:
        """All is well again; whether it was open before."""
        with self._lock:
            was_open = self._try_again_at is not None
            self._try_again_at = None
            self._tried_until = 0.0
            return was_open

    def may_try(self) -> bool:
        """Whether the caller is the one who tries again: the while is over, and nobody else does."""
        with self._lock:
            now = self._clock()
            if self._try_again_at is None or now < max(self._try_again_at, self._tried_until):
                return False
            self._tried_until = now + LONGEST_TRY_SECONDS
            return True
