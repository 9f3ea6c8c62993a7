"""What people did, in numbers: after the commit, by the door they came in, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

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
from tests.scrapes import TOKEN, Scrape, series

BUSINESS = (
    "orders_events_total",
    "orders_placed_total",
    "orders_placed_cents_total",
    "orders_status_changes_total",
)
FAILED = "orders_event_receiver_failures_total"


@pytest.fixture
def scraper(make_app: Callable[..., Flask]) -> Caller:
    """Whom the metrics tell everything, asking an application that knows its token."""
    return Caller(make_app(metrics_token=TOKEN), f"Bearer {TOKEN}")


def scrape(caller: Caller) -> Scrape:
    return Scrape(caller.get("/metrics/").text)


def test_an_order_made_in_the_panel_came_in_there(panel: Visitor, scraper: Caller) -> None:
    before = scrape(scraper)
    made = panel.post("/admin/orders/new/", **order_fields(("tin", "1.50", "2"), user="alice"))
    assert made.status_code == 302
    assert scrape(scraper).grown(before, *BUSINESS) == {
        series("orders_events_total", {"event": "order.created"}): 1,
        series("orders_placed_total", {"status": "pending", "door": "panel"}): 1,
        series("orders_placed_cents_total", {"status": "pending", "door": "panel"}): 300,
    }


def test_an_update_and_a_restoration_are_no_new_orders(alice: Caller, admin: Caller, scraper: Caller) -> None:
    order = alice.order()
    before = scrape(scraper)
    assert alice.patch(path_of(order), {"total_price": "5.00"}).status_code == 200
    assert alice.delete(path_of(order)).status_code == 204
    assert admin.post(path_of(order, "restore")).status_code == 200
    assert scrape(scraper).grown(before, *BUSINESS) == {
        series("orders_events_total", {"event": name}): 1
        for name in (OrderEventName.UPDATED, OrderEventName.DELETED, OrderEventName.RESTORED)
    }


def refuse(uow: UnitOfWork, events: tuple[Event, ...]) -> None:
    uow.session.execute(text("SELECT 1"))
    raise ZeroDivisionError


def test_what_is_rolled_back_counts_nothing(alice: Caller, scraper: Caller) -> None:
    order = alice.order()
    before = scrape(scraper)
    with signals.events_recorded.connected_to(refuse):
        assert alice.post(ORDERS, body()).status_code == 500
        assert alice.patch(path_of(order), {"status": "confirmed"}).status_code == 500
    after = scrape(scraper)
    assert after.grown(before, *BUSINESS) == {}
    assert after.grown(before, "orders_http_server_errors_total") == {
        series("orders_http_server_errors_total", {"method": method, "endpoint": endpoint}): 1
        for method, endpoint in (("POST", ORDERS), ("PATCH", f"{ORDERS}{{order_id}}/"))
    }


def test_counting_that_fails_changes_no_answer(
    alice: Caller, scraper: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = scrape(scraper)
    monkeypatch.setattr(counting, "EVENTS", None)
    alice.order()
    assert scrape(scraper).grown(before, FAILED) == {series(FAILED, {"receiver": "count_event"}): 1}


def test_everything_that_can_be_counted_begins_at_zero(app: Flask, scraper: Caller) -> None:
    """An alert on the first failure needs the zero before it."""
    connect()
    said = scrape(scraper)
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


def test_what_orders_come_to_is_told_to_nobody_without_the_token(
    alice: Caller, anonymous: Caller, scraper: Caller
) -> None:
    alice.order()
    told, hidden = scrape(scraper).names(), scrape(anonymous).names()
    assert told - hidden == {"orders_placed_cents_total", "orders_by_status_cents"}
    assert {"orders_placed_total", "orders_by_status"} <= hidden
