"""Dashboards that Grafana can load, and alerts that lead to what to do."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its types are a package of their own

from config import ROOT
from tests.monitoring.files import (
    DASHBOARDS,
    LABELS_OF_PROMETHEUS,
    OF_PROMETHEUS,
    RULES,
    RUNBOOK,
    alerts,
    anchor,
    dashboards,
    panels,
    recorded,
    ruled,
    sections,
    shown,
)
from tests.monitoring.promql import names
from tests.servers import warn_loudly

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
ALERTS_TESTS = sorted(Path(__file__).parent.glob("*.test.yml"))
SEVERITIES = {"critical", "warning", "info"}


def referenced(node: Any) -> list[Any]:
    """Every data source that is named anywhere in a dashboard."""
    if isinstance(node, list):
        return [found for item in node for found in referenced(item)]
    if not isinstance(node, dict):
        return []
    here = [node["datasource"]] if "datasource" in node else []
    return here + [found for value in node.values() for found in referenced(value)]


def test_the_dashboards_are_two_and_have_names_of_their_own() -> None:
    found = dashboards()
    assert {name: dashboard["uid"] for name, dashboard in found.items()} == {
        "business.json": "orders-business",
        "orders.json": "orders",
    }
    assert len({dashboard["title"] for dashboard in found.values()}) == 2


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_panels_are_told_apart_and_do_not_cover_one_another(path: Path) -> None:
    found = panels(dashboards()[path.name])
    twice = [number for number, times in Counter(panel["id"] for panel in found).items() if times > 1]
    assert twice == []
    cells = Counter(
        (x, y)
        for panel in found
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    )
    assert [cell for cell, times in cells.items() if times > 1] == []
    assert max(x for x, _ in cells) < 24
    for panel in found:
        refs = [target["refId"] for target in panel.get("targets", [])]
        assert len(refs) == len(set(refs))
        assert refs or panel["type"] == "row", panel["title"]
        assert panel["title"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_the_data_source_is_the_one_that_is_provided(path: Path) -> None:
    provided = yaml.safe_load((ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text())
    sources = [{"type": source["type"], "uid": source["uid"]} for source in provided["datasources"]]
    found = referenced(dashboards()[path.name])
    assert len(found) > 10
    assert all(source in sources for source in found)


def test_grafana_is_given_the_dashboards_where_it_looks_for_them() -> None:
    provided = yaml.safe_load((ROOT / "deploy/grafana/provisioning/dashboards/orders.yml").read_text())
    grafana = COMPOSE["services"]["grafana"]
    folder = provided["providers"][0]["options"]["path"]
    assert f"./deploy/grafana/dashboards:{folder}:ro" in grafana["volumes"]
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home in {f"{folder}/{path.name}" for path in DASHBOARDS}


def test_prometheus_is_given_the_rules_where_it_looks_for_them() -> None:
    settings = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    assert settings["rule_files"] == [RULES.name]
    assert "./deploy/prometheus:/etc/prometheus:ro" in COMPOSE["services"]["prometheus"]["volumes"]
    jobs = {job["job_name"] for job in settings["scrape_configs"]}
    named = {job for rule in ruled() for job in re.findall(r'\bjob="(\w+)"', rule.text)}
    assert named == jobs


@pytest.mark.parametrize("name", alerts())
def test_an_alert_says_what_is_wrong_and_where_it_is_written_what_to_do(name: str) -> None:
    alert = alerts()[name]
    assert alert["labels"]["severity"] in SEVERITIES
    notes = alert["annotations"]
    assert set(notes) == {"summary", "description", "runbook"}
    page, _, place = notes["runbook"].partition("#")
    assert ROOT / page == RUNBOOK
    assert place == anchor(name)
    known = (
        set.union(*names(alert["expr"]).chosen.values(), names(alert["expr"]).grouped) | LABELS_OF_PROMETHEUS
    )
    for label in re.findall(r"\$labels\.(\w+)", f"{notes}"):
        assert label in known | {"folder"}, label


def test_every_alert_has_a_section_of_the_runbook_and_every_section_an_alert() -> None:
    text = RUNBOOK.read_text()
    assert sections(text) == list(alerts())
    for part in re.split(r"^## .+$", text, flags=re.MULTILINE)[1:]:
        for what in ("**means**", "**people notice**", "**look at**", "**do**"):
            assert what in part.lower(), (what, part[:40])


def test_the_severity_in_the_runbook_is_the_alerts() -> None:
    said = dict(re.findall(r"^## (\w+)\n\n(\w+)", RUNBOOK.read_text(), re.MULTILINE))
    assert {name: word.lower() for name, word in said.items()} == {
        name: alert["labels"]["severity"] for name, alert in alerts().items()
    }


def test_every_query_of_the_runbook_can_be_read() -> None:
    queries = [line for line in RUNBOOK.read_text().splitlines() if re.match(r"(sum|topk)\b.*\(", line)]
    assert len(queries) > 5
    of_the_service = {name for query in queries for name in names(query).chosen}
    shown_or_ruled = {name for expression in (*shown(), *ruled()) for name in names(expression.text).chosen}
    assert of_the_service <= shown_or_ruled | OF_PROMETHEUS | recorded()


def promtool(*arguments: str) -> None:
    """Run Prometheus's own tool on the rules, where there is one."""
    program = shutil.which("promtool")
    if program is None:
        reason = (
            "NO PROMTOOL on the PATH: the alert rules are not tried out. On Debian: apt install prometheus"
        )
        warn_loudly(reason)
        pytest.skip(reason)
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_the_rules() -> None:
    promtool("check", "rules", str(RULES))


def test_the_alerts_fire_when_they_should_and_not_before() -> None:
    tried = {
        case["alertname"]
        for path in ALERTS_TESTS
        for group in yaml.safe_load(path.read_text())["tests"]
        for case in group["alert_rule_test"]
        if case.get("exp_alerts")
    }
    assert tried == set(alerts())
    promtool("test", "rules", *map(str, ALERTS_TESTS))
