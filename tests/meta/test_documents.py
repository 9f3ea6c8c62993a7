"""What the documents say of settings and rules is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config import NUMBERS, ROOT, Config, setting_names
from orders_app.orders.domain import TRANSITIONS, OrderStatus
from orders_app.shared.identity import Role

OPERATIONS = (ROOT / "docs/operations.md").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()
API = (ROOT / "docs/api.md").read_text()
SET_BY_COMPOSE = {
    *("DATABASE_URL", "REDIS_URL", "HOST", "PORT"),
    *("LOG_DIR", "CACHE_DIR", "PROMETHEUS_MULTIPROC_DIR", "UPLOAD_DIR"),
}
"""What a container has only one good value for."""
COMPOSE_ONLY = {"ADMIN_PASSWORD", "POSTGRES_PASSWORD", "GRAFANA_PASSWORD", "API_PORT", "GRAFANA_PORT"}


def section(text: str, heading: str) -> str:
    return text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def test_every_setting_is_described_and_nothing_else() -> None:
    described = re.findall(r"^\| `([A-Z_]+)` \|", section(OPERATIONS, "Settings"), re.MULTILINE)
    assert sorted(described) == sorted(setting_names())


def test_every_setting_is_in_the_example_and_nothing_else() -> None:
    named = re.findall(r"^#?([A-Z_]+)=", EXAMPLE, re.MULTILINE)
    assert sorted(set(named)) == sorted({*setting_names(), *COMPOSE_ONLY})


def test_the_example_changes_nothing_until_it_is_edited() -> None:
    assert re.findall(r"^[A-Z_]+=", EXAMPLE, re.MULTILINE) == []


def test_the_compose_file_hands_on_every_setting_of_the_example() -> None:
    named = set(re.findall(r"^#([A-Z_]+)=", EXAMPLE, re.MULTILINE))
    handed_on = set(re.findall(r"\$\{([A-Z_]+):-", (ROOT / "docker-compose.yml").read_text()))
    assert named - handed_on == SET_BY_COMPOSE


@pytest.mark.parametrize("name", sorted(NUMBERS))
def test_the_documented_default_of_a_number_is_the_default(name: str) -> None:
    row = re.search(rf"^\| `{name}` \| ([^|]+) \|", OPERATIONS, re.MULTILINE)
    assert row is not None
    if name != "WORKERS":
        assert int(row.group(1).replace(",", "")) == getattr(Config(), name.lower())


def test_the_lifecycle_of_the_documents_is_the_domains() -> None:
    table = API.split("<!-- lifecycle -->", 1)[1].split("<!-- /lifecycle -->", 1)[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.MULTILINE)
    assert rows == [(status.value, _moves(status)) for status in OrderStatus]


def _moves(status: OrderStatus) -> str:
    moves = [
        f"`{to.value}`" + (" (admin only)" if least is Role.ADMIN else "")
        for to, least in TRANSITIONS[status].items()
    ]
    return ", ".join(moves) or "nothing"


@pytest.mark.parametrize(
    "page", sorted(ROOT.glob("docs/**/*.md")) + sorted(ROOT.glob("*.md")), ids=lambda page: page.name
)
def test_every_link_inside_the_project_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), target
