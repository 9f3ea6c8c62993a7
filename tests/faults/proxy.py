"""A TCP proxy between the service and a server that it needs, which can be told to misbehave."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Literal, Self

Behaviour = Literal["pass", "refuse", "stall", "delay", "garble", "cut"]
"""`pass`: as if it were not there.  `refuse`: nobody listens, and what was open is gone.  `stall`: takes
connections and requests, and says nothing.  `delay`: every answer comes late.  `garble`: every answer is
nonsense.  `cut`: takes a request, passes it on, and ends the connection instead of answering; `cut_on`
names what such a request holds one of."""

_NONSENSE = bytes(range(255, -1, -1))


class Proxy:
    """Listens on a port of its own; `target` is a TCP address, or the path of a Unix socket."""

    def __init__(self, target: tuple[str, int] | str) -> None:
        self._target = target
        self._behaviour: Behaviour = "pass"
        self._changed = threading.Condition()
        self._open: set[socket.socket] = set()
        self._cut_off: set[socket.socket] = set()
        self._listener = self._listen(0)
        self.port: int = self._listener.getsockname()[1]
        self.delay_seconds = 2.0
        self.cut_on: tuple[bytes, ...] = (b"",)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.behave("refuse")

    def behave(self, behaviour: Behaviour) -> None:
        """Behave so from now on, on connections that stand as well."""
        with self._changed:
            before, self._behaviour = self._behaviour, behaviour
            self._changed.notify_all()
        if behaviour == "refuse" and before != "refuse":
            # A thread that waits in accept() keeps the socket alive; shutting it down ends the wait.
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            for connection in list(self._open):
                _end(connection)
        elif before == "refuse" and behaviour != "refuse":
            self._listener = self._listen(self.port)

    @contextlib.contextmanager
    def behaving(self, behaviour: Behaviour) -> Iterator[None]:
        """Behave so for a while."""
        self.behave(behaviour)
        try:
            yield
        finally:
            self.behave("pass")

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port), backlog=128)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        try:
            if isinstance(self._target, str):
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._target)
            else:
                server = socket.create_connection(self._target, 5)
                server.settimeout(None)
        except OSError:
            _end(client)
            return
        self._open |= {client, server}
        threading.Thread(target=self._pump, args=(client, server, True), daemon=True).start()
        self._pump(server, client, False)

    def _pump(self, source: socket.socket, sink: socket.socket, is_request: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                with self._changed:
                    self._changed.wait_for(lambda: self._behaviour != "stall")
                    behaviour = self._behaviour
                if behaviour == "refuse":
                    break
                if not is_request and behaviour == "delay":
                    time.sleep(self.delay_seconds)
                is_last = behaviour == "cut" and is_request and any(said in data for said in self.cut_on)
                if is_last:
                    self._cut_off.add(source)  # before the server can answer, which it may do at once
                if sink not in self._cut_off:
                    sink.sendall(_NONSENSE if behaviour == "garble" and not is_request else data)
                if is_last:
                    break
        for end in (source, sink):
            _end(end)
            self._open.discard(end)
            self._cut_off.discard(end)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
