"""Whether pages cost more when there is more: every ordering with every filter, at two sizes."""

from __future__ import annotations

import http.client
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final
from urllib.parse import urlencode

from benchmarks import ours
from benchmarks.arena import Arena
from benchmarks.contenders import ORDERS, Contender
from benchmarks.dataset import ADMIN, BEGAN, BETWEEN_ORDERS, OWNERS, PAGE, SampleUser
from benchmarks.figures import at_most
from benchmarks.load import Voided
from benchmarks.long.finding import Finding, Say, Sizes
from benchmarks.report import Row

FIELDS: Final = ("created_at", "updated_at", "total_price", "status")
ORDERINGS: Final = tuple(sign + name for name in FIELDS for sign in ("-", ""))
DEPTH: Final = 10_000
TIMES: Final = 9
TIMES_AGAIN: Final = 20
"""And so often again where it took longer than it should: a median of more, not the best of several."""
LONGEST_SECONDS: Final = 4.0
"""Of one question at one size: what is slow is asked less often."""
MOST: Final = 1.3
KINDS: Final = ("first page", "first cursor page", "cursor page 10,000 deep")


@dataclass(frozen=True, slots=True)
class Filtered:
    """A filter, as it is asked of a database of so many orders; `viewer` is who asks."""

    name: str
    query: dict[str, str]
    viewer: SampleUser = ADMIN


def filters(count: int) -> list[Filtered]:
    """One or more for each that the contract has; all let about the same share through at any size."""
    middle = (BEGAN + count // 2 * BETWEEN_ORDERS).isoformat()
    return [
        Filtered("none", {}),
        Filtered("own orders", {}, OWNERS[3]),
        Filtered("status", {"status": "completed"}),
        Filtered("min_price, max_price", {"min_price": "500", "max_price": "900"}),
        Filtered("created_after", {"created_after": middle}),
        Filtered("created_before", {"created_before": middle}),
        Filtered("updated_after", {"updated_after": middle}),
        Filtered("user", {"user": OWNERS[3].name}),
        Filtered("reference", {"reference": f"B{count // 2}"}),
        Filtered("q, common", {"q": "lantern"}),
        Filtered("q, rare", {"q": "plate 996"}),
        Filtered("q, nowhere", {"q": "submarine"}),
        Filtered("is_deleted", {"is_deleted": "true"}),
        Filtered("own orders, status", {"status": "completed"}, OWNERS[3]),
    ]


class Clock:
    """Asks over one connection, and says how long an answer took, in milliseconds."""

    def __init__(self, contender: Contender) -> None:
        self._contender = contender
        self._connection = http.client.HTTPConnection("127.0.0.1", contender.port, timeout=30)

    def ask(self, path: str, viewer: SampleUser) -> tuple[float, http.client.HTTPMessage]:
        """Raises `Voided` for an answer that is none."""
        headers = {"Authorization": self._contender.bearers[viewer.name]}
        began = time.perf_counter()
        self._connection.request("GET", path, headers=headers)
        answer = self._connection.getresponse()
        answer.read()
        passed = (time.perf_counter() - began) * 1000
        if answer.status != 200:
            raise Voided(f"{self._contender.name} answered {answer.status} to {path}")
        return passed, answer.headers


def path_with(filtered: Filtered, ordering: str, **more: object) -> str:
    return f"{ORDERS}?{urlencode({**filtered.query, 'ordering': ordering, 'page_size': PAGE, **more})}"


def deep_cursor(clock: Clock, filtered: Filtered, ordering: str) -> str:
    """The cursor 10,000 orders on, or as far as there are; empty where one page holds all."""
    path, found = path_with(filtered, ordering, page_size=ours.LARGEST_PAGE, cursor=""), ""
    for _ in range(DEPTH // ours.LARGEST_PAGE):
        _, headers = clock.ask(path, filtered.viewer)
        target = headers.get("Link", "").partition("<")[2].partition(">")[0]
        if not target:
            break
        path = target[target.index(ORDERS) :]
        found = path.partition("cursor=")[2].partition("&")[0]
    return found


def questions(clock: Clock, filtered: Filtered, ordering: str) -> Iterator[str]:
    """The paths of the three kinds of pages."""
    yield path_with(filtered, ordering)
    yield path_with(filtered, ordering, cursor="")
    yield path_with(filtered, ordering) + f"&cursor={deep_cursor(clock, filtered, ordering)}"


def measure(arena: Arena, sizes: Sizes, say: Say) -> Finding:
    """Time per request from one connection; the two sizes take turns."""
    counts = (sizes.small, sizes.large)
    clocks = []
    for count in counts:
        say(f"growth: filling {count:,} orders …")
        clocks.append(Clock(ours.of_size(arena, count)))
    found: list[dict[str, Any]] = []
    for pair in zip(*map(filters, counts), strict=True):
        for ordering in ORDERINGS:
            say(f"growth: {pair[0].name}, {ordering} …")
            found += _compare(clocks, pair, ordering)
        worst = max(row["ratio"] for row in found if row["filter"] == pair[0].name)
        say(f"growth: {pair[0].name}: at most {worst:.2f} times as long")
    return Finding([_row(kind, found, counts) for kind in KINDS], {"counts": counts, "pages": found})


def _compare(clocks: Sequence[Clock], pair: Sequence[Filtered], ordering: str) -> Iterator[dict[str, Any]]:
    paths = [list(questions(clock, filtered, ordering)) for clock, filtered in zip(clocks, pair, strict=True)]
    for kind, asked in zip(KINDS, zip(*paths, strict=True), strict=True):
        times: list[list[float]] = [[], []]
        for repeats in (TIMES, TIMES_AGAIN):
            for _, (own, clock, path) in itertools.product(
                range(repeats), list(zip(times, clocks, asked, strict=True))
            ):
                if sum(own) < LONGEST_SECONDS * 1000:
                    own.append(clock.ask(path, pair[0].viewer)[0])
            small, large = map(median, times)
            if large / small <= MOST:
                break
        said = {"kind": kind, "filter": pair[0].name, "ordering": ordering}
        yield {**said, "small_ms": small, "large_ms": large, "ratio": large / small}


def _row(kind: str, found: Sequence[dict[str, Any]], counts: Sequence[int]) -> Row:
    of_kind = [row for row in found if row["kind"] == kind]
    measured = []
    for name, group in itertools.groupby(of_kind, key=lambda row: row["filter"]):
        worst = max(group, key=lambda row: row["ratio"])
        times = f"{worst['small_ms']:.1f} → {worst['large_ms']:.1f} ms"
        measured.append(f"{name} ({worst['ordering']}) {times}, {worst['ratio']:.2f}")
    worst_of_all = max(row["ratio"] for row in of_kind)
    what = f"{PAGE} orders out of {counts[0]:,} → {counts[1]:,}, cache off; of each filter the worst ordering"
    return Row(f"growth, {kind}", what, measured, [at_most(MOST, worst_of_all, "times as long", 2)])
