"""An orderly end of a worker process: every request that got in is answered before it goes.

Left to itself the HTTP server closes its door and all idle connections the moment SIGTERM arrives.  A
client whose connection was just accepted, or who is sending the next request on one that was kept
open, finds it closed without an answer.  So the signal first turns new connections away, lets what is
under way come in and be answered, with `Connection: close`, and only then stops the server.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from granian import _signals

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    SignalHandler = Callable[[int, Any], Any]

PAUSE_SECONDS = 0.5
"""How long a request may be on its way once its connection stands, or since the last one on it."""

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_SO_ATTACH_FILTER = 26
_DROP_SYN = b"".join(
    struct.pack("HBBI", *instruction)
    for instruction in (
        (0x30, 0, 0, 13),  # load the flags of the TCP header
        (0x45, 0, 1, 0x02),  # if SYN is not among them, skip the next instruction
        (0x06, 0, 0, 0),  # keep nothing of the packet
        (0x06, 0, 0, 0xFFFF_FFFF),  # keep all of it
    )
)
"""A packet filter that drops what opens a connection and passes the rest, handshakes under way included."""


class Draining:
    """Middleware that ends kept-open connections once the worker has been told to stop."""

    def __init__(self, application: WSGIApplication, port: int) -> None:
        self._application = application
        self._port = port
        self._stopping = False

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def respond(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            if self._stopping:
                headers = [*headers, ("Connection", "close")]
            return start_response(status, headers, *rest)

        return self._application(environ, respond)

    def take_over_signals(self) -> None:
        """Come before the server's own signal handlers, which it sets after it has loaded the application."""
        set_signals = _signals.set_sync_signals

        def set_and_take_over() -> Any:
            event = set_signals()
            stop = signal.getsignal(signal.SIGTERM)
            if callable(stop):
                self._listen(stop)
            return event

        _signals.set_sync_signals = set_and_take_over

    def _listen(self, stop: SignalHandler) -> None:
        """Have signals wake a thread of ours, which ends the worker in good order.

        Python runs a handler in the main thread only, and nothing wakes that one where the system hands
        the signal to another thread, as it may under load: the worker would go on for ever.  The byte
        that every signal writes to this pipe arrives whichever thread was interrupted.  And the server's
        handler takes a lock, so it must run once only, although two signals come within a millisecond:
        the process group's and the parent's own.
        """
        inbox, outbox = os.pipe()
        os.set_blocking(outbox, False)
        signal.set_wakeup_fd(outbox, warn_on_full_buffer=False)
        for number in STOP_SIGNALS:
            signal.signal(number, lambda *_: None)
        threading.Thread(target=self._wait_and_drain, args=(inbox, stop), daemon=True).start()
        threading.Thread(target=stop_with_parent, daemon=True).start()

    def _wait_and_drain(self, inbox: int, stop: SignalHandler) -> None:
        while os.read(inbox, 1)[0] not in STOP_SIGNALS:
            pass
        self._stopping = True
        turn_connections_away(self._port)
        time.sleep(PAUSE_SECONDS)
        stop(signal.SIGTERM, None)


def stop_with_parent() -> None:
    """Stop this process when its parent is gone, killed perhaps: a worker alone would hold on to the port."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def turn_connections_away(port: int) -> None:
    """Let nobody connect any more, without losing the connections that wait to be accepted.

    Closing a listening socket resets what is queued on it.  A packet filter on it drops only what is
    new: the client's system tries again a second later and is refused then, as by a stopped server.
    Other systems than Linux know no such filter; there the door closes with the server.
    """
    if not sys.platform.startswith("linux"):
        return
    instructions = ctypes.create_string_buffer(_DROP_SYN)
    program = struct.pack("HP", len(_DROP_SYN) // 8, ctypes.addressof(instructions))
    for entry in Path("/proc/self/fd").iterdir():
        # What is no socket, or was closed meanwhile, refuses; so does a system that forbids filters.
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(int(entry.name))) as candidate:
            listening = candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            if listening and candidate.getsockname()[1] == port:
                candidate.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
