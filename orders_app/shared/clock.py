"""The only reader of the clock."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


def utcnow() -> datetime:
    """The time now, in UTC, with its zone."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds, always six digits: `2026-11-23T06:33:00.123456Z`."""
    return _written(moment.astimezone(UTC))


@lru_cache(maxsize=256)
def _written(moment: datetime) -> str:
    # What is done at one moment is written many times over: in the order, its seal and the log.
    return moment.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
