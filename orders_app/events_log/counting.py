"""What people did, in numbers: counted after the commit, in each worker process, and summed at a scrape.

What commands do is not in these sums, as nobody scrapes a command; the gauges of orders (`orders/gauges.py`)
know of it.
"""

from __future__ import annotations

from typing import Any, Final

from flask import has_request_context, request
from prometheus_client import Counter

from orders_app.auth.events import UserEventName
from orders_app.http.metrics import begin_at_zero
from orders_app.orders.domain import TRANSITIONS, OrderStatus
from orders_app.orders.events import NOTED, OrderEvent, OrderEventName
from orders_app.shared.denials import REASONS
from orders_app.shared.events import Event

API, PANEL, COMMAND = "api", "panel", "command"
_API_PATHS: Final = "/api/"

EVENTS = Counter(
    "orders_events", "What became of orders and accounts, by the name that the logs use.", ("event",)
)
PLACED = Counter("orders_placed", "New orders.", ("status", "door"))
PLACED_CENTS = Counter("orders_placed_cents", "The totals of new orders, in cents.", ("status", "door"))
STATUS_CHANGES = Counter(
    "orders_status_changes",
    "Orders that were moved from one status to another.",
    ("old_status", "new_status"),
)
DENIALS = Counter(
    "orders_access_denied", "Attempts that were refused, by the reason that the log gives.", ("reason",)
)

begin_at_zero(EVENTS, (*OrderEventName, NOTED, *UserEventName))
begin_at_zero(PLACED, OrderStatus, (API, PANEL))
begin_at_zero(PLACED_CENTS, OrderStatus, (API, PANEL))
for _old, _moves in TRANSITIONS.items():
    begin_at_zero(STATUS_CHANGES, (_old,), _moves)
begin_at_zero(DENIALS, REASONS)


def count_event(_sender: Any, event: Event) -> None:
    """Count what happened; for orders also what they come to, and from where to where they went."""
    EVENTS.labels(event.name).inc()
    if not isinstance(event, OrderEvent):
        return
    if event.name == OrderEventName.CREATED:
        labels = event.status, _door()
        PLACED.labels(*labels).inc()
        PLACED_CENTS.labels(*labels).inc(event.total_price_cents)
    elif event.name == OrderEventName.STATUS_CHANGED:
        STATUS_CHANGES.labels(event.old_status, event.new_status).inc()


def count_denial(_sender: None, reason: str, **_payload: Any) -> None:
    """Count somebody who was refused."""
    DENIALS.labels(reason).inc()


def _door() -> str:
    """Where whoever does this came in."""
    if not has_request_context():
        return COMMAND
    return API if request.path.startswith(_API_PATHS) else PANEL
