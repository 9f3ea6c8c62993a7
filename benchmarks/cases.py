"""What is measured under load: which requests, from whom, against which bars."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from benchmarks import checking, traffic
from benchmarks.contenders import Contender
from benchmarks.dataset import ADMIN, OWNERS, STATUSES, Dataset
from benchmarks.figures import Bar
from benchmarks.load import Group
from benchmarks.traffic import HOT, NEVER_CHANGED, PAGES, hot

PAGES_UNCACHED = 7
"""So many has the rarest status too: what is past the end some contenders refuse."""
SAMPLE = 4


class Phase(IntEnum):
    """What may run beside what: reading comes first, because writers make the lists longer."""

    READING = 1
    MIXED = 2
    WRITING = 3


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table; `ours` is how the service is set up for it, `peers` are who else runs it."""

    name: str
    what: str
    ours: str
    peers: tuple[str, ...]
    bars: tuple[Bar, ...]
    groups: Callable[[Contender, Dataset], list[Group]]
    phase: Phase = Phase.READING
    connections: int = 16
    is_cached: bool = False
    """Whether answers come from a cache."""
    changes: bool = False
    """Whether an order is changed and read back during each run."""
    in_list: bool = False
    warm_up: float = 0.3
    """Seconds at least; where passwords are checked, every worker has to have seen every one of them."""
    without_body: bool = False
    """Whether every answer is a 304, which the load generator does not tell from a 200."""

    @property
    def contenders(self) -> tuple[str, ...]:
        return (*self.peers[:1], self.ours, *self.peers[1:])

    def check(self, contender: Contender, dataset: Dataset, chance: random.Random) -> None:
        """Hold a sample of answers against the data set.  Raises `Voided`."""
        if contender.name == "empty":
            checking.answered(contender, contender.ask("GET", "/"))
            return
        left_alone = [order for order in dataset.orders if order.number % NEVER_CHANGED == 0]
        checking.check_orders(contender, chance.sample(hot(dataset), SAMPLE) if self.changes else ())
        checking.check_orders(contender, chance.sample(left_alone, SAMPLE))
        if self.phase is Phase.READING:
            checking.check_page(contender, dataset, chance.choice(OWNERS), chance.randint(1, PAGES))
            checking.check_page(contender, dataset, chance.choice(OWNERS), 1, "confirmed")
        else:
            checking.check_created(contender, chance.choice(OWNERS), traffic.new_order("0"))

    def counts(self, contender: Contender) -> int:
        """How many orders there are, where the case makes some."""
        return checking.count_orders(contender, ADMIN) if self.phase is Phase.WRITING else 0


def _hot(contender: Contender, dataset: Dataset) -> list[Group]:
    return traffic.reads(contender, hot(dataset))


def _hot_by_password(contender: Contender, dataset: Dataset) -> list[Group]:
    return traffic.reads(contender, hot(dataset), traffic.by_password)


def _hot_known(contender: Contender, dataset: Dataset) -> list[Group]:
    return traffic.known(contender, hot(dataset))


def _hot_lists(contender: Contender, dataset: Dataset) -> list[Group]:
    return traffic.lists(contender, PAGES)


def _all(contender: Contender, dataset: Dataset) -> list[Group]:
    return traffic.reads(contender, traffic.shuffled(dataset.orders, 1))


def _many_lists(contender: Contender, dataset: Dataset) -> list[Group]:
    return traffic.lists(contender, PAGES_UNCACHED, (None, *dict.fromkeys(STATUSES)))


def _new(contender: Contender, dataset: Dataset) -> list[Group]:
    return traffic.creations(contender)


CACHED = ("empty", "fastapi-redis", "drf-redis")
UNCACHED = ("fastapi", "drf", "flask-psycopg")
AS_FAST_AS_CACHED = (Bar(0.6, "empty"), Bar(3, "fastapi-redis"))
WARM = f"{HOT} warm orders"
WARM_LISTS = f"the first {PAGES} pages of ten owners, warm"

CASES = (
    Case(
        "cached-read",
        f"one of {WARM}, Bearer",
        "ours",
        CACHED,
        AS_FAST_AS_CACHED,
        _hot,
        is_cached=True,
        changes=True,
    ),
    Case(
        "cached-list",
        f"20 orders: {WARM_LISTS}",
        "ours",
        CACHED,
        AS_FAST_AS_CACHED,
        _hot_lists,
        is_cached=True,
        changes=True,
        in_list=True,
    ),
    Case(
        "cached-read-sqlite",
        f"one of {WARM}; SQLite and files",
        "ours-sqlite",
        CACHED[:1],
        (Bar(0.7, "empty"),),
        _hot,
        is_cached=True,
        changes=True,
    ),
    Case(
        "cached-list-sqlite",
        f"20 orders: {WARM_LISTS}; SQLite and files",
        "ours-sqlite",
        CACHED[:1],
        (Bar(0.7, "empty"),),
        _hot_lists,
        is_cached=True,
        changes=True,
        in_list=True,
    ),
    Case(
        "cached-read-basic",
        f"one of {WARM}, Basic, seen before",
        "ours",
        (),
        (Bar(0.8, "ours", "cached-read"),),
        _hot_by_password,
        is_cached=True,
        changes=True,
        warm_up=3,
    ),
    Case(
        "not-modified",
        f"one of {WARM}, known to the client: 304",
        "ours",
        (),
        (Bar(1, "ours", "cached-read"),),
        _hot_known,
        is_cached=True,
        without_body=True,
    ),
    Case(
        "read",
        "one of all orders, cache off",
        "ours-uncached",
        UNCACHED,
        (Bar(2.5, "fastapi"), Bar(4, "drf")),
        _all,
    ),
    Case(
        "list",
        f"20 orders: {PAGES_UNCACHED} pages of ten owners under each status and none, cache off",
        "ours-uncached",
        UNCACHED,
        (Bar(3.5, "fastapi"), Bar(5, "drf")),
        _many_lists,
    ),
    Case(
        "mixed",
        f"80 % reads of one (half: {HOT} of them, half: all others), 15 % lists, 3 % new, 2 % changed",
        "ours-writes",
        ("fastapi-redis-writes", "drf-redis-writes"),
        (Bar(3, "fastapi-redis-writes"),),
        traffic.mixed,
        phase=Phase.MIXED,
    ),
    Case(
        "create",
        "a new order of three lines",
        "ours-writes",
        ("fastapi-writes", "drf-writes", "psycopg-writes"),
        (Bar(1.5, "fastapi-writes"), Bar(0.5, "psycopg-writes")),
        _new,
        phase=Phase.WRITING,
    ),
)
