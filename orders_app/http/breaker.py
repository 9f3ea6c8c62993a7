"""What keeps a server that is gone from slowing every request."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Breaker:
    """Closed while all is well.  A failure opens it for a while; then one caller may try again.

    Several threads use it at once.  Who is let try reports how it went: `trip` or `close`.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._try_again_at: float | None = None
        self._is_tried = False
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        return self._try_again_at is not None

    def trip(self) -> bool:
        """Open, for a while from now on; whether it was closed before."""
        with self._lock:
            was_closed = self._try_again_at is None
            self._try_again_at = self._clock() + self._seconds
            self._is_tried = False
            return was_closed

    def close(self) -> bool:
        """All is well again; whether it was open before."""
        with self._lock:
            was_open = self._try_again_at is not None
            self._try_again_at = None
            self._is_tried = False
            return was_open

    def may_try(self) -> bool:
        """Whether the caller is the one who tries again: the while is over, and nobody else does."""
        with self._lock:
            if self._try_again_at is None or self._is_tried or self._clock() < self._try_again_at:
                return False
            self._is_tried = True
            return True
