"""Starts the peers, each on the server that it is fastest on; they run in an environment of their own."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import jwt
from psycopg.conninfo import conninfo_to_dict

from benchmarks.arena import WORKERS, Arena, plain, with_driver
from benchmarks.contenders import Contender
from benchmarks.dataset import USERS
from benchmarks.load import BENCH_PYTHON
from benchmarks.ours import service_database
from benchmarks.peer_filling import fill_peer
from config import ROOT
from serve import HEADER_BUFFER_BYTES, HEADER_TIMEOUT_MILLISECONDS, THREADS
from tests.servers import free_port, wait_until

SECRET: Final = secrets.token_hex(32)
START_SECONDS: Final = 60
TOKEN_SECONDS: Final = 10 * 3600


_QUIET: Final = ["--no-ws", "--no-access-log", "--workers", f"{WORKERS}", "--http", "1", "--port", "{port}"]
GRANIAN_WSGI: Final = [
    *("granian", "--interface", "wsgi", "--blocking-threads", f"{THREADS}"),
    *("--http1-header-read-timeout", f"{HEADER_TIMEOUT_MILLISECONDS}"),
    *("--http1-buffer-size", f"{HEADER_BUFFER_BYTES}"),
    *_QUIET,
]
"""As `serve.py` sets it up."""
GRANIAN_ASGI: Final = ["granian", "--interface", "asgi", "--loop", "uvloop", *_QUIET]
GUNICORN: Final = [
    *("gunicorn", "--workers", f"{WORKERS}", "--worker-class", "gthread", "--threads", f"{THREADS}"),
    *("--reuse-port", "--bind", "127.0.0.1:{port}"),
]


def empty(arena: Arena) -> Contender:
    """A view that does nothing, on the same server as the service and with the same settings."""
    return _start(arena, "empty", [*GRANIAN_WSGI, "benchmarks.peers.empty:app"])


def fastapi(arena: Arena, name: str, *, cached: bool = False) -> Contender:
    """FastAPI with SQLAlchemy and asyncpg; Granian answered more than uvicorn did, cached and uncached."""
    url = with_driver(_database(arena), "asyncpg")
    command = [*GRANIAN_ASGI, "benchmarks.peers.fastapi_app:app"]
    return _start(arena, name, command, DATABASE_URL=url, **_cache(arena, cached=cached))


def drf(arena: Arena, name: str, *, cached: bool = False) -> Contender:
    """Django REST framework; with the cache gunicorn answered more than Granian, without it Granian did."""
    where = conninfo_to_dict(plain(_database(arena)))
    settings = {"DATABASE_NAME": f"{where['dbname']}", "DATABASE_HOST": f"{where['host']}"}
    command = [*(GUNICORN if cached else GRANIAN_WSGI), "benchmarks.peers.drf.wsgi:app"]
    return _start(arena, name, command, **settings, **_cache(arena, cached=cached))


def psycopg(arena: Arena, name: str, application: str) -> Contender:
    """psycopg and nothing else, on a database of the service's."""
    url = plain(service_database(arena))
    command = [*GRANIAN_WSGI, f"benchmarks.peers.bare_psycopg:{application}"]
    return _start(arena, name, command, DATABASE_URL=url)


def _database(arena: Arena) -> str:
    return arena.database("peers", lambda url: fill_peer(url, arena.dataset.orders))


def _cache(arena: Arena, *, cached: bool) -> dict[str, str]:
    return {"REDIS_URL": arena.redis_url()} if cached else {}


def _start(arena: Arena, name: str, command: list[str], **settings: str) -> Contender:
    port = free_port()
    words = [word.replace("{port}", f"{port}") for word in command]
    process = arena.stack.enter_context(_running(arena.folder / name, port, words, settings))
    bearers = {user.name: f"Bearer {_token(str(user.user_id))}" for user in USERS}
    return Contender(name, port, process, bearers, settings.get("DATABASE_URL", ""))


def _token(user_id: str) -> str:
    now = int(time.time())
    # As simplejwt and FastAPI's tutorial make theirs: whose it is, and until when it is good.
    claims = {"sub": user_id, "user_id": user_id, "token_type": "access", "jti": "0" * 32}
    return jwt.encode({**claims, "iat": now, "exp": now + TOKEN_SECONDS}, SECRET, "HS256")


@contextlib.contextmanager
def _running(
    folder: Path, port: int, command: list[str], settings: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    folder.mkdir()
    output = folder / "output"
    scripts = BENCH_PYTHON.parent
    environment = {"PATH": f"{scripts}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "JWT_SECRET": SECRET}
    with output.open("wb") as file:
        process = subprocess.Popen(
            [str(scripts / command[0]), *command[1:]],
            cwd=folder,
            env={**environment, **settings},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )

    def listens() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"{command[0]} ended: {output.read_text(errors='replace')[-2000:]}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    try:
        wait_until(listens, what=command[0], seconds=START_SECONDS)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
