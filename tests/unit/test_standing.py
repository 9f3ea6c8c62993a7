"""The gauges of how things stand: asked for now and then, and never waited for long."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import Metric

from orders_app.http.standing import Gauges, free_space, gauge, gauge_by
from tests.servers import wait_until

AWAY = [gauge("up", "", 0.0)]


def values(gauges: Gauges) -> dict[str, float]:
    """By the name, or the label where there is one."""
    return {
        next(iter(sample.labels.values()), sample.name): sample.value
        for family in gauges.collect()
        for sample in family.samples
    }


def test_nobody_is_asked_at_every_scrape() -> None:
    asked = []

    def ask() -> Sequence[Metric]:
        asked.append(1)
        return [gauge("up", "", 1.0), gauge_by("orders", "", "status", {"pending": 2})]

    gauges = Gauges("orders", ask, seconds=60)
    assert [values(gauges) for _ in range(3)] == [{"up": 1.0, "pending": 2.0}] * 3
    assert len(asked) == 1


def test_what_fails_is_told_instead_and_asked_for_again_later() -> None:
    answers = [None, [gauge("up", "", 1.0)]]

    def ask() -> Sequence[Metric]:
        answer = answers.pop(0)
        if answer is None:
            raise RuntimeError("nobody is there")
        return answer

    gauges = Gauges("orders", ask, otherwise=AWAY, seconds=0)
    assert [values(gauges) for _ in range(2)] == [{"up": 0.0}, {"up": 1.0}]


def test_what_was_good_is_not_told_once_it_fails() -> None:
    answers = [[gauge("up", "", 1.0), gauge("orders_deleted", "", 3)]]
    gauges = Gauges("orders", answers.pop, otherwise=AWAY, seconds=0)
    assert [values(gauges) for _ in range(2)] == [{"up": 1.0, "orders_deleted": 3.0}, {"up": 0.0}]


def test_what_is_slow_is_not_waited_for_and_asked_once() -> None:
    asked, answer = [], threading.Event()

    def ask() -> Sequence[Metric]:
        asked.append(1)
        answer.wait(30)
        return [gauge("up", "", 1.0)]

    gauges = Gauges("orders", ask, otherwise=AWAY, seconds=60, patience=0.01)
    assert [values(gauges) for _ in range(3)] == [{"up": 0.0}] * 3
    answer.set()
    wait_until(lambda: values(gauges) == {"up": 1.0}, what="the answer", seconds=10)
    assert len(asked) == 1


def test_a_folder_that_is_gone_is_left_out(tmp_path: Path) -> None:
    [family] = free_space({"logs": tmp_path, "metrics": tmp_path / "gone"})
    assert [sample.labels for sample in family.samples] == [{"folder": "logs"}]
    assert family.samples[0].value > 0
