"""The three worlds in which parts of the service fail, each started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.worlds import (
    LocalWorld,
    ProxiedWorld,
    ServerWorld,
    behind_proxies,
    in_this_process,
    on_files,
)
from tests.servers import PostgresServer, RedisServer, redis_program, running_redis


@pytest.fixture(scope="package")
def world_on_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerWorld]:
    with on_files(tmp_path_factory.mktemp("files")) as world:
        yield world


@pytest.fixture(scope="package")
def own_redis(redis_server: RedisServer) -> Iterator[RedisServer]:
    """A Redis that no other test speaks to, to be paused and set as a test likes."""
    program = redis_program()
    assert program is not None, "redis_server would have said so"
    with running_redis(program) as server:
        yield server


@pytest.fixture(scope="package")
def world_behind_proxies(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer, own_redis: RedisServer
) -> Iterator[ProxiedWorld]:
    with behind_proxies(tmp_path_factory.mktemp("proxies"), postgres_server, own_redis) as world:
        yield world


@pytest.fixture(scope="package")
def world_in_this_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorld]:
    with in_this_process(tmp_path_factory.mktemp("local")) as world:
        yield world
