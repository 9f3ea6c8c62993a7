"""Backends whose absence nobody notices."""

from __future__ import annotations

import fcntl
import os
import resource
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from flask import Flask

from orders_app.http.cache_backends import BytesSerializer, SharedFileCache
from orders_app.http.redis_cache import ResilientRedisCache
from tests.servers import RedisServer, wait_until


@pytest.mark.parametrize("value", [b"", b"bytes", b"\x80\x04pickle", b"12"])
def test_bytes_are_stored_as_they_are(value: bytes) -> None:
    serializer = BytesSerializer()
    assert serializer.loads(serializer.dumps(value)) == value


def unreachable_redis() -> ResilientRedisCache:
    settings = {
        "CACHE_REDIS_URL": "redis://127.0.0.1:1/0",
        "CACHE_KEY_PREFIX": "orders:",
        "CACHE_DEFAULT_TIMEOUT": 60,
    }
    cache = ResilientRedisCache.factory(Flask("bare"), settings, [], {})
    assert isinstance(cache, ResilientRedisCache)
    return cache


def test_an_unreachable_server_is_a_miss() -> None:
    cache = unreachable_redis()
    assert cache.get("key") is None
    assert cache.set("key", b"value") is False
    assert cache.is_reachable() is False


def test_an_unreachable_server_is_asked_only_once_in_a_while() -> None:
    cache = unreachable_redis()
    cache.get("key")
    began = time.perf_counter()
    for _ in range(1000):
        cache.get("key")
    assert time.perf_counter() - began < 0.2


@pytest.mark.parametrize(
    "error",
    [
        redis.ConnectionError(),
        redis.TimeoutError(),
        redis.ReadOnlyError(),
        redis.OutOfMemoryError(),
        redis.AuthenticationError(),
        OSError(),
    ],
)
def test_every_failure_of_the_server_is_a_miss(error: Exception) -> None:
    cache = unreachable_redis()

    def fail() -> None:
        raise error

    assert cache._guarded(fail, "nothing") == "nothing"
    assert cache.breaker.is_open


@pytest.mark.redis
def test_one_outage_is_one_warning_each_way(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {
        "CACHE_REDIS_URL": redis_server.url,
        "CACHE_KEY_PREFIX": "unit:",
        "CACHE_DEFAULT_TIMEOUT": 60,
    }
    cache = ResilientRedisCache.factory(Flask("bare"), settings, [], {})
    assert isinstance(cache, ResilientRedisCache)
    redis_server.stop()
    try:
        for _ in range(5):
            assert cache.get("key") is None
            assert cache.try_again() is False
    finally:
        redis_server.start()
    assert cache.set("key", b"value") is False, "it is not asked yet"
    # A request starts the probe and goes on; a later one finds the server back.
    wait_until(lambda: cache.set("key", b"value"), what="the cache")
    assert cache.get("key") == b"value"
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


def file_cache(folder: Path, threshold: int = 500) -> SharedFileCache:
    settings = {"CACHE_DIR": str(folder), "CACHE_THRESHOLD": threshold, "CACHE_DEFAULT_TIMEOUT": 60}
    cache = SharedFileCache.factory(Flask("bare"), settings, [], {})
    assert isinstance(cache, SharedFileCache)
    return cache


@pytest.mark.parametrize("value", [b"", b"{}", b"\0\xff"])
def test_files_are_shared_by_all_who_name_the_folder(tmp_path: Path, value: bytes) -> None:
    assert file_cache(tmp_path).set("key", value) is True
    assert file_cache(tmp_path).get("key") == value
    assert file_cache(tmp_path).get("other") is None


def test_there_are_never_many_more_files_than_the_threshold(tmp_path: Path) -> None:
    cache = file_cache(tmp_path, threshold=20)
    for number in range(200):
        cache.set(f"key-{number}", b"value")
    assert len(list(tmp_path.iterdir())) < 60


def test_the_oldest_go_many_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = file_cache(tmp_path, threshold=20)
    for number in range(21):
        cache.set(f"key-{number}", b"value")
        os.utime(cache._get_filename(f"key-{number}"), (number, number))
    looked: list[int] = []
    entries = cache._entries

    def look() -> Iterator[tuple[str, float]]:
        looked.append(1)
        return entries()

    monkeypatch.setattr(cache, "_entries", look)
    for number in range(21, 25):
        cache.set(f"key-{number}", b"value")
    assert [cache.get(f"key-{number}") is None for number in range(25)] == [True] * 5 + [False] * 20
    assert len(looked) == 2  # once for their ages, once to remove them


def test_one_makes_room_and_the_others_go_on(tmp_path: Path) -> None:
    cache = file_cache(tmp_path, threshold=20)
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        for number in range(25):
            cache.set(f"key-{number}", b"value")
        assert all(cache.get(f"key-{number}") for number in range(25))
    finally:
        os.close(folder)


@pytest.mark.parametrize("content", [b"", b"x"])
def test_files_that_hold_nonsense_are_misses(tmp_path: Path, content: bytes) -> None:
    cache = file_cache(tmp_path)
    cache.set("key", b"value")
    for file in tmp_path.iterdir():
        file.write_bytes(content)
    assert cache.get("key") is None
    assert cache.set("key", b"value") is True
    assert cache.get("key") == b"value"


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    cache = file_cache(tmp_path)
    before = sorted(tmp_path.iterdir())
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limit[1]))
    try:
        assert cache.set("key", b"more than ten bytes") is False
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_that_is_gone_is_a_miss(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    cache = file_cache(folder)
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    assert cache.set("key", b"value") is False
    assert cache.get("key") is None
    assert cache.is_reachable() is False


def test_making_room_does_not_gather_names(tmp_path: Path) -> None:
    """What a worker once took for that it would keep."""
    cache = file_cache(tmp_path, threshold=2_000)
    for number in range(2_001):
        path = tmp_path / f"{number:064}"
        path.touch()
        os.utime(path, (number, number))
    tracemalloc.start()
    cache._remove_oldest()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(list(cache._list_dir())) == 1_600
    assert peak < 300_000
