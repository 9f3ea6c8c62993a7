"""Runs commands of the service, and sees how much memory they took at most."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it has no types, and little is used of it

from config import ROOT
from tests.server.processes import ServerProcess

LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command went; `first` is when its first byte came."""

    status: int
    seconds: float
    first: float
    peak: int
    lines: int
    last: str


def run(server: ServerProcess, *command: str) -> Ran:
    """Run `flask --app wsgi …` with the settings of a server; only the last line it prints is kept."""
    began = time.perf_counter()
    with (server.folder / "command-errors").open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "wsgi", *command],
            cwd=ROOT,
            env=server.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    assert process.stdout is not None
    first, lines, last = 0.0, 0, b""
    with ThreadPoolExecutor(1) as pool:
        peak = pool.submit(_peak, process)
        while data := os.read(process.stdout.fileno(), 1 << 20):
            first = first or time.perf_counter() - began
            lines += data.count(b"\n")
            last = (last + data)[-4096:]
        status = process.wait()
        seconds = time.perf_counter() - began
        said = last.decode(errors="replace").rstrip().rpartition("\n")[2]
        return Ran(status, seconds, first, peak.result(), lines, said)


def _peak(process: subprocess.Popen[bytes]) -> int:
    """The most that was resident while it ran, of looks at short intervals.

    What the system itself says at the end counts this process in, from which the other one was forked.
    """
    watched, peak = psutil.Process(process.pid), 0
    with contextlib.suppress(psutil.Error):
        while process.poll() is None:
            peak = max(peak, watched.memory_info().rss)
            time.sleep(LOOK_SECONDS)
    return peak


def checked(ran: Ran, is_right: Callable[[Ran], bool], folder: Path) -> Ran:
    """The same; raises `RuntimeError` where the command did not do what it was to do."""
    if ran.status or not is_right(ran):
        errors = (folder / "command-errors").read_text(errors="replace")[-1000:]
        raise RuntimeError(f"a command ended with {ran.status} and {ran.last!r}: {errors}")
    return ran
