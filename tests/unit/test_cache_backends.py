"""Backends whose absence nobody notices."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import redis
from flask import Flask

from orders_app.http.cache_backends import Breaker, BytesSerializer, ResilientRedisCache, SharedFileCache


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_breaker_opens_for_a_while_and_closes_by_itself() -> None:
    clock = Clock()
    breaker = Breaker(seconds=5, clock=clock)
    seen = [breaker.is_open]
    breaker.trip(OSError("gone"))
    for seconds in (0, 4.9, 0.2):
        clock.now += seconds
        seen.append(breaker.is_open)
    assert seen == [False, True, True, False]


def test_a_breaker_that_trips_again_stays_open_longer(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    breaker = Breaker(seconds=5, clock=clock)
    breaker.trip(OSError("gone"))
    clock.now += 4
    breaker.trip(OSError("gone"))
    clock.now += 4
    assert breaker.is_open
    assert len(caplog.records) == 1, "one outage is one warning"


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


def test_a_folder_that_is_gone_is_a_miss(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    cache = file_cache(folder)
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    assert cache.set("key", b"value") is False
    assert cache.get("key") is None
    assert cache.is_reachable() is False
