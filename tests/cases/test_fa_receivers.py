"""FA14: a receiver of events raises."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask import Flask

from orders_app.shared.events import Event
from orders_app.shared.signals import access_denied, event_committed
from tests.callers import ORDERS, Caller, path_of
from tests.factories import body

FAILURES = 'orders_event_receiver_failures_total{receiver="fail_fa14"}'
told: list[str] = []


def fail_fa14(_sender: object, **_payload: object) -> None:
    raise ValueError("the receiver has failed")


def listen_fa14(_sender: object, event: Event) -> None:
    told.append(event.name)


def failures(caller: Caller) -> float:
    text = caller.get("/metrics/").text
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(FAILURES))


def test_fa14_an_event_receiver_raises(
    app: Flask, alice: Caller, anonymous: Caller, log_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer is what it would have been, the event is there once, others are told, and it is counted."""
    told.clear()
    before = failures(alice)
    with event_committed.connected_to(fail_fa14), event_committed.connected_to(listen_fa14):
        made = alice.post(ORDERS, body())
        changed = alice.patch(path_of(made.get_json()), {"status": "confirmed"})
    assert (made.status_code, changed.status_code) == (201, 200)
    assert alice.read(made.get_json()).get_json() == changed.get_json()
    events = alice.get(path_of(made.get_json(), "events")).get_json()
    assert [event["event"] for event in events] == ["order.created", "order.status_changed"] == told
    lines = [json.loads(line) for line in (log_dir / "events.log").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["order.status_changed"]
    assert failures(alice) == before + 2
    assert caplog.text.count("fail_fa14 could not be told") == 2


def test_fa14_a_receiver_of_refusals_raises(app: Flask, alice: Caller, anonymous: Caller) -> None:
    """Likewise for who is told of failed log-ins: the answer stays the 401 that it is."""
    before = failures(alice)
    with access_denied.connected_to(fail_fa14):
        answer = anonymous.post("/api/v1/login/", {"username": "alice", "password": "wrong password"})
        assert answer.status_code == 401
        assert anonymous.get(ORDERS, headers={"Authorization": "Bearer x.y.z"}).status_code == 401
    assert failures(alice) == before + 2
