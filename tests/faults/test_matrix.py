"""Each part of the service down, slow or lying, and what people see who read, write, log in, use the
panel or scrape the metrics meanwhile: the table in `docs/operations.md`, cell by cell.

Afterwards the part is well again, and so is the service, by itself; nothing that was confirmed is lost.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from config import ROOT
from tests.callers import ORDERS
from tests.factories import body
from tests.faults.failures import (
    FAILURES,
    LINE_SECONDS,
    PART_OF_A_LINE,
    SLOW_SECONDS,
    log_files,
    receivers_held,
)
from tests.faults.people import People
from tests.faults.worlds import STATEMENT_SECONDS, LocalWorld, ServerWorld, World, wait_until_well
from tests.servers import wait_until

PARTS = ("database", "cache", "disk", "logs", "receivers")
WAYS = ("down", "slow", "lying")
COLUMNS = ("read", "write", "log-in", "panel", "metrics")
DOINGS = (*COLUMNS[:4], "panel, written in", "metrics")
WORLDS = {
    "database": "world_behind_proxies",
    "cache": "world_behind_proxies",
    "disk": "world_on_files",
    "logs": "world_on_files",
    "receivers": "world_in_this_process",
}
MARKS = {"world_behind_proxies": [pytest.mark.server, pytest.mark.postgres, pytest.mark.redis]}
USUAL = {"read": 200, "write": 200, "log-in": 200, "panel": 200, "panel, written in": 200, "metrics": 200}
NOTHING_BUT_METRICS = {
    "read": 503,
    "write": 503,
    "log-in": 503,
    "panel": 503,
    "panel, written in": 503,
    "metrics": 200,
}
READ_ONLY = {"read": 200, "write": 503, "log-in": 503, "panel": 200, "panel, written in": 503, "metrics": 200}
UNUSUAL = {
    "database-down": NOTHING_BUT_METRICS,
    "database-slow": NOTHING_BUT_METRICS,
    "database-lying": READ_ONLY,
    "database-lying:cut": READ_ONLY,
    "database-lying:garbled": NOTHING_BUT_METRICS,
    "disk-down": READ_ONLY,
    "disk-slow": READ_ONLY,
}
WITHOUT_GAUGE = {name for name, seen in UNUSUAL.items() if seen is NOTHING_BUT_METRICS}
NOT_STORED = {"orders; fwd=miss"}
STORED_ANEW = {"orders; fwd=miss; stored"}
UNCACHED: dict[str, set[str]] = {
    **dict.fromkeys(
        ("cache-down", "cache-slow", "cache-lying", "cache-lying:refusing", "disk-down"), NOT_STORED
    ),
    **dict.fromkeys(("cache-lying:foreign", "cache-lying:stale", "disk-lying"), STORED_ANEW),
}
RECEIVER_FAILURES = "orders_event_receiver_failures_total"
COUNTERS = {
    **dict.fromkeys(UNUSUAL, "orders_database_failures_total"),
    **dict.fromkeys(
        ("cache-down", "cache-slow", "cache-lying", "cache-lying:refusing"), "orders_cache_failures_total"
    ),
    **dict.fromkeys(("logs-down", "logs-lying", "receivers-down"), RECEIVER_FAILURES),
}
# What "at once" and "as usual" mean for a handful of requests on a busy machine; longer where something is
# waited for: a lock (twice), two events, two lines, or once in each process a silent connection or a new one.
AT_ONCE_SECONDS = 2.0
LOCK_SECONDS = 2 * STATEMENT_SECONDS
EVENT_SECONDS = 2 * SLOW_SECONDS
LINES_SECONDS = 2 * LINE_SECONDS
SILENCE_SECONDS = 6.0
WAITS: dict[str, dict[str, float]] = {
    "database-slow": {
        "read": SILENCE_SECONDS,
        "write": SILENCE_SECONDS,
        "log-in": SILENCE_SECONDS,
        "panel": SILENCE_SECONDS,
        "panel, written in": SILENCE_SECONDS,
        "metrics": 1.0,
    },
    "disk-slow": {"write": LOCK_SECONDS, "log-in": LOCK_SECONDS, "panel, written in": LOCK_SECONDS},
    "logs-slow": {"write": LINES_SECONDS, "log-in": LINES_SECONDS, "panel, written in": LINES_SECONDS},
    "receivers-slow": {"write": EVENT_SECONDS, "log-in": EVENT_SECONDS, "panel, written in": EVENT_SECONDS},
}


@dataclass(frozen=True)
class Failing:
    """People in a world with one thing wrong; `anew` makes it wrong again if using it has mended it."""

    people: People
    anew: Callable[[], None]


@pytest.fixture(scope="module")
def broken(request: pytest.FixtureRequest) -> Iterator[Failing]:
    """A world with one thing wrong, and all well again afterwards."""
    world: World = request.getfixturevalue(WORLDS[request.param.partition("-")[0]])
    wait_until_well(world)
    with FAILURES[request.param](world) as anew:
        yield Failing(world.people, anew or (lambda: None))
    wait_until_well(world)
    world.people.nothing_is_lost()
    assert world.people.write() == 200
    assert world.people.read() == 200
    assert world.people.log_in() == 200


@pytest.fixture
def failing(broken: Failing) -> Failing:
    """Likewise, wrong at the beginning of each test."""
    broken.anew()
    return broken


def under(names: Iterable[str]) -> pytest.MarkDecorator:
    """Run a test under each of these failures."""
    return pytest.mark.parametrize(
        ("broken", "name"),
        [
            pytest.param(
                name, name, id=name, marks=MARKS.get(WORLDS[name.partition("-")[0]], pytest.mark.server)
            )
            for name in names
        ],
        indirect=["broken"],
        scope="module",
    )


each_failure = under(FAILURES)


@pytest.mark.parametrize("doing", DOINGS)
@each_failure
def test_a_cell(failing: Failing, name: str, doing: str) -> None:
    people = failing.people
    do: dict[str, Callable[[], int]] = {
        "read": people.read,
        "write": people.write,
        "log-in": people.log_in,
        "panel": people.panel,
        "panel, written in": people.write_in_the_panel,
        "metrics": people.metrics,
    }
    began = time.monotonic()
    assert do[doing]() == UNUSUAL.get(name, USUAL)[doing]
    assert time.monotonic() - began < WAITS.get(name, {}).get(doing, 0.0) + AT_ONCE_SECONDS


@under(name for name in FAILURES if UNUSUAL.get(name, USUAL)["read"] == 200)
def test_readings_are_cached_except_where_the_table_says_uncached(failing: Failing, name: str) -> None:
    people = failing.people
    if name not in UNCACHED:
        people.read()  # the first one may find that something was changed
    assert people.read() == 200
    assert people.cache_status == UNCACHED.get(name, {"orders; hit"})


@each_failure
def test_a_wrong_password_never_helps(failing: Failing, name: str) -> None:
    expected = 503 if UNUSUAL.get(name) is NOTHING_BUT_METRICS else 401
    assert failing.people.log_in("not the password") == expected


@each_failure
def test_orders_are_counted_where_they_can_be(failing: Failing, name: str) -> None:
    """A count is good for ten seconds; then it is made anew, or there is none."""
    wait_until(
        lambda: failing.people.gauge_is_there() == (name not in WITHOUT_GAUGE), what="the gauge", seconds=15
    )


@under(name for name in FAILURES if name in COUNTERS)
def test_what_fails_is_counted(failing: Failing, name: str) -> None:
    people = failing.people
    before = people.counter(COUNTERS[name])

    def is_counted() -> bool:
        return any(do() and people.counter(COUNTERS[name]) > before for do in (people.read, people.write))

    wait_until(is_counted, what=f"{COUNTERS[name]} under {name}", seconds=60)


@under(name for name in FAILURES if name not in COUNTERS)
def test_what_is_slow_or_not_noticed_to_lie_is_not_counted(failing: Failing, name: str) -> None:
    people = failing.people
    counters = sorted(set(COUNTERS.values()))
    before = [people.counter(counter) for counter in counters]
    assert (people.read(), people.write()) == (200, 200)
    assert [people.counter(counter) for counter in counters] == before


@under(["logs-lying:torn"])
def test_a_line_after_a_part_of_one_is_whole(
    failing: Failing, name: str, world_on_files: ServerWorld
) -> None:
    assert failing.people.write() == 200
    assert failing.people.write_in_the_panel() == 200
    for path in log_files(world_on_files):
        *before, after = path.read_bytes().rsplit(PART_OF_A_LINE, 1)
        assert before, "a part is where it was"
        nothing, *lines, end = after.split(b"\n")
        assert (nothing, end) == (b"", b"")
        assert lines
        assert all(json.loads(line)["event"] for line in lines)


@pytest.mark.server
def test_nobody_waits_for_the_receivers_of_others(world_in_this_process: LocalWorld) -> None:
    people = world_in_this_process.people
    with ThreadPoolExecutor() as pool:
        with receivers_held(world_in_this_process) as begun:
            first = pool.submit(people.call, "POST", ORDERS, body())
            assert begun.acquire(timeout=30)
            assert (people.read(), people.panel(), people.metrics()) == (200, 200, 200)
            second = pool.submit(people.call, "POST", ORDERS, body())
            assert begun.acquire(timeout=30), "the other change is committed as well"
            assert not first.done()
            assert not second.done()
        assert (first.result().status, second.result().status) == (201, 201)


def test_the_table_in_the_docs_has_a_text_for_every_cell() -> None:
    section = (
        (ROOT / "docs/operations.md")
        .read_text()
        .partition("## When something fails")[2]
        .partition("\n## ")[0]
    )
    rows = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if re.fullmatch(r"[a-z ]+, [a-z]+", cells[0]):
            rows[cells[0].replace(", ", "-").replace("event ", "")] = cells[1:]
    assert set(rows) == {f"{part}-{way}" for part in PARTS for way in WAYS}
    assert {name.partition(":")[0] for name in FAILURES} == set(rows)
    assert all(len(cells) == len(COLUMNS) and all(cells) for cells in rows.values())
