"""Ctrl-C and SIGTERM: at once where nothing was changed yet, after the unit of work where it was."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruptible:
    """While it lasts, signals raise `KeyboardInterrupt`; once `deferred`, the first one is only noted."""

    def __init__(self) -> None:
        self.deferred = False
        self.requested = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._handle) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if not self.deferred or self.requested:
            raise KeyboardInterrupt
        self.requested = True
