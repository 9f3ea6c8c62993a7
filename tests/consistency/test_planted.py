"""The checker finds bugs: each is planted into the real service, and must come out as what it is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.consistency.cluster import (
    PATIENCE_SECONDS,
    POSTGRES,
    SQLITE,
    Prepared,
    Services,
    prepared,
    running,
)
from tests.consistency.planted import PLANTS
from tests.consistency.records import Finding
from tests.consistency.runner import Result, hunt

pytestmark = [pytest.mark.server, pytest.mark.postgres, pytest.mark.redis, pytest.mark.timeout(300)]

READING = {"create": 2, "read": 10, "list": 5, "patch": 4, "move_on": 1}
WRITING = {"create": 2, "patch": 4, "patch_matching": 4, "put": 3, "move_on": 3}
SENDING_AGAIN = {"create_once": 4, "twins": 4, "again": 6}


@dataclass(frozen=True)
class Bug:
    """What is planted, on which back end it can show, in what work, and what it is found as."""

    name: str
    found_as: Finding
    mix: Mapping[str, int]
    backend: str = SQLITE


USUAL = (
    Bug("version-counted-first", Finding.STALE, READING, POSTGRES),
    Bug("key-without-the-caller", Finding.LEAK, READING),
    Bug("no-lock", Finding.LOST_UPDATE, WRITING, POSTGRES),
    Bug("acknowledged-without-commit", Finding.LOST_WRITE, WRITING),
    Bug("event-written-twice", Finding.EVENTS_DOUBLED, WRITING),
    Bug("key-ignored", Finding.DOUBLED, SENDING_AGAIN),
)
MORE = (
    Bug("version-counted-later", Finding.STALE, READING),
    Bug("any-version-will-do", Finding.STALE, READING),
    Bug("ready-without-a-look", Finding.STALE, READING),
    Bug("order-without-its-version", Finding.STALE, READING),
    Bug("match-compared-too-early", Finding.LOST_UPDATE, WRITING, POSTGRES),
    Bug("resurrected", Finding.RESURRECTED, {"create": 3, "delete": 2, "put": 3, "patch": 3, "restore": 2}),
    Bug("event-forgotten", Finding.LOST_WRITE, WRITING),
    Bug("version-counted-twice", Finding.GAP, WRITING),
    Bug("version-of-the-caller", Finding.STALE, READING),
    Bug("refused-and-done", Finding.REFUSED, WRITING),
    Bug("event-written-later", Finding.STALE, {"create": 2, "patch": 4, "events": 6}),
    Bug("answer-kept-later", Finding.DOUBLED, SENDING_AGAIN, POSTGRES),
    Bug("key-of-everybody", Finding.LEAK, SENDING_AGAIN),
    Bug("cursor-without-the-id", Finding.MISSING, {"create": 10, "walk": 2}),
)
BUGS = USUAL + MORE
TRIED = BUGS if os.environ.get("PLANTED") == "all" else USUAL
"""`make consistency` plants all of them."""


@pytest.fixture(scope="module")
def attempt(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Result]]:
    """Start the service with a bug, let clients work on it, and check."""
    with ExitStack() as stack:
        bases: dict[str, Prepared] = {}

        def run(backend: str, mix: Mapping[str, int], bug: str | None, found_as: Finding | None) -> Result:
            services = Services()
            if backend == POSTGRES:
                postgres, redis = (
                    request.getfixturevalue(f"{name}_server") for name in ("postgres", "redis")
                )
                services = Services(postgres, redis)
            if backend not in bases:
                bases[backend] = stack.enter_context(prepared(backend, services))
            folder: Path = tmp_path_factory.mktemp("planted")
            with running(
                bases[backend], services, folder, workers=2, bug=bug, patience=PATIENCE_SECONDS
            ) as cluster:
                return hunt(
                    cluster,
                    mix=mix,
                    rounds=8 if bug else 1,
                    operations=150 if bug else 500,
                    until=lambda found: found_as in {one.kind for one in found},
                )

        yield run


def test_every_planted_bug_is_looked_for() -> None:
    assert sorted(bug.name for bug in BUGS) == sorted(PLANTS)


@pytest.mark.parametrize("bug", TRIED, ids=lambda bug: bug.name)
def test_a_planted_bug_is_found(bug: Bug, attempt: Callable[..., Result]) -> None:
    result = attempt(bug.backend, bug.mix, bug.name, bug.found_as)
    assert bug.found_as in {found.kind for found in result.found}


@pytest.mark.parametrize("backend", [SQLITE, POSTGRES])
def test_nothing_is_found_without_a_bug(backend: str, attempt: Callable[..., Result]) -> None:
    mix = {**READING, **WRITING, **SENDING_AGAIN, "delete": 2, "restore": 2, "events": 2, "walk": 1}
    assert attempt(backend, mix, None, None).found == []
