"""What people did and how the orders stand, in numbers: exact over two worker processes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal

import pytest

from tests.callers import ORDERS, basic, path_of
from tests.factories import body
from tests.scrapes import TOKEN, Scrape, series
from tests.server.processes import BACKENDS, ServerProcess, serving_on
from tests.servers import wait_until

pytestmark = pytest.mark.server

COUNTERS = (
    *(
        "orders_events_total",
        "orders_placed_total",
        "orders_placed_cents_total",
        "orders_status_changes_total",
    ),
    *("orders_access_denied_total", "orders_http_server_errors_total"),
)
LOG_IN = "/api/v1/login/"


@pytest.fixture(scope="module", params=BACKENDS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    with serving_on(request, tmp_path_factory.mktemp("server"), METRICS_TOKEN=TOKEN) as running:
        yield running


def scrape(server: ServerProcess) -> Scrape:
    return Scrape(server.request("GET", "/metrics/", auth=f"Bearer {TOKEN}").body.decode())


def place(server: ServerProcess, **others: object) -> dict[str, str]:
    answer = server.as_admin("POST", ORDERS, body(**others))
    assert answer.status == 201, answer.body
    made: dict[str, str] = answer.json()
    return made


def test_what_people_did_is_counted_once_whoever_served_them(server: ServerProcess) -> None:
    before = scrape(server)
    with ThreadPoolExecutor(8) as threads:
        orders = list(threads.map(lambda _: place(server, total_price="19.99"), range(20)))
        list(threads.map(lambda _: place(server, status="completed", total_price="0.01"), range(3)))
        moves = [(order, "confirmed") for order in orders[:9]] + [
            (order, "cancelled") for order in orders[9:13]
        ]
        moved = threads.map(
            lambda move: server.as_admin("PATCH", path_of(move[0]), {"status": move[1]}).status, moves
        )
        assert set(moved) == {200}
        assert {server.as_admin("DELETE", path_of(order)).status for order in orders[:2]} == {204}
        refused = threads.map(
            lambda _: server.request("GET", ORDERS, auth=basic("admin", "a wrong one")).status, range(5)
        )
        assert set(refused) == {401}
        assert server.request("GET", ORDERS).status == 401
    for _ in range(4):
        assert scrape(server).grown(before, *COUNTERS) == {
            series("orders_events_total", {"event": "order.created"}): 23,
            series("orders_events_total", {"event": "order.status_changed"}): 13,
            series("orders_events_total", {"event": "order.deleted"}): 2,
            series("orders_placed_total", {"status": "pending", "door": "api"}): 20,
            series("orders_placed_total", {"status": "completed", "door": "api"}): 3,
            series("orders_placed_cents_total", {"status": "pending", "door": "api"}): 39_980,
            series("orders_placed_cents_total", {"status": "completed", "door": "api"}): 3,
            series("orders_status_changes_total", {"old_status": "pending", "new_status": "confirmed"}): 9,
            series("orders_status_changes_total", {"old_status": "pending", "new_status": "cancelled"}): 4,
            series("orders_access_denied_total", {"reason": "wrong_password"}): 5,
            series("orders_access_denied_total", {"reason": "no_credentials"}): 1,
        }


def test_what_was_refused_or_changed_nothing_is_not_counted(server: ServerProcess) -> None:
    order = place(server, status="completed")
    before = scrape(server)
    for sent in (
        ("POST", ORDERS, body(status="nope")),
        ("POST", ORDERS, body(user="nobody-has-this-name")),
        ("PATCH", path_of(order), {"status": "pending"}),
        ("PATCH", path_of(order), {"status": "completed"}),
    ):
        assert server.as_admin(*sent).status in {200, 409, 422}
    assert scrape(server).grown(before, *COUNTERS) == {}


def test_the_gauges_are_what_the_database_holds(server: ServerProcess) -> None:
    def standing(at: Scrape) -> dict[tuple[str, str], float]:
        return {
            (name, dict(labels).get("status", "")): value
            for (name, labels), value in at.values.items()
            if name.startswith(("orders_by_status", "orders_deleted", "orders_pending", "orders_oldest"))
        }

    place(server, total_price="100.00")
    export = server.run("-m", "flask", "--app", "wsgi", "orders", "export", "--format", "jsonl")
    deleted = server.run("-m", "flask", "--app", "wsgi", "orders", "export", "--format", "jsonl", "--deleted")
    assert export.returncode == deleted.returncode == 0, export.stderr + deleted.stderr
    orders = [json.loads(line) for line in export.stdout.splitlines()]
    oldest = min(order["created_at"] for order in orders if order["status"] == "pending")
    expected = {
        ("orders_deleted", ""): len(deleted.stdout.splitlines()),
        ("orders_pending_long", ""): 0,
        ("orders_oldest_pending_timestamp_seconds", ""): datetime.fromisoformat(oldest).timestamp(),
    }
    for status in ("pending", "confirmed", "cancelled", "completed"):
        totals = [Decimal(order["total_price"]) for order in orders if order["status"] == status]
        expected["orders_by_status", status] = len(totals)
        expected["orders_by_status_cents", status] = float(sum(totals) * 100)
    assert expected["orders_by_status", "pending"] > 0
    # Each worker asks for itself, and what it was told is good for ten seconds.
    wait_until(
        lambda: all(standing(scrape(server)) == pytest.approx(expected) for _ in range(8)),
        what="the gauges of both workers",
        seconds=30,
    )
    said = scrape(server)
    assert (said.value("orders_database_up"), said.value("orders_cache_up")) == (1, 1)
    for folder in ("metrics", "logs"):
        assert said.value("orders_disk_free_bytes", folder=folder) > 0


def test_workers_that_began_are_counted_and_what_ended_ones_counted_stays(server: ServerProcess) -> None:
    before = scrape(server)
    begun = before.value("orders_worker_starts_total")
    assert begun >= 2
    killed = server.workers().pop()
    os.kill(killed, signal.SIGKILL)

    def is_replaced() -> bool:
        with contextlib.suppress(ConnectionError):  # of whoever was at the one that was killed
            return scrape(server).value("orders_worker_starts_total") == begun + 1
        return False

    wait_until(is_replaced, what="a new worker", seconds=60)
    assert scrape(server).grown(before, *COUNTERS) == {}
    assert before.value("orders_placed_total", status="completed", door="api") > 0
