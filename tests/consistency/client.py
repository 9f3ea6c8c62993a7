"""A client: cheap, kept-open connections, and every request in the log with what is known of it."""

from __future__ import annotations

import http.client
import itertools
import json
import random
import threading
import time
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any

from tests.callers import ORDERS
from tests.consistency.records import Asked, Kind, Operation, Outcome, Seen, event_text, seen

IDLE_SECONDS = 0.2
"""A connection that was unused for longer is given up: the server may be about to close it."""
REQUESTS_PER_CONNECTION = 40
"""Then another one is opened, which perhaps another worker gets."""
TIMEOUT_SECONDS = 30.0
UNAVAILABLE = 503
PATIENCE_SECONDS = 0.2
"""Between a 503 and the next request.  `Retry-After` asks for more, but then runs would take that longer."""
PAGE_SIZE = 15
"""Of numbered pages."""


class NotSent(Exception):
    """Nobody listens, so nothing was asked."""


class NoAnswer(Exception):
    """The request went out, and what became of it is unknown."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who works with the service."""

    name: str
    is_admin: bool
    authorization: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Wire:
    """One connection that is kept open."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
        self._used = 0
        self._last = 0.0
        self._broken = ""

    def send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> None:
        """Raises `NotSent`.  Whatever goes wrong later leaves the outcome open, and `receive` says so."""
        idle = time.monotonic() - self._last
        if self._used >= REQUESTS_PER_CONNECTION or idle > IDLE_SECONDS:
            self.close()
        if self._connection.sock is None:
            self._used = 0
            try:
                self._connection.connect()
            except OSError as error:
                self.close()
                raise NotSent(str(error)) from None
        self._used += 1
        self._broken = ""
        try:
            self._connection.request(method, path, body, headers)
        except (OSError, http.client.HTTPException) as error:
            self._broken = f"{type(error).__name__}: {error}"

    def receive(self) -> Reply:
        """Raises `NoAnswer`."""
        try:
            if self._broken:
                raise ConnectionError(self._broken)
            response = self._connection.getresponse()
            reply = Reply(response.status, response.headers, response.read())
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise NoAnswer(f"{type(error).__name__}: {error}") from None
        self._last = time.monotonic()
        return reply

    def close(self) -> None:
        self._connection.close()


@dataclass
class World:
    """What the clients of one run share: the log, the numbers, and which orders there are."""

    port: int
    seed: int = 0
    log: list[Operation] = field(default_factory=list)
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    walks: Any = field(default_factory=lambda: itertools.count(1))
    hot: dict[str, deque[str]] = field(default_factory=dict)
    deleted: deque[str] = field(default_factory=lambda: deque(maxlen=8))
    keys: dict[str, deque[tuple[str, dict[str, Any], dict[str, Any]]]] = field(default_factory=dict)
    budget: int = 0
    deadline: float = 0.0
    failures: list[BaseException] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def is_over(self) -> bool:
        return len(self.log) >= self.budget or self.stop.is_set() or time.monotonic() > self.deadline


@dataclass(slots=True)
class Request:
    """An operation that is about to be sent."""

    kind: Kind
    method: str
    path: str
    order_id: str | None = None
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    key: str | None = None
    if_match: int | None = None
    sent: dict[str, Any] = field(default_factory=dict)
    asked: Asked | None = None
    number: int = 0
    started: int = 0


class Client:
    """Somebody's requests, one after the other, over two connections."""

    def __init__(self, world: World, account: Account, number: int) -> None:
        self.world = world
        self.account = account
        self.random = random.Random(f"{world.seed}/{number}")
        self.wires = [Wire(world.port), Wire(world.port)]
        self.known: dict[str, dict[str, Any]] = {}
        self.tags: dict[str, tuple[str, int]] = {}
        self.pages: dict[str, tuple[str, tuple[Seen, ...], Asked | None]] = {}

    def next_number(self) -> int:
        return int(next(self.world.numbers))

    def do(self, request: Request, wire: Wire | None = None) -> tuple[Operation, Reply | None]:
        """Send one request and log it.  Raises `NotSent`, which leaves nothing in the log."""
        wire = wire or self.random.choice(self.wires)
        self.send(request, wire)
        return self.receive(request, wire)

    def send(self, request: Request, wire: Wire) -> None:
        request.number = request.number or self.next_number()
        headers = {
            "Authorization": self.account.authorization,
            "X-Request-ID": f"r{request.number}",
            **request.headers,
        }
        data = None
        if request.body is not None:
            data = json.dumps(request.body).encode()
            headers["Content-Type"] = "application/json"
        if request.key is not None:
            headers["Idempotency-Key"] = request.key
        request.started = time.monotonic_ns()
        wire.send(request.method, request.path, data, headers)

    def receive(self, request: Request, wire: Wire) -> tuple[Operation, Reply | None]:
        reply, reason = None, ""
        try:
            reply = wire.receive()
        except NoAnswer as error:
            reason = str(error)
        operation = Operation(
            number=request.number,
            request_id=f"r{request.number}",
            user=self.account.name,
            is_admin=self.account.is_admin,
            kind=request.kind,
            started=request.started,
            ended=time.monotonic_ns(),
            outcome=outcome_of(reply),
            status=reply.status if reply else 0,
            reason=reason,
            order_id=request.order_id,
            key=request.key,
            if_match=request.if_match,
            sent=request.sent,
            asked=request.asked,
        )
        if reply is not None and operation.outcome is Outcome.OK:
            self._note(request, operation, reply)
        self.world.log.append(operation)
        if operation.status == UNAVAILABLE:
            time.sleep(PATIENCE_SECONDS)  # or an outage would be most of what a run is made of
        return operation, reply

    def _note(self, request: Request, operation: Operation, reply: Reply) -> None:
        """What a success showed."""
        operation.replayed = reply.headers.get("Idempotent-Replayed") == "true"
        if reply.status == 304:
            _, operation.seen, operation.asked = self.pages[request.path]
        elif request.kind is Kind.EVENTS:
            operation.events = tuple(event_text(event) for event in reply.json())
        elif request.kind is Kind.LIST:
            operation.seen = tuple(seen(order) for order in reply.json())
            paging = json.loads(reply.headers["X-Pagination"])
            if operation.asked:
                operation.asked = replace(operation.asked, last=self._is_last(operation, paging))
        elif reply.body:
            order = reply.json()
            operation.seen = (seen(order),)
            operation.order_id = order["order_id"]
            if not operation.replayed:
                self.known[order["order_id"]] = order
                self.tags[order["order_id"]] = reply.headers["ETag"], order["version"]
        again = request.kind is Kind.READ or (request.asked is not None and request.asked.page is not None)
        if again and reply.status == 200:
            self.pages[request.path] = reply.headers["ETag"], operation.seen, operation.asked

    @staticmethod
    def _is_last(operation: Operation, paging: dict[str, Any]) -> bool:
        """Whether nothing can follow: a numbered page counts in one statement and reads in the next."""
        if "next_cursor" in paging:
            return paging["next_cursor"] is None
        return paging["next_page"] is None and len(operation.seen) < PAGE_SIZE

    def close(self) -> None:
        for wire in self.wires:
            wire.close()


def outcome_of(reply: Reply | None) -> Outcome:
    """An error of the server leaves open whether it happened: the commit may have come before it."""
    if reply is None or reply.status >= 500:
        return Outcome.UNKNOWN
    return Outcome.OK if reply.status < 400 else Outcome.FAILED


def path_of(order_id: str, *more: str) -> str:
    return ORDERS + "/".join([order_id, *more]) + "/"
