"""Whatever the dashboards and the alerts ask for is there, in a scrape of the running server."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from config import ROOT
from tests.callers import ORDERS, basic, path_of
from tests.factories import body
from tests.monitoring.files import LABELS_OF_PROMETHEUS, OF_PROMETHEUS, Expression, recorded, ruled, shown
from tests.monitoring.promql import names
from tests.scrapes import TOKEN, Scrape
from tests.server.processes import BACKENDS, ServerProcess, serving_on

pytestmark = pytest.mark.server


@pytest.fixture(scope="module", params=BACKENDS)
def scraped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scrape]:
    """What Prometheus gets after a little of everything."""
    with serving_on(request, tmp_path_factory.mktemp("server"), METRICS_TOKEN=TOKEN) as server:
        a_little_of_everything(server)
        yield Scrape(server.request("GET", "/metrics/", auth=f"Bearer {TOKEN}").body.decode())


def a_little_of_everything(server: ServerProcess) -> None:
    order = server.as_admin("POST", ORDERS, body()).json()
    assert server.as_admin("PATCH", path_of(order), {"status": "confirmed"}).status == 200
    assert server.as_admin("GET", ORDERS).status == 200
    assert server.as_admin("GET", path_of(order)).status == 200
    assert server.as_admin("POST", ORDERS, body()).status == 201
    assert server.request("GET", ORDERS, auth=basic("admin", "a wrong one")).status == 401
    assert server.request("GET", "/nothing/").status == 404


@pytest.mark.parametrize("expression", [*shown(), *ruled()], ids=str)
def test_it_names_only_what_is_exported(scraped: Scrape, expression: Expression) -> None:
    found = names(expression.text)
    assert found.chosen
    made_by_prometheus = OF_PROMETHEUS | recorded()
    labels = set(LABELS_OF_PROMETHEUS)
    for name, chosen in found.chosen.items():
        if name in made_by_prometheus:
            continue
        assert name in scraped.names()
        assert chosen <= scraped.labels_of(name) | LABELS_OF_PROMETHEUS, name
        labels |= scraped.labels_of(name)
    assert found.grouped <= labels


def test_everything_that_is_exported_is_shown_or_watched(scraped: Scrape) -> None:
    asked = {name for expression in (*shown(), *ruled()) for name in names(expression.text).chosen}
    histogram = "orders_http_request_duration_seconds"
    assert scraped.names() - asked == {f"{histogram}_count", f"{histogram}_sum"}


def test_everything_that_is_exported_is_documented(scraped: Scrape) -> None:
    text = (ROOT / "docs/operations.md").read_text().split("\n## Metrics\n", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| (`orders_.*?) \|", text, re.MULTILINE)
    documented = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    exported = {re.sub(r"(duration_seconds)_(bucket|count|sum)$", r"\1", name) for name in scraped.names()}
    assert documented == exported
