"""What is sent, and what came of it; the generators that send it stand in `wrk.lua` and `fallback.py`.

wrk is used where it is on the PATH.  Both generators read one file that holds the finished bytes of every
request, and both end with one line of JSON, so that nothing here depends on which of them ran.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from config import ROOT

UNIQUE: Final = "@@@@@@@@@@"
"""Stands in a body for ten digits that no other request has."""
RESULT: Final = "RESULT "
"""What the line with the result begins with."""
TIMEOUT_SECONDS: Final = 5
BENCH_PYTHON: Final = ROOT / ".venv-bench/bin/python"


class Voided(Exception):
    """The figures of a run do not count, and why."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as it is sent; a body is JSON."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""

    def text(self, host: str) -> str:
        """The request on the wire, in HTTP/1.1."""
        head = [f"{self.method} {self.path} HTTP/1.1", f"Host: {host}"]
        head += [f"{name}: {value}" for name, value in self.headers]
        if self.body:
            head += ["Content-Type: application/json", f"Content-Length: {len(self.body.encode())}"]
        return "\r\n".join([*head, "", self.body])


@dataclass(frozen=True, slots=True)
class Group:
    """Requests of one kind, sent one after another; `weight` is how often beside the other kinds."""

    requests: Sequence[Request]
    weight: int = 1


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What one run of a generator saw; latencies in microseconds."""

    requests: int
    seconds: float
    received: int
    errors: dict[str, int]
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    @property
    def mean_bytes(self) -> float:
        """Bytes of an answer, headers included."""
        return self.received / max(self.requests, 1)

    def check(self) -> None:
        """Raise `Voided` where anything but good answers came."""
        found = {kind: number for kind, number in self.errors.items() if number}
        if found:
            raise Voided(f"errors under load: {found}")
        if not self.requests:
            raise Voided("no answers under load")


def parse(output: str) -> LoadResult:
    """The result in what a generator printed.  Raises `Voided` where there is none."""
    for line in output.splitlines():
        if line.startswith(RESULT):
            said = json.loads(line.removeprefix(RESULT))
            return LoadResult(
                requests=said["requests"],
                seconds=said["seconds"],
                received=said["bytes"],
                errors=said["errors"],
                p50=said["p50"],
                p99=said["p99"],
            )
    raise Voided(f"the load generator ended without a result: {output[-500:]}")


@cache
def generator() -> str:
    """Which generator is used: `wrk`, or `fallback` where that is not on the PATH."""
    return "wrk" if shutil.which("wrk") else "fallback"


def send(groups: Sequence[Group], port: int, *, connections: int, seconds: float, seed: int) -> LoadResult:
    """Send these requests over so many connections for so long.

    `seed` decides where each kind begins and which kind comes next; of two runs with different seeds none
    repeats the other's `UNIQUE`.  Raises `Voided` where no result came.
    """
    host = f"127.0.0.1:{port}"
    with tempfile.NamedTemporaryFile("w", suffix=".plan", encoding="utf-8", newline="") as file:
        file.write("\n".join([*_lines(groups, host), ""]))
        file.flush()
        done = subprocess.run(
            _command(file.name, host, connections, seconds, seed),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=seconds + 60,
            check=False,
        )
    return parse(done.stdout + done.stderr)


def _lines(groups: Sequence[Group], host: str) -> list[str]:
    """One line a request: the weight, then the request with its line ends written as `\\r\\n`."""
    return [
        f"{number}\t{group.weight}\t" + request.text(host).replace("\r\n", "\\r\\n")
        for number, group in enumerate(groups, 1)
        for request in group.requests
    ]


def _command(plan: str, host: str, connections: int, seconds: float, seed: int) -> list[str]:
    if generator() == "fallback":
        named = [f"{connections}", f"{seconds}", f"{seed}"]
        return [str(BENCH_PYTHON), "-m", "benchmarks.fallback", plan, host, *named]
    script = str(Path(__file__).with_name("wrk.lua"))
    # wrk counts whole seconds: the script is told when to stop counting, for the short runs.
    whole = max(round(seconds), 1)
    options = ["--threads", "1", "--connections", f"{connections}", "--duration", f"{whole}s"]
    options += ["--timeout", f"{TIMEOUT_SECONDS}s", "--script", script]
    return ["wrk", *options, f"http://{host}", "--", plan, f"{seed}"]
