"""The production server: `python serve.py`, or `make serve`.

It stands beside `orders_app`, and of it needs only what keeps the counters of ended workers.  The worker
processes load the application, each for itself, once the environment is as it must be: the metrics
library decides at import whether it counts for one process or for many, and a database connection must
never be shared by a fork.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from multiprocessing.connection import wait
from multiprocessing.synchronize import Semaphore
from pathlib import Path
from typing import TYPE_CHECKING, Any

from granian.constants import HTTPModes, Interfaces
from granian.errors import ConfigurationError
from granian.http import HTTP1Settings
from granian.server import MPServer
from granian.server.mp import WorkerProcess

from config import INSTANCE, KEY_FILES, Config
from safety import UnsafeConfiguration, check_admin_password, doubts

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

ROOT = Path(__file__).resolve().parent
APPLICATION = "wsgi:app"
THREADS = 4
STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}
# Requests under way get this long to finish after SIGTERM: longer than a statement may run, shorter
# than the patience of whoever sent the signal.
DRAIN_SECONDS = 15
# The server takes up to twice as much, depending on how it arrives; 64 kB of headers are too large for sure.
HEADER_BUFFER_BYTES = 32 * 1024
# A rolling restart waits so long for a new worker to load, and so much longer for it to listen.
LOAD_SECONDS = 60
TURN_SECONDS = 1.0
STOP_REPEATED_SECONDS = 0.1
HEADER_TIMEOUT_MILLISECONDS = 15_000


class Server(MPServer):
    """Granian, except in what it makes of signals and of killed workers, and in how workers take turns.

    By itself it takes two deaths of one worker within six seconds for a crash loop and ends the whole
    server, the healthy workers included.  That is right for an application that cannot start; a worker
    ended by a signal (out of memory, `kill -9`) is simply replaced, however often.

    And it may never hear a signal: Python runs handlers in the main thread only, which waits without
    end, and nothing wakes it where the system hands the signal to the thread that watches a worker.

    In a rolling restart (SIGHUP) it stops the old worker some seconds after it has started the new one,
    ready or not; here the old one serves until the new one has loaded the application.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.loaded = multiprocessing.Semaphore(0)
        self.is_reloading = False

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
            # Repeated, because the main loop may be clearing what it was woken by just now.
            super().signal_handler_interrupt()
            time.sleep(STOP_REPEATED_SECONDS)

    def _respawn_workers(self, workers: list[int], *args: Any, **kwargs: Any) -> None:
        for index in workers:
            if self.interrupt_signal:
                break  # told to stop in the middle of a rolling restart: the rest need not start anew
            while self.loaded.acquire(block=False):
                pass  # what was said by workers that started before
            crashed = (self.wrks[index].inner.exitcode or 0) > 0
            super()._respawn_workers([index], *args, **kwargs)
            if not crashed:
                # Neither a kill nor a rolling restart is the first turn of a crash loop.
                self.respawned_wrks.pop(index, None)
        keep_counters()

    def _spawn_worker(self, *args: Any, **kwargs: Any) -> WorkerProcess:
        worker = super()._spawn_worker(*args, **kwargs)
        start = worker.start
        replaces_one_that_serves = self.is_reloading

        def start_with_signals_held() -> None:
            # A new process inherits handlers that would swallow its signals: it lets them in itself.
            signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
            try:
                start()
            finally:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            if replaces_one_that_serves:
                self._wait_until_loaded(worker)

        worker.start = start_with_signals_held  # type: ignore[method-assign]  # of this one worker
        join = worker.join

        def join_until_noted(timeout: float | None = None) -> None:
            # Another thread waits too, and the system tells only one of them that the process has ended.
            join(timeout)
            if wait([worker.inner.sentinel], 0):
                deadline = time.monotonic() + TURN_SECONDS
                while worker.is_alive() and time.monotonic() < deadline:
                    time.sleep(0.001)

        worker.join = join_until_noted  # type: ignore[method-assign]
        return worker

    def _reload(self, *args: Any, **kwargs: Any) -> None:
        self.is_reloading = True
        try:
            super()._reload(*args, **kwargs)
        finally:
            self.is_reloading = False

    def _wait_until_loaded(self, worker: WorkerProcess) -> None:
        """Let the old worker serve until the new one can: on a busy machine that takes a while."""
        deadline = time.monotonic() + LOAD_SECONDS
        while not self.loaded.acquire(timeout=0.1):
            if self.interrupt_signal or not worker.is_alive() or time.monotonic() > deadline:
                return


def main(target: str = APPLICATION) -> int:
    """Serve until told to stop; the exit status is 0 after an orderly stop and 1 otherwise."""
    try:
        config = Config.from_env()
        config.check_serving()
        check_admin_password()
        config.make_folders()
        check_address(config)
    except UnsafeConfiguration as error:
        return refuse(str(error))
    except OSError as error:
        return refuse(f"A folder cannot be made: {error.strerror}: {error.filename}")
    for doubt in doubts(config.metrics_token, [INSTANCE / name for name in KEY_FILES.values()]):
        print(f"Warning: {doubt}", file=sys.stderr)
    # Workers inherit both: the metrics library and the application read them from the environment.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(config.prometheus_multiproc_dir)
    os.environ["WORKERS"] = str(config.workers)
    os.chdir(ROOT)
    lose_what_cannot_be_said()
    server = build(config, target)
    server.listen_for_signals()
    server.on_startup(lambda: empty_metrics(config.prometheus_multiproc_dir))
    server.on_startup(lambda: print(addresses(config), flush=True))
    with asked_to_stop_is_success(server):
        server.serve(target_loader=partial(load_application, port=config.port, loaded=server.loaded))
    return 0


def keep_counters() -> None:
    """Add up what workers that have ended counted.  Whatever may be wrong with that, serving goes on."""
    from orders_app.http.ended_processes import merge_ended

    try:
        merge_ended(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]))
    except Exception as error:  # noqa: BLE001  (reported, and tried again when the next worker ends)
        print(f"The counters of ended workers could not be added up: {error}", file=sys.stderr, flush=True)


def load_application(target: str, *, port: int, loaded: Semaphore) -> WSGIApplication:
    """Runs in each worker process, which loads everything anew: a rolling restart brings new code."""
    from orders_app.http.worker import load

    return load(target, port, loaded)


def lose_what_cannot_be_said() -> None:
    """Keep nothing of what standard output and error do not take, on a full disk for example.

    Python would keep it, and try again before each new process: no worker could be replaced then.
    """
    os.environ["PYTHONUNBUFFERED"] = "1"
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        raw = ForgetfulFile(descriptor, "wb", closefd=False)
        stream = io.TextIOWrapper(raw, "utf-8", "backslashreplace", write_through=True)
        setattr(sys, name, stream)


class ForgetfulFile(io.FileIO):
    """A file that takes whatever it is given, and loses what there is no room for."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError:
            return len(data)


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
        respawn_interval=TURN_SECONDS,
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
