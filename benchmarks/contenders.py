"""A contender: a server that answers the order API, or part of it, and who may ask it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

import psutil  # type: ignore[import-untyped]  # it has no types, and little is used of it

from benchmarks.dataset import SampleOrder, SampleUser
from tests.server.processes import Answer, send

ORDERS = "/api/v1/orders/"


class Process(Protocol):
    """What runs: the server's first process, whose children are the workers."""

    pid: int


@dataclass
class Contender:
    """A running server with the data set in its database.

    `bearers` are the values of `Authorization` by the name of the account.  `totals` holds what the
    benchmark itself has changed since, in cents.
    """

    name: str
    port: int
    process: Process
    bearers: dict[str, str] = field(repr=False)
    database_url: str = ""
    totals: dict[UUID, int] = field(default_factory=dict, repr=False)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        user: SampleUser | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request on a connection of its own, which any worker may get."""
        sent = dict(headers or {})
        if user is not None:
            sent.setdefault("Authorization", self.bearers[user.name])
        return send(self.port, method, path, body, sent)

    def total_of(self, order: SampleOrder) -> int:
        """What the order costs by now, in cents."""
        return self.totals.get(order.order_id, order.total_cents)

    def worker_memory(self) -> list[int]:
        """The resident bytes of each worker process, largest first."""
        return sorted((worker.memory_info().rss for worker in self._workers()), reverse=True)

    def worker_shares(self) -> list[int]:
        """The same with what several processes share divided among them, as programs and libraries are."""
        return sorted((worker.memory_full_info().pss for worker in self._workers()), reverse=True)

    def _workers(self) -> list[psutil.Process]:
        children = psutil.Process(self.process.pid).children()
        return [child for child in children if "resource_tracker" not in str(child.cmdline())]


def path_of(order: SampleOrder) -> str:
    """Where an order is."""
    return f"{ORDERS}{order.order_id}/"
