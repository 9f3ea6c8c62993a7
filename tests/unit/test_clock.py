"""Times on the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from orders_app.shared.clock import rfc3339, utcnow


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2026, 11, 23, 6, 33, 0, 123456, tzinfo=UTC), "2026-11-23T06:33:00.123456Z"),
        (datetime(2026, 11, 23, 6, 33, tzinfo=UTC), "2026-11-23T06:33:00.000000Z"),
        (datetime(2026, 11, 23, 1, tzinfo=timezone(timedelta(hours=2))), "2026-11-22T23:00:00.000000Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00.000000Z"),
        (datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_a_moment_has_always_the_same_width(moment: datetime, expected: str) -> None:
    assert rfc3339(moment) == expected


def test_now_has_its_zone() -> None:
    assert utcnow().tzinfo is UTC
