"""A load generator for where wrk is not on the PATH: asyncio on uvloop, answers read by httptools.

PyPI has no maintained build of wrk, and the generators written in Python are slower than this.  It leaves
less of the processor to the servers than wrk does, so figures made with it compare with each other only.  It
runs in the environment of the peers, reads the same plan as `wrk.lua` and ends with the same line.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import httptools
import uvloop

UNIQUE = b"@@@@@@@@@@"
TIMEOUT_SECONDS = 5


class Traffic:
    """The requests of a plan, one after another without end."""

    def __init__(self, plan: Path, seed: int) -> None:
        self._chance = random.Random(seed)
        self._counter = seed * 1_000_000
        groups: dict[str, tuple[int, list[bytes]]] = {}
        for line in plan.read_bytes().splitlines():
            group, weight, text = line.split(b"\t", 2)
            requests = groups.setdefault(group.decode(), (int(weight), []))[1]
            requests.append(text.replace(b"\\r\\n", b"\r\n"))
        self._wheel = [kind for weight, requests in groups.values() for kind in [self._of(requests)] * weight]

    def _of(self, requests: list[bytes]) -> Iterator[bytes]:
        number = self._chance.randrange(len(requests))
        unique = UNIQUE in requests[0]
        while True:
            number = (number + 1) % len(requests)
            text = requests[number]
            if unique:
                self._counter += 1
                text = text.replace(UNIQUE, b"%010d" % self._counter)
            yield text

    def __next__(self) -> bytes:
        return next(self._wheel[0] if len(self._wheel) == 1 else self._chance.choice(self._wheel))


class Count:
    """What came of it; latencies in microseconds."""

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.received = 0
        self.errors = Counter(dict.fromkeys(("status", "connect", "read", "write", "timeout"), 0))

    def line(self, seconds: float) -> str:
        """The result as `load.parse` reads it."""
        ordered = sorted(self.latencies) or [0.0]
        said = {
            "requests": len(self.latencies),
            "seconds": seconds,
            "bytes": self.received,
            "p50": ordered[len(ordered) // 2],
            "p99": ordered[len(ordered) * 99 // 100],
            "errors": self.errors,
        }
        return "RESULT " + json.dumps(said)


class Connection(asyncio.Protocol):
    """One connection: the next request goes out as soon as the last answer is whole."""

    def __init__(self, traffic: Traffic, count: Count) -> None:
        self._traffic = traffic
        self._count = count
        self._transport: asyncio.WriteTransport | None = None
        self.sent_at = 0.0
        self.is_over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        self._send()

    def _send(self) -> None:
        assert self._transport is not None
        self._parser = httptools.HttpResponseParser(self)
        self.sent_at = time.perf_counter()
        self._transport.write(next(self._traffic))

    def data_received(self, data: bytes) -> None:
        self._count.received += len(data)
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        if self.is_over:
            return
        self._count.latencies.append((time.perf_counter() - self.sent_at) * 1e6)
        if not 200 <= self._parser.get_status_code() < 400:
            self._count.errors["status"] += 1
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.is_over:
            self._count.errors["read"] += 1

    def close(self) -> None:
        """End it; an answer that took too long by now counts as an error."""
        self.is_over = True
        if time.perf_counter() - self.sent_at > TIMEOUT_SECONDS:
            self._count.errors["timeout"] += 1
        if self._transport is not None:
            self._transport.close()


async def main(plan: str, host: str, connections: str, seconds: str, seed: str) -> None:
    """Send, and print what came of it."""
    traffic, count = Traffic(Path(plan), int(seed)), Count()
    address, _, port = host.partition(":")
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    opened = []
    for _ in range(int(connections)):
        try:
            made = await loop.create_connection(lambda: Connection(traffic, count), address, int(port))
        except OSError:
            count.errors["connect"] += 1
        else:
            opened.append(made[1])
    await asyncio.sleep(float(seconds))
    passed = time.perf_counter() - began
    for connection in opened:
        connection.close()
    print(count.line(passed))


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
