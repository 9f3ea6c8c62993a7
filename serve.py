"""The production server: `python serve.py`, or `make serve`.

It stands beside `orders_app` and imports nothing of it.  The worker processes load the application,
each for itself, once the environment is as it must be: the metrics library decides at import whether
it counts for one process or for many, and a database connection must never be shared by a fork.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from granian.constants import HTTPModes, Interfaces
from granian.errors import ConfigurationError
from granian.http import HTTP1Settings
from granian.server import MPServer

from config import Config, UnsafeConfiguration

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

ROOT = Path(__file__).resolve().parent
APPLICATION = "wsgi:app"
THREADS = 4
# Requests under way get this long to finish after SIGTERM: longer than a statement may run, shorter
# than the patience of whoever sent the signal.
DRAIN_SECONDS = 15
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
STOP_REPEATED_SECONDS = 0.1
HEADER_BUFFER_BYTES = 64 * 1024
HEADER_TIMEOUT_MILLISECONDS = 15_000


class Server(MPServer):
    """Granian, except in what it makes of signals and of a worker that was killed.

    By itself it takes two deaths of one worker within six seconds for a crash loop and ends the whole
    server, the healthy workers included.  That is right for an application that cannot start; a worker
    ended by a signal (out of memory, `kill -9`) is simply replaced, however often.

    And it may never hear a signal: Python runs handlers in the main thread only, which waits without
    end, and nothing wakes it where the system hands the signal to the thread that watches a worker.
    """

    def listen_for_signals(self) -> None:
        """Have signals wake a thread of ours: the byte that each writes arrives whoever was interrupted."""
        inbox, outbox = os.pipe()
        os.set_blocking(outbox, False)
        signal.set_wakeup_fd(outbox, warn_on_full_buffer=False)
        threading.Thread(target=self._hear, args=(inbox,), daemon=True).start()

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: the thread does it, and two who take the lock of one event could wait for each other."""

    def signal_handler_reload(self, *args: Any, **kwargs: Any) -> None:
        """Nothing, as above."""

    def _hear(self, inbox: int) -> None:
        while (number := os.read(inbox, 1)[0]) not in STOP_SIGNALS:
            if number == signal.SIGHUP:
                super().signal_handler_reload()
        while True:
            # Again and again: the main loop may be clearing what it was woken by just now.
            super().signal_handler_interrupt()
            time.sleep(STOP_REPEATED_SECONDS)

    def _respawn_workers(self, workers: list[int], *args: Any, **kwargs: Any) -> None:
        killed = [index for index in workers if (self.wrks[index].inner.exitcode or 0) < 0]
        super()._respawn_workers(workers, *args, **kwargs)
        for index in killed:
            self.respawned_wrks.pop(index, None)


def main(target: str = APPLICATION) -> int:
    """Serve until told to stop; the exit status is 0 after an orderly stop and 1 otherwise."""
    try:
        config = Config.from_env()
        config.check_keys()
        config.make_folders()
        check_address(config)
    except UnsafeConfiguration as error:
        return refuse(str(error))
    except OSError as error:
        return refuse(f"A folder cannot be made: {error.strerror}: {error.filename}")
    # Workers inherit both: the metrics library and the application read them from the environment.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(config.prometheus_multiproc_dir)
    os.environ["WORKERS"] = str(config.workers)
    os.chdir(ROOT)
    let_loading_workers_stop()
    server = build(config, target)
    server.listen_for_signals()
    server.on_startup(lambda: empty_metrics(config.prometheus_multiproc_dir))
    server.on_startup(lambda: print(addresses(config), flush=True))
    with asked_to_stop_is_success(server):
        server.serve(target_loader=partial(load_application, port=config.port))
    return 0


def load_application(target: str, *, port: int) -> WSGIApplication:
    """Runs in each worker process: the application, made to finish its requests before it stops."""
    from granian._internal import load_target

    from orders_app.http.draining import Draining

    loaded: Any = load_target(target)
    application = Draining(loaded, port)
    application.take_over_signals()
    return application


def let_loading_workers_stop() -> None:
    """Let a worker that is still loading the application end at SIGTERM, as it has nothing to finish.

    A forked process inherits the handlers of its parent, which would only note the signal in the copy of
    a server that nobody runs; the worker would then serve on until it is killed, requests and all.  So
    the signals are held back while a process is forked, and the new one takes them as a new one does.
    """

    def hold() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)

    def let_through() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def forget_handlers() -> None:
        signal.set_wakeup_fd(-1)
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        let_through()

    os.register_at_fork(before=hold, after_in_parent=let_through, after_in_child=forget_handlers)


def build(config: Config, target: str = APPLICATION) -> Server:
    """The server for these settings, not yet listening."""
    return Server(
        target,
        address=config.host.strip("[]"),
        port=config.port,
        interface=Interfaces.WSGI,
        workers=config.workers,
        blocking_threads=THREADS,
        http=HTTPModes.http1,
        websockets=False,
        http1_settings=HTTP1Settings(
            header_read_timeout=HEADER_TIMEOUT_MILLISECONDS, max_buffer_size=HEADER_BUFFER_BYTES
        ),
        respawn_failed_workers=True,
        workers_kill_timeout=DRAIN_SECONDS,
        log_access=False,
    )


@contextlib.contextmanager
def asked_to_stop_is_success(server: Server) -> Iterator[None]:
    """Exit with 0 after SIGTERM or SIGINT, even where the workers got the signal first.

    A signal to the whole process group reaches the workers too; Granian then counts them as lost and
    reports failure, although all of them finished their requests.
    """
    try:
        yield
    except SystemExit:
        if not server.interrupt_signal:
            raise
    except ConfigurationError as error:
        raise SystemExit(refuse(str(error))) from error


def check_address(config: Config) -> None:
    """Refuse an address that is taken.

    The workers share their port by SO_REUSEPORT, so the system would let a second server join the
    first one unnoticed, and hand requests to either.  A socket without that option tells.
    """
    host = config.host.strip("[]")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, config.port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror:
        raise UnsafeConfiguration(f"HOST is no address of this machine: {config.host!r}.") from None
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise UnsafeConfiguration(
                f"Cannot listen on {config.host} port {config.port}: {error.strerror}. "
                "Stop what uses it, or choose another one: PORT=8001 make run (or make serve)."
            ) from None


def empty_metrics(folder: Path) -> None:
    """Remove the counters of the last run: they belong to processes that are gone."""
    for file in folder.glob("*.db"):
        file.unlink(missing_ok=True)


def addresses(config: Config) -> str:
    """What to open, for whoever started the server."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "[::]": "[::1]"}.get(config.host, config.host)  # noqa: S104  (compared, not bound)
    base = f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{config.port}"
    pages = {"API": "/api/v1/orders/", "Swagger UI": "/swagger/", "Panel": "/admin/", "Metrics": "/metrics/"}
    return "\n".join(["", *(f"  {name + ':':<12} {base}{path}" for name, path in pages.items()), ""])


def refuse(reason: str) -> int:
    """Say why the server does not start, and return the exit status."""
    print(f"The server cannot start. {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
