"""A worker process before it serves: what it keeps of memory, which signals it obeys, and the application."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import signal
import sys
from collections.abc import Iterator
from multiprocessing.synchronize import Semaphore
from typing import TYPE_CHECKING, Any

from granian._internal import load_target

from orders_app.http.draining import STOP_SIGNALS, Draining

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8

LARGE_BLOCK_BYTES = 1024 * 1024
KEPT_BYTES = 2 * LARGE_BLOCK_BYTES
ARENAS = 2


def load(target: str, port: int, loaded: Semaphore) -> WSGIApplication:
    """The application, made to finish its requests before it stops; `loaded` is released once it is there."""
    give_large_blocks_back()
    # Until the application is there, nothing has to be finished: a signal simply ends the process.
    signal.set_wakeup_fd(-1)  # the parent's, which is not to hear of signals to this process
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    with to_stay():
        application: Any = load_target(target)
    count_start()
    application = Draining(application, port)
    application.take_over_signals()
    loaded.release()
    return application


def count_start() -> None:
    """Count this worker.  The metrics are imported here, once the application has been."""
    from orders_app.http.metrics import WORKER_STARTS

    WORKER_STARTS.inc()


def give_large_blocks_back() -> None:
    """Have glibc return large blocks to the system as soon as they are freed, as other C libraries do.

    By itself it takes the largest block that was ever freed for usual, and keeps twice as much.  The 19 MiB
    of one password check would stay for good.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)
        mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES)
        mallopt(_M_ARENA_MAX, ARENAS)


@contextlib.contextmanager
def to_stay() -> Iterator[None]:
    """Spare the garbage collector what stays until the end: it looks through that neither now nor later."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
