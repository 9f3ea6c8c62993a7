"""The history of an order, and what the two log files say of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.callers import Caller, path_of
from tests.factories import line


def history(caller: Caller, order: dict[str, Any]) -> list[dict[str, Any]]:
    answer = caller.get(path_of(order, "events"))
    assert answer.status_code == 200
    events: list[dict[str, Any]] = answer.get_json()
    return events


def test_a_life_from_creation_to_restoration(alice: Caller, admin: Caller) -> None:
    order = alice.order()
    path = path_of(order)
    alice.patch(path, {"total_price": "1"}, headers={"X-Request-ID": "the-second"})
    alice.patch(path, {"total_price": "1"})
    admin.patch(path, {"status": "confirmed", "total_price": "2"})
    alice.patch(path, {"status": "completed"})
    alice.delete(path)
    admin.post(path_of(order, "restore"))
    events = history(alice, order)
    assert [event["sequence"] for event in events] == [1, 2, 3, 4, 5]
    assert [(event["event"], event["user"]) for event in events] == [
        ("order.created", "alice"),
        ("order.updated", "alice"),
        ("order.status_changed", "admin"),
        ("order.deleted", "alice"),
        ("order.restored", "admin"),
    ]
    assert [event["changes"] for event in events] == [
        {},
        {"total_price": ["84.00", "1.00"]},
        {"status": ["pending", "confirmed"], "total_price": ["1.00", "2.00"]},
        {"is_deleted": [False, True]},
        {"is_deleted": [True, False]},
    ]
    assert events[1]["request_id"] == "the-second"
    assert (events[2]["old_status"], events[2]["new_status"]) == ("pending", "confirmed")
    assert all("old_status" not in events[place] for place in (0, 1, 3, 4))
    assert all(UUID(event["event_id"]) for event in events)
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)
    assert alice.read(order).get_json()["version"] == 5


def test_lines_are_told_before_and_after(alice: Caller) -> None:
    order = alice.order()
    changed = alice.patch(path_of(order), {"products": [line(name="new")]}).get_json()
    before, after = history(alice, order)[1]["changes"]["products"]
    assert (before, after) == (order["products"], changed["products"])


def test_the_last_event_is_the_last_change(alice: Caller) -> None:
    order = alice.order()
    changed = alice.patch(path_of(order), {"status": "cancelled"}).get_json()
    assert history(alice, order)[-1]["at"] == changed["updated_at"]
    assert history(alice, order)[0]["at"] == order["created_at"]


def test_a_request_that_changes_nothing_is_no_event(alice: Caller, log_dir: Path) -> None:
    order = alice.order()
    alice.put(path_of(order), order)
    alice.patch(path_of(order), {"status": "completed"})
    assert len(history(alice, order)) == 1
    assert not (log_dir / "events.log").exists() or (log_dir / "events.log").read_text() == ""


@pytest.mark.parametrize("name", ["bob", "anonymous"])
def test_it_is_nobody_elses(alice: Caller, bob: Caller, anonymous: Caller, name: str) -> None:
    order = alice.order()
    caller, status = (bob, 404) if name == "bob" else (anonymous, 401)
    assert caller.get(path_of(order, "events")).status_code == status


def test_the_logs_have_a_line_for_each_change(alice: Caller, log_dir: Path) -> None:
    (log_dir / "general.log").write_text("")
    order = alice.order(status="cancelled")
    path = path_of(order)
    alice.patch(path, {"products": [line(name="x")]})
    alice.patch(path, {"status": "confirmed"}, headers={"X-Request-ID": "abc-123"})
    alice.delete(path)
    general = [json.loads(text) for text in (log_dir / "general.log").read_text().splitlines()]
    assert [entry["event"] for entry in general] == [
        "order.created",
        "order.updated",
        "order.status_changed",
        "order.deleted",
    ]
    assert {(entry["user"], entry["order_id"]) for entry in general} == {("alice", order["order_id"])}
    [status_change] = [json.loads(text) for text in (log_dir / "events.log").read_text().splitlines()]
    at = history(Caller.by_token(alice.app, "admin"), order)[2]["at"]
    assert status_change == {
        "at": at,
        "event": "order.status_changed",
        "user": "alice",
        "request_id": "abc-123",
        "order_id": order["order_id"],
        "old_status": "cancelled",
        "new_status": "confirmed",
    }
