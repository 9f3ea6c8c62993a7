"""Flask-Caching backends that store bytes as they are, and whose absence nobody notices.

The stock ones pickle values, so whoever can write to the cache server could run code here, and raise
when the server is away.  `Cache` finds these by their dotted path (`CACHE_TYPE`).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import IO, Any

import redis
from flask import Flask
from flask_caching.backends.filesystemcache import FileSystemCache
from flask_caching.backends.rediscache import RedisCache

logger = logging.getLogger(__name__)

REDIS_TIMEOUT_SECONDS = 0.2
BREAK_SECONDS = 5.0
_LONGEST_COUNT = 18


class BytesSerializer:
    """Bytes in, the same bytes out; numbers as ASCII, for the file cache's own count of its files."""

    def dumps(self, value: bytes | int) -> bytes:
        return value if isinstance(value, bytes) else b"%d" % value

    def loads(self, value: bytes | None) -> bytes | None:
        return value

    def dump(self, value: bytes | int, file: IO[bytes]) -> None:
        file.write(self.dumps(value))

    def load(self, file: IO[bytes]) -> bytes:
        return file.read()


class Breaker:
    """After a failure, stop asking for a few seconds: a dead server must not slow every request."""

    def __init__(self, seconds: float = BREAK_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._closed_again_at = 0.0
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        return self._clock() < self._closed_again_at

    def trip(self, error: Exception) -> None:
        with self._lock:
            if not self.is_open:
                logger.warning("The cache does not answer (%s); going on without it.", error)
            self._closed_again_at = self._clock() + self._seconds


class ResilientRedisCache(RedisCache):
    """Redis that answers quickly or not at all; every failure is a miss."""

    serializer = BytesSerializer()  # type: ignore[assignment]  # no common base is declared

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.breaker = Breaker()

    @classmethod
    def factory(
        cls, app: Flask, config: dict[str, Any], args: list[Any], kwargs: dict[str, Any]
    ) -> RedisCache:
        client = redis.Redis.from_url(
            config["CACHE_REDIS_URL"],
            socket_timeout=REDIS_TIMEOUT_SECONDS,
            socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
            retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0),
        )
        return cls(
            host=client,
            key_prefix=config["CACHE_KEY_PREFIX"],
            default_timeout=config["CACHE_DEFAULT_TIMEOUT"],
        )

    def _guarded(self, call: Callable[[], Any], otherwise: Any) -> Any:
        if self.breaker.is_open:
            return otherwise
        try:
            return call()
        except (redis.RedisError, OSError) as error:
            self.breaker.trip(error)
            return otherwise

    def get(self, key: str) -> bytes | None:
        result: bytes | None = self._guarded(lambda: super(ResilientRedisCache, self).get(key), None)
        return result

    def set(self, key: str, value: bytes, timeout: int | timedelta | None = None) -> bool:
        return bool(self._guarded(lambda: super(ResilientRedisCache, self).set(key, value, timeout), False))

    def is_reachable(self) -> bool:
        """Whether the server answers now; asked by the readiness check."""
        return bool(self._guarded(self._write_client.ping, False))


class SharedFileCache(FileSystemCache):
    """Files that all worker processes of the machine share; a full or read-only disk is a miss."""

    serializer = BytesSerializer()  # type: ignore[assignment]  # no common base is declared

    @classmethod
    def factory(
        cls, app: Flask, config: dict[str, Any], args: list[Any], kwargs: dict[str, Any]
    ) -> FileSystemCache:
        return cls(
            cache_dir=config["CACHE_DIR"],
            threshold=config["CACHE_THRESHOLD"],
            default_timeout=config["CACHE_DEFAULT_TIMEOUT"],
        )

    @property
    def _file_count(self) -> int:
        """How many entries there are; counted anew where the file that says so says no number."""
        said = self.get(self._fs_count_file)
        if isinstance(said, bytes) and said.isdigit() and len(said) <= _LONGEST_COUNT:
            return int(said)
        return sum(1 for _ in self._list_dir())

    def set(
        self, key: str, value: Any, timeout: int | timedelta | None = None, mgmt_element: bool = False
    ) -> bool:
        try:
            return bool(super().set(key, value, timeout, mgmt_element))
        except OSError as error:
            logger.warning("The cache folder cannot be written (%s); going on without it.", error)
            return False

    def is_reachable(self) -> bool:
        """Whether a file can be written now; asked by the readiness check."""
        return self.set("readiness", b"-", 60)
