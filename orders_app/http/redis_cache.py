"""A Flask-Caching backend for Redis that stores bytes as they are, and whose absence nobody notices.

The stock one pickles values, so whoever can write to the cache server could run code here, and raises when
the server is away.  Nothing imports this but `Cache`, by its dotted path (`CACHE_TYPE`): redis-py is six
megabytes in every worker process, and who has no Redis does without.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import redis
from flask import Flask
from flask_caching.backends.rediscache import RedisCache

from orders_app.http.breaker import Breaker
from orders_app.http.cache_backends import BytesSerializer
from orders_app.http.metrics import CACHE_FAILURES

logger = logging.getLogger(__name__)

REDIS_TIMEOUT_SECONDS = 0.15
BREAK_SECONDS = 1.0


class ResilientRedisCache(RedisCache):
    """Redis that answers quickly or not at all; every failure is a miss.

    A request waits for a dead server once at most: after a failure no call is made for a while, and then
    a thread of its own, not a request, finds out whether the server is back.
    """

    serializer = BytesSerializer()  # type: ignore[assignment]  # no common base is declared

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.breaker = Breaker(BREAK_SECONDS)
        self.patience = REDIS_TIMEOUT_SECONDS

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
            if self.breaker.may_try():
                with contextlib.suppress(RuntimeError):  # no thread to be had now: later
                    threading.Thread(target=self.try_again, name="cache-probe", daemon=True).start()
            return otherwise
        began = time.monotonic()
        try:
            result = call()
        except Exception as error:  # noqa: BLE001  # a server that answers nonsense makes the client raise anything
            self._fail(error)
            return otherwise
        if time.monotonic() - began > self.patience:
            # The time-outs are for each packet: an answer that trickles in keeps within them.
            self._fail(TimeoutError("an answer took too long"))
        return result

    def _fail(self, error: Exception) -> None:
        CACHE_FAILURES.inc()
        # What is left of a broken answer must not be taken for the next one.
        self._write_client.connection_pool.disconnect(inuse_connections=False)
        if self.breaker.trip():
            logger.warning("The cache does not answer (%s); going on without it.", error)

    def try_again(self) -> bool:
        """Find out whether the server is back, and can be written to; whoever asks waits for it."""
        try:
            self._write_client.set(f"{self.key_prefix}readiness", b"-", ex=60)
        except Exception as error:  # noqa: BLE001  # as above
            self._fail(error)
            return False
        if self.breaker.close():
            logger.warning("The cache answers again.")
        return True

    def get(self, key: str) -> bytes | None:
        result: bytes | None = self._guarded(lambda: super(ResilientRedisCache, self).get(key), None)
        return result

    def set(self, key: str, value: bytes, timeout: int | timedelta | None = None) -> bool:
        return bool(self._guarded(lambda: super(ResilientRedisCache, self).set(key, value, timeout), False))

    def is_reachable(self) -> bool:
        """Whether the server takes entries now; asked by the readiness check."""
        return self.try_again()
