"""The dashboards, the rules and the runbook as they are in `deploy/` and `docs/`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import yaml  # type: ignore[import-untyped]  # its types are a package of their own

from config import ROOT

RULES = ROOT / "deploy/prometheus/alerts.yml"
RUNBOOK = ROOT / "docs/runbook.md"
DASHBOARDS = sorted((ROOT / "deploy/grafana/dashboards").glob("*.json"))
OF_PROMETHEUS = {"up", "ALERTS"}
"""What Prometheus makes itself."""
LABELS_OF_PROMETHEUS = {"job", "instance", "alertstate", "alertname", "severity"}


@dataclass(frozen=True)
class Expression:
    """An expression, and where it stands."""

    place: str
    text: str
    is_about_now: bool = False

    def __str__(self) -> str:
        return self.place


def rules() -> list[dict[str, Any]]:
    """All rules of all groups."""
    groups: list[dict[str, Any]] = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def recorded() -> set[str]:
    """The names that rules record under."""
    return {rule["record"] for rule in rules() if "record" in rule}


def dashboards() -> dict[str, dict[str, Any]]:
    return {path.name: json.loads(path.read_text()) for path in DASHBOARDS}


def panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """All panels, those inside of rows too."""
    return [inner for panel in dashboard["panels"] for inner in (panel, *panel.get("panels", []))]


def shown() -> list[Expression]:
    """Every expression of the dashboards, with Grafana's variables as it would fill them in."""
    return [
        Expression(
            f"{name}: {panel['title']} {target['refId']}", filled_in(target["expr"]), target["instant"]
        )
        for name, dashboard in dashboards().items()
        for panel in panels(dashboard)
        for target in panel.get("targets", [])
    ]


def ruled() -> list[Expression]:
    """Every expression of the rules."""
    return [Expression(f"rule {rule.get('alert') or rule['record']}", rule["expr"]) for rule in rules()]


def filled_in(text: str) -> str:
    """With all endpoints chosen, an hour shown, and a scrape every fifteen seconds."""
    for variable, value in (("$endpoint", ".*"), ("$__rate_interval", "1m"), ("$__range", "1h")):
        text = text.replace(variable, value)
    assert "$" not in text, text
    return text


def sections(text: str) -> list[str]:
    """The headings of the second level."""
    return re.findall(r"^## (.+)$", text, re.MULTILINE)


def anchor(heading: str) -> str:
    """What GitHub makes of a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
