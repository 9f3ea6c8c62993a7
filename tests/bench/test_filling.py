"""What the filler writes is what the service would have written."""

from __future__ import annotations

from flask import Flask

from benchmarks.checking import differences
from benchmarks.contenders import path_of
from benchmarks.dataset import OWNERS, Dataset
from benchmarks.filling import fill
from tests.callers import Caller


def test_the_service_takes_what_was_filled_in_for_its_own(app: Flask) -> None:
    dataset = Dataset.of(60)
    fill(app.config["ORDERS"].database_url, dataset.orders, app.config["ORDERS"].history_secret)
    shop = Caller.by_password(app, OWNERS[3].name, OWNERS[3].password)
    order = dataset.orders[3]
    answer = shop.get(path_of(order))
    assert differences(order, order.total_cents, answer.get_json()) == []
    shown = [row["order_id"] for row in shop.orders(q="LANTERN")]
    own, _ = dataset.page(OWNERS[3])
    named = [row for row in own if any("lantern" in line.name for line in row.lines)]
    assert named
    assert shown == [str(row.order_id) for row in named]


def test_the_history_is_the_services_own(app: Flask) -> None:
    dataset = Dataset.of(60)
    fill(app.config["ORDERS"].database_url, dataset.orders, app.config["ORDERS"].history_secret)
    done = app.test_cli_runner().invoke(args=["orders", "verify"])
    assert done.exit_code == 0, done.output
    assert "60 orders, 60 events; 0 findings" in done.output
