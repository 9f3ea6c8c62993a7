"""FA21: the clock of the machine jumps by two hours, forth and back."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from orders_app.orders import routes
from orders_app.orders.showing import shown_order
from orders_app.shared.clock import utcnow
from orders_app.shared.events import Event
from orders_app.shared.signals import events_recorded
from tests.callers import ORDERS, Caller, path_of
from tests.factories import body, logged_in

TWO_HOURS = timedelta(hours=2)


def durations(caller: Caller) -> list[float]:
    """The sums of all durations that the metrics tell of."""
    text = caller.get("/metrics/").text
    return [float(value) for value in re.findall(r"duration_seconds_sum\{.*\} (\S+)", text)]


def moments(history: list[dict[str, Any]]) -> list[str]:
    return [event["at"] for event in history]


@pytest.mark.parametrize("jump", [TWO_HOURS, -TWO_HOURS], ids=["two hours on", "two hours back"])
def test_fa21_the_clock_jumps(app: Flask, alice: Caller, jump: timedelta) -> None:
    """Tokens count by the clock, the history by the version, and no duration is negative.

    An access token of before is over two hours later, and two hours earlier it is not good yet; what
    was issued under the clock as it is now is good in either case, and so is a password.
    """
    pair = logged_in(app, "alice")
    order = alice.order()
    before = durations(alice)
    with time_machine.travel(utcnow() + jump, tick=True):
        assert alice.read(order).status_code == 401
        by_password = Caller.by_password(app, "alice")
        assert by_password.read(order).status_code == 200
        refreshed = by_password.post(
            "/api/v1/refresh/", {"refresh": pair["refresh"]}, headers={"Authorization": ""}
        )
        assert refreshed.status_code == (200 if jump > timedelta() else 401)
        now = Caller.by_token(app, "alice")
        changed = now.patch(path_of(order), {"status": "confirmed"})
        assert (changed.status_code, changed.get_json()["version"]) == (200, 2)
        assert now.read(order).get_json() == changed.get_json(), "the cache goes by versions too"
        assert now.post(ORDERS, body()).status_code == 201
        deleted = now.order()
        assert now.delete(path_of(deleted)).status_code == 204
    back = alice.patch(path_of(order), {"status": "pending"})
    assert (back.status_code, back.get_json()["version"]) == (200, 3)
    history = alice.get(path_of(order, "events")).get_json()
    assert [event["sequence"] for event in history] == [1, 2, 3]
    assert [event.get("new_status") for event in history] == [None, "confirmed", "pending"]
    assert moments(history) != sorted(moments(history)), "the times are the clock's, as it was"
    after = durations(alice)
    assert all(value >= 0 for value in after)
    assert 0 <= sum(after) - sum(before) < 60


def sums_by_endpoint(caller: Caller) -> dict[str, tuple[float, float]]:
    """The number of requests of each method and endpoint, and the sum of their durations."""
    text = caller.get("/metrics/").text
    line = r"^orders_http_request_duration_seconds_{}(\{{.*\}}) (\S+)$"
    found = {kind: dict(re.findall(line.format(kind), text, re.MULTILINE)) for kind in ("count", "sum")}
    return {labels: (float(found["count"][labels]), float(value)) for labels, value in found["sum"].items()}


@pytest.mark.parametrize("jump", [TWO_HOURS, -TWO_HOURS], ids=["two hours on", "two hours back"])
def test_fa21_the_clock_jumps_inside_of_requests(
    app: Flask, monkeypatch: pytest.MonkeyPatch, jump: timedelta
) -> None:
    """In each of them once, between its beginning and its end: it takes as long as it takes."""
    alice = Caller.by_password(app, "alice")
    before = sums_by_endpoint(alice)
    jumps: list[str] = []
    with time_machine.travel(utcnow(), tick=True) as clock:

        def while_writing(_sender: object, events: tuple[Event, ...], **_payload: object) -> None:
            jumps.append(events[0].name)
            clock.shift(jump)

        def while_reading(*given: Any) -> Any:
            jumps.append("read")
            clock.shift(jump)
            return shown_order(*given)

        monkeypatch.setattr(routes, "shown_order", while_reading)
        with events_recorded.connected_to(while_writing):
            order = alice.order()
            assert alice.read(order).get_json() == order
            changed = alice.patch(path_of(order), {"status": "confirmed"})
            assert (changed.status_code, changed.get_json()["version"]) == (200, 2)
            assert alice.read(order).get_json() == changed.get_json()
            assert alice.put(path_of(order), body()).status_code == 200
            assert alice.delete(path_of(order)).status_code == 204
    assert [name for name in jumps if name.startswith("order")] == [
        *("order.created", "order.status_changed", "order.updated", "order.deleted")
    ]
    assert jumps.count("read") == 2
    after = sums_by_endpoint(alice)
    changes = {
        labels: (number - before.get(labels, (0, 0))[0], seconds - before.get(labels, (0, 0))[1])
        for labels, (number, seconds) in after.items()
    }
    taken = {labels: seconds for labels, (number, seconds) in changes.items() if number}
    assert len(taken) >= 5, "one method and endpoint each"
    assert all(0 < seconds < 60 for seconds in taken.values()), taken


def test_fa21_failed_log_ins_are_not_held_against_anyone_for_longer(app: Flask, anonymous: Caller) -> None:
    """A minute that began two hours from now is over: nobody waits for a clock that was put right."""
    wrong = {"username": "alice", "password": "wrong password"}
    with time_machine.travel(utcnow() + TWO_HOURS, tick=True):
        for _ in range(30):
            assert anonymous.post("/api/v1/login/", wrong).status_code == 401
        refused = anonymous.post("/api/v1/login/", wrong)
        assert refused.status_code == 429
        assert 0 < int(refused.headers["Retry-After"]) <= 60
    answer = anonymous.post("/api/v1/login/", wrong)
    assert answer.status_code == 401 or 0 < int(answer.headers["Retry-After"]) <= 60
