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

from benchmarks.arena import WORKERS, Arena
from benchmarks.contenders import Contender
from benchmarks.dataset import USERS
from benchmarks.load import BENCH_PYTHON
from config import ROOT
from serve import HEADER_BUFFER_BYTES, HEADER_TIMEOUT_MILLISECONDS, THREADS
from tests.servers import free_port, wait_until

SECRET: Final = secrets.token_hex(32)
START_SECONDS: Final = 60
TOKEN_SECONDS: Final = 10 * 3600


def empty(arena: Arena) -> Contender:
    """A view that does nothing, on the same server as the service and with the same settings."""
    return _start(arena, "empty", _granian_wsgi("benchmarks.peers.empty:app"))


def _granian_wsgi(target: str) -> list[str]:
    """As `serve.py` sets it up."""
    options = {
        "interface": "wsgi",
        "workers": WORKERS,
        "blocking-threads": THREADS,
        "http": "1",
        "http1-header-read-timeout": HEADER_TIMEOUT_MILLISECONDS,
        "http1-buffer-size": HEADER_BUFFER_BYTES,
    }
    words = [word for name, value in options.items() for word in (f"--{name}", f"{value}")]
    return ["granian", *words, "--no-ws", "--no-access-log", "--port", "{port}", target]


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
