"""The short form of `make consistency`: every nemesis strikes, and the checker finds nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.consistency.cluster import POSTGRES, SQLITE, Services, own_services, prepared, running
from tests.consistency.nemeses import NEMESES, patience_under
from tests.consistency.records import Expected, Outcome
from tests.consistency.runner import run

pytestmark = [pytest.mark.server, pytest.mark.timeout(400)]

OPERATIONS = 400


def short_run(backend: str, services: Services, folder: Path) -> None:
    """Two runs: with the nemeses under which every request must be answered as usual, and with the others.

    What one nemesis excuses is excused for all that strike in the same run.
    """
    nemeses = [nemesis for nemesis in NEMESES if backend in nemesis.backends]
    unnoticed = [nemesis for nemesis in nemeses if nemesis.expected == Expected()]
    noticed = [nemesis for nemesis in nemeses if nemesis.expected != Expected()]
    with prepared(backend, services) as base:
        for some in (unnoticed, noticed):
            place = folder / str(len(some))
            with running(base, services, place, patience=patience_under(some)) as cluster:
                result = run(cluster, some, operations=OPERATIONS, calm=0.3)
            assert result.found == []
            assert result.blows >= len(some) > 0
            assert result.counts[Outcome.OK] > OPERATIONS / 2


def test_on_sqlite_nothing_is_found(tmp_path: Path) -> None:
    short_run(SQLITE, Services(), tmp_path)


@pytest.mark.postgres
@pytest.mark.redis
def test_on_postgresql_and_redis_nothing_is_found(tmp_path: Path) -> None:
    with own_services() as services:
        short_run(POSTGRES, services, tmp_path)
