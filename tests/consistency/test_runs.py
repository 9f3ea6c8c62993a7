"""The short form of `make consistency`: every nemesis strikes, and the checker finds nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.consistency.cluster import POSTGRES, SQLITE, Services, own_services, prepared, running
from tests.consistency.nemeses import NEMESES
from tests.consistency.records import Outcome
from tests.consistency.runner import Result, run

pytestmark = [pytest.mark.server, pytest.mark.timeout(400)]

OPERATIONS = 700


def short_run(backend: str, services: Services, folder: Path) -> Result:
    nemeses = [nemesis for nemesis in NEMESES if backend in nemesis.backends]
    with prepared(backend, services) as base, running(base, services, folder) as cluster:
        result = run(cluster, nemeses, operations=OPERATIONS, calm=0.3)
    assert result.blows >= len(nemeses)
    assert result.counts[Outcome.OK] > OPERATIONS / 2
    return result


def test_on_sqlite_nothing_is_found(tmp_path: Path) -> None:
    assert short_run(SQLITE, Services(), tmp_path).found == []


@pytest.mark.postgres
@pytest.mark.redis
def test_on_postgresql_and_redis_nothing_is_found(tmp_path: Path) -> None:
    with own_services() as services:
        assert short_run(POSTGRES, services, tmp_path).found == []
