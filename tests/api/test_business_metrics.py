"""What people did, in numbers: after the commit, by the door they came in, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from config import ROOT
from orders_app.events_log import counting
from orders_app.events_log.receivers import connect
from orders_app.orders.events import OrderEventName
from orders_app.shared import signals
from orders_app.shared.denials import REASONS
from orders_app.shared.events import Event
from orders_app.shared.unit_of_work import UnitOfWork
from tests.admin.visitor import Visitor, order_fields
from tests.callers import ORDERS, Caller, path_of
from tests.factories import body
from tests.scrapes import Scrape, series

BUSINESS = (
    "orders_events_total",
    "orders_placed_total",
    "orders_placed_cents_total",
    "orders_status_changes_total",
)
FAILED = "orders_event_receiver_failures_total"


def scrape(caller: Caller) -> Scrape:
    return Scrape(caller.get("/metrics/").text)


def test_an_order_made_in_the_panel_came_in_there(panel: Visitor, anonymous: Caller) -> None:
    before = scrape(anonymous)
    made = panel.post("/admin/orders/new/", **order_fields(("tin", "1.50", "2"), user="alice"))
    assert made.status_code == 302
    assert scrape(anonymous).grown(before, *BUSINESS) == {
        series("orders_events_total", {"event": "order.created"}): 1,
        series("orders_placed_total", {"status": "pending", "door": "panel"}): 1,
        series("orders_placed_cents_total", {"status": "pending", "door": "panel"}): 300,
    }


def test_an_update_and_a_restoration_are_no_new_orders(
    alice: Caller, admin: Caller, anonymous: Caller
) -> None:
    order = alice.order()
    before = scrape(anonymous)
    assert alice.patch(path_of(order), {"total_price": "5.00"}).status_code == 200
    assert alice.delete(path_of(order)).status_code == 204
    assert admin.post(path_of(order, "restore")).status_code == 200
    assert scrape(anonymous).grown(before, *BUSINESS) == {
        series("orders_events_total", {"event": name}): 1
        for name in (OrderEventName.UPDATED, OrderEventName.DELETED, OrderEventName.RESTORED)
    }


def refuse(_sender: UnitOfWork, session: Session, events: tuple[Event, ...]) -> None:
    session.execute(text("SELECT 1"))
    raise ZeroDivisionError


def test_what_is_rolled_back_counts_nothing(alice: Caller, anonymous: Caller) -> None:
    order = alice.order()
    before = scrape(anonymous)
    with signals.events_recorded.connected_to(refuse):
        assert alice.post(ORDERS, body()).status_code == 500
        assert alice.patch(path_of(order), {"status": "confirmed"}).status_code == 500
    after = scrape(anonymous)
    assert after.grown(before, *BUSINESS) == {}
    assert after.grown(before, "orders_http_server_errors_total") == {
        series("orders_http_server_errors_total", {"method": method, "endpoint": endpoint}): 1
        for method, endpoint in (("POST", ORDERS), ("PATCH", f"{ORDERS}{{order_id}}/"))
    }


def test_counting_that_fails_changes_no_answer(
    alice: Caller, anonymous: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = scrape(anonymous)
    monkeypatch.setattr(counting, "EVENTS", None)
    alice.order()
    assert scrape(anonymous).grown(before, FAILED) == {series(FAILED, {"receiver": "count_event"}): 1}


def test_everything_that_can_be_counted_begins_at_zero(app: Flask, anonymous: Caller) -> None:
    """An alert on the first failure needs the zero before it."""
    connect()
    said = scrape(anonymous)
    for name, label, values in (
        ("orders_access_denied_total", "reason", REASONS),
        (FAILED, "receiver", ("log_event", "log_status_change", "log_denial", "count_event", "count_denial")),
        ("orders_cache_requests_total", "result", ("hit", "miss")),
        (
            "orders_database_failures_total",
            "reason",
            ("unreachable", "timeout", "full", "read_only", "other"),
        ),
        ("orders_events_total", "event", tuple(OrderEventName)),
    ):
        for value in values:
            assert said.value(name, **{label: value}) >= 0


def literals(path: Path) -> set[str]:
    """The reasons that a module gives."""
    found = re.findall(r'deny\(\s*"(\w+)"(?: if \w+ else "(\w+)")?', path.read_text())
    return {reason for pair in found for reason in pair if reason}


def test_the_reasons_are_those_that_are_said_and_documented() -> None:
    said = set().union(*map(literals, (ROOT / "orders_app").rglob("*.py")))
    table = (ROOT / "docs/operations.md").read_text().split("| `reason` |", 1)[1].split("\n\n", 1)[0]
    documented = re.findall(r"`(\w+)`(?=[^|]*\|[^|]*\|$)", table, re.MULTILINE)
    assert sorted(said) == sorted(REASONS) == sorted(documented)
