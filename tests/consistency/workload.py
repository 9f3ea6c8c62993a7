"""What the clients do: a mix of everything the API offers, most of it to the same few orders."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from tests.callers import ORDERS
from tests.consistency.client import PAGE_SIZE, Account, Client, NotSent, Reply, Request, World, path_of
from tests.consistency.records import Asked, Kind, Operation, Outcome

HOT = 6
"""So many of the newest orders of a user are what nearly everything is done to."""
ATTEMPTS = 6
MIX: Mapping[str, int] = {
    "create": 6,
    "create_once": 8,
    "twins": 2,
    "again": 3,
    "misuse": 1,
    "read": 40,
    "list": 14,
    "walk": 2,
    "put": 6,
    "patch": 8,
    "patch_matching": 8,
    "move_on": 6,
    "delete": 3,
    "events": 6,
    "foreign": 3,
    "restore": 6,
    "hand_over": 2,
}
ADMINS_ONLY = {"restore", "hand_over"}
ORDERINGS = ("-created_at", "created_at", "status", "-updated_at", "total_price")


class Worker(Client):
    """A client that goes on as a mix says until enough was done."""

    def run(self, mix: Mapping[str, int]) -> None:
        names = [name for name in mix if self.account.is_admin or name not in ADMINS_ONLY]
        weights = [mix[name] for name in names]
        actions: list[Callable[[], object]] = [getattr(self, name) for name in names]
        try:
            while not self.world.is_over:
                try:
                    self.random.choices(actions, weights)[0]()
                except NotSent:
                    time.sleep(0.05)
        except BaseException as error:
            self.world.failures.append(error)
            self.world.stop.set()
            raise
        finally:
            self.close()

    # Orders to work on.

    def some_order(self, owner: str | None = None) -> str | None:
        """One of the hot orders: one's own, or for an admin anybody's."""
        owners = [owner] if owner else [self.account.name]
        if self.account.is_admin and owner is None:
            owners = list(self.world.hot)
        found = list(self.world.hot[self.random.choice(owners)])
        return self.random.choice(found) if found else None

    def lines(self, number: int) -> list[dict[str, Any]]:
        """New lines whose names nobody else uses."""
        count = self.random.choice((1, 1, 2, 3))
        return [
            {
                "name": f"{number}.{place}",
                "price": f"{self.random.randrange(100)}.{place:02d}",
                "quantity": place,
            }
            for place in range(1, count + 1)
        ]

    # Making orders.

    def create(self) -> None:
        self.finish_creation(*self.do(self.new_order()))

    def create_once(self) -> None:
        """With a key, sent again under it until it is known what became of it."""
        request = self.new_order()
        request.key = self.some_key(request.number)
        self.insist(request)

    def twins(self) -> None:
        """The same request twice at the same moment, as an impatient client sends it."""
        request = self.new_order()
        request.key = self.some_key(request.number)
        other = again(request)
        other.number = self.next_number()
        self.send(request, self.wires[0])
        try:
            self.send(other, self.wires[1])
        finally:
            operation, _ = self.receive(request, self.wires[0])
        twin, _ = self.receive(other, self.wires[1])
        if Outcome.OK not in {operation.outcome, twin.outcome}:
            self.insist(again(request))
        else:
            self.remember(operation if operation.outcome is Outcome.OK else twin, request)

    def again(self) -> None:
        """A request that was sent before, to the letter; sent by somebody else it is a new one."""
        whose = self.account.name if self.random.random() < 0.7 else self.random.choice(list(self.world.keys))
        if known := list(self.world.keys[whose]):
            key, body, sent = self.random.choice(known)
            sent = {**sent, "user": self.account.name}
            self.do(Request(Kind.CREATE, "POST", ORDERS, body=body, key=key, sent=sent))

    def misuse(self) -> None:
        """A key that was used for another body."""
        if known := list(self.world.keys[self.account.name]):
            request = self.new_order()
            request.key = self.random.choice(known)[0]
            self.do(request)

    def new_order(self) -> Request:
        number = self.next_number()
        lines = self.lines(number)
        body: dict[str, Any] = {"products": lines, "total_price": money(number)}
        sent = {"products": plain(lines), "total_price": money(number), "user": self.account.name}
        if self.random.random() < 0.2:
            body["status"] = sent["status"] = self.random.choice(("pending", "confirmed", "cancelled"))
        return Request(Kind.CREATE, "POST", ORDERS, body=body, sent=sent, number=number)

    def some_key(self, number: int) -> str:
        """Mostly one of its own; sometimes one that another user may have used too."""
        if self.random.random() < 0.3:
            return f"shared-{number // 40}-{self.random.randrange(4)}"
        return f"key-{number}"

    def insist(self, request: Request) -> None:
        for _ in range(ATTEMPTS):
            try:
                operation, _ = self.do(request)
            except NotSent:
                time.sleep(0.1)
                continue
            if operation.outcome is Outcome.OK:
                self.remember(operation, request)
            if operation.outcome is not Outcome.UNKNOWN and operation.status != 409:
                return
            request = again(request)
            time.sleep(0.02)

    def remember(self, operation: Operation, request: Request) -> None:
        self.finish_creation(operation, None)
        assert request.key is not None
        assert request.body is not None
        self.world.keys[self.account.name].append((request.key, request.body, request.sent))

    def finish_creation(self, operation: Operation, _reply: Reply | None) -> None:
        if operation.outcome is Outcome.OK and operation.order_id and not operation.replayed:
            self.world.hot[self.account.name].append(operation.order_id)

    # Reading.

    def read(self, order_id: str | None = None) -> Operation | None:
        order_id = order_id or self.some_order()
        if order_id is None:
            return None
        return self.get(Request(Kind.READ, "GET", path_of(order_id), order_id=order_id))[0]

    def get(self, request: Request) -> tuple[Operation, Reply | None]:
        """A GET, at times with the tag of what was seen last."""
        if request.path in self.pages and self.random.random() < 0.4:
            request.headers["If-None-Match"] = self.pages[request.path][0]
        return self.do(request)

    def list(self) -> None:
        query: dict[str, Any] = {"page": 1, "page_size": PAGE_SIZE}
        choice = self.random.random()
        more: dict[str, Any] = {}
        if choice < 0.2:
            more = {"status": self.random.choice(("pending", "confirmed"))}
        elif choice < 0.35 and self.account.is_admin:
            more = {"is_deleted": True}
        query |= {name: str(value).lower() for name, value in more.items()}
        self.get(listing(query, Asked(page=1, **more)))

    def walk(self, page_size: int | None = None, ordering: str | None = None, **more: Any) -> None:
        """All pages of a list, one after the other."""
        ordering = ordering or self.random.choice(ORDERINGS)
        size = page_size or self.random.choice((20, 50, 200))
        walk = int(next(self.world.walks))
        cursor: str | None = ""
        while cursor is not None:
            query = {"cursor": cursor, "page_size": size, "ordering": ordering}
            query |= {name: str(value).lower() for name, value in more.items()}
            asked = Asked(ordering=ordering, walk=walk, after=cursor != "", **more)
            request = listing(query, asked)
            operation, reply = self.do(request)
            if reply is None or operation.outcome is not Outcome.OK:
                return
            cursor = json.loads(reply.headers["X-Pagination"])["next_cursor"]

    def events(self) -> None:
        if order_id := self.some_order():
            self.do(Request(Kind.EVENTS, "GET", path_of(order_id, "events"), order_id=order_id))

    def foreign(self) -> None:
        """What is somebody else's, read or changed: 404, but for an admin."""
        others = [name for name in self.world.hot if name != self.account.name]
        order_id = self.some_order(self.random.choice(others))
        if order_id is None:
            return
        if self.account.is_admin or self.random.random() < 0.5:
            self.read(order_id)
        else:
            self.change(order_id, {"total_price": money(number := self.next_number())}, number)

    # Changing.

    def put(self) -> None:
        """Replace an order: some of its lines kept, some new."""
        order_id = self.some_order()
        if order_id is None:
            return
        number = self.next_number()
        kept = self.known.get(order_id, {}).get("products", [])[:2]
        lines = kept + self.lines(number)
        body: dict[str, Any] = {"products": lines}
        sent: dict[str, Any] = {"products": plain(lines)}
        if self.random.random() < 0.5:
            body["total_price"] = sent["total_price"] = money(number)
        self.change(order_id, body, number, kind=Kind.PUT, sent=sent, matching=self.random.random() < 0.5)

    def patch(self) -> None:
        if order_id := self.some_order():
            number = self.next_number()
            self.change(order_id, {"total_price": money(number)}, number)

    def patch_matching(self) -> None:
        """Read, change, and begin again where somebody else came first."""
        order_id = self.some_order()
        if order_id is None:
            return
        for _ in range(ATTEMPTS):
            shown = self.read(order_id)
            if shown is None or shown.outcome is not Outcome.OK:
                return
            number = self.next_number()
            if self.change(order_id, {"total_price": money(number)}, number, matching=True).status != 412:
                return

    def move_on(self) -> None:
        """Another status, of those that the last answer allowed."""
        order_id = self.some_order()
        allowed = self.known.get(order_id or "", {}).get("allowed_transitions")
        if order_id is None or not allowed:
            return
        number = self.next_number()
        body = {"status": self.random.choice(allowed)}
        matching = self.random.random() < 0.5
        if not matching:
            body["total_price"] = money(number)  # else it might change nothing
        self.change(order_id, body, number, matching=matching)

    def delete(self) -> None:
        order_id = self.some_order()
        if order_id is None:
            return
        request = Request(Kind.DELETE, "DELETE", path_of(order_id), order_id, sent={"is_deleted": True})
        if self.random.random() < 0.5:
            self.match(request)
        operation, _ = self.do(request)
        if operation.outcome is Outcome.OK:
            self.world.deleted.append(order_id)

    def restore(self) -> None:
        if not self.world.deleted:
            return
        order_id = self.random.choice(list(self.world.deleted))
        request = Request(Kind.RESTORE, "POST", path_of(order_id, "restore"), order_id)
        request.sent = {"is_deleted": False}
        if self.random.random() < 0.5:
            request.key = f"restore-{self.next_number()}"
        if self.random.random() < 0.3:
            self.change(order_id, {"total_price": money(number := self.next_number())}, number)
        self.do(request)

    def hand_over(self) -> None:
        """An order gets another owner."""
        if order_id := self.some_order():
            number = self.next_number()
            owner = self.random.choice(list(self.world.hot))
            self.change(order_id, {"user": owner, "total_price": money(number)}, number)
            self.world.hot[owner].append(order_id)

    def change(
        self,
        order_id: str,
        body: dict[str, Any],
        number: int,
        *,
        kind: Kind = Kind.PATCH,
        sent: dict[str, Any] | None = None,
        matching: bool = False,
    ) -> Operation:
        request = Request(kind, kind.upper(), path_of(order_id), order_id, body, number=number)
        request.sent = body if sent is None else sent
        if matching:
            self.match(request)
        return self.do(request)[0]

    def match(self, request: Request) -> None:
        """Name the version that was seen last."""
        if known := self.tags.get(request.order_id or ""):
            request.headers["If-Match"], request.if_match = known


