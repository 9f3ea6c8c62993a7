"""How the orders stand, as gauges for Prometheus."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import Metric
from sqlalchemy import Connection

from orders_app.http.standing import gauge, gauge_by
from orders_app.orders.counts import how_orders_stand
from orders_app.orders.domain import LONG_WAITING, MOST_WAITING
from orders_app.shared.clock import utcnow


def orders_as_they_stand(connection: Connection) -> Sequence[Metric]:
    """The gauges; one statement, whose cost does not grow with the orders."""
    standing = how_orders_stand(connection, utcnow() - LONG_WAITING, most=MOST_WAITING)
    numbers = {status.value: float(found.number) for status, found in standing.by_status.items()}
    cents = {status.value: float(found.total_cents) for status, found in standing.by_status.items()}
    gauges = [
        gauge_by("orders_by_status", "Orders that are not deleted.", "status", numbers),
        gauge_by("orders_by_status_cents", "What these orders come to, in cents.", "status", cents),
        gauge("orders_deleted", "Orders that are deleted.", standing.deleted),
        gauge(
            "orders_pending_long",
            f"Orders made more than a day ago and pending still; more than {MOST_WAITING} are not counted.",
            standing.waiting_long,
        ),
    ]
    if standing.oldest_pending is not None:
        at = standing.oldest_pending.timestamp()
        text = "When the oldest order that is pending was made."
        gauges.append(gauge("orders_oldest_pending_timestamp_seconds", text, at))
    return gauges