def listing(query: dict[str, Any], asked: Asked) -> Request:
    return Request(Kind.LIST, "GET", f"{ORDERS}?{urlencode(query)}", asked=asked)


def again(request: Request) -> Request:
    """The same request to be sent once more, under a number of its own."""
    return Request(
        request.kind, request.method, request.path, body=request.body, key=request.key, sent=request.sent
    )


def money(number: int) -> str:
    """An amount that no other request names."""
    return f"{number // 100}.{number % 100:02d}"


def plain(lines: list[dict[str, Any]]) -> list[list[Any]]:
    return [[line["name"], line["price"], line["quantity"]] for line in lines]


def run(
    world: World,
    accounts: list[Account],
    *,
    operations: int,
    seconds: float,
    clients: int,
    mix: Mapping[str, int] = MIX,
) -> None:
    """Let clients of these accounts do so many more operations; raise what stopped one of them."""
    for account in accounts:
        world.hot.setdefault(account.name, deque(maxlen=HOT))
        world.keys.setdefault(account.name, deque(maxlen=8))
    world.budget = len(world.log) + operations
    world.deadline = time.monotonic() + seconds
    first = world.seed * 1000 + len(world.log)
    workers = [Worker(world, accounts[index % len(accounts)], first + index) for index in range(clients)]
    threads = [threading.Thread(target=worker.run, args=(mix,), daemon=True) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except BaseException:
        world.stop.set()
        raise
    if world.failures:
        raise world.failures[0]


def look_at_everything(world: World, accounts: list[Account]) -> None:
    """Once all is quiet: every list of everybody, to its end, in every order."""
    for account in accounts:
        client = Worker(world, account, -1)
        for ordering in ORDERINGS:
            client.walk(200, ordering)
        if account.is_admin:
            client.walk(200, "-created_at", is_deleted=True)
        for order_id in list(world.hot[account.name]):
            client.read(order_id)
            client.do(Request(Kind.EVENTS, "GET", path_of(order_id, "events"), order_id=order_id))
        client.close()
