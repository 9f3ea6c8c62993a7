"""What the documents on security name is there: every test, every requirement of the standard."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from config import ROOT

SECURITY = ROOT / "docs/security.md"
ASVS = ROOT / "docs/asvs.md"
TEST = re.compile(r"`(tests/[\w/]+\.py)::([\w:]+)`")
CASE = re.compile(r"`([A-Z]{2}\d\d)`")
STATES = ("Met", "Partly", "Gap", "Operator", "n/a")

# OWASP ASVS 5.0.0: the last requirement of level 1 or 2 in each section.  They come first everywhere;
# sections that are not named here have requirements of level 3 only.
LAST = dict(
    re.findall(
        r"(\d+\.\d+)\.(\d+)",
        "1.1.2 1.2.9 1.3.11 1.4.3 1.5.2 2.1.3 2.2.3 2.3.4 2.4.1 3.2.2 3.3.4 3.4.6 3.5.5 3.7.2 4.1.3 4.2.1 "
        "4.3.2 4.4.4 5.1.1 5.2.3 5.3.2 5.4.3 6.1.3 6.2.12 6.3.4 6.4.4 6.5.5 6.6.3 6.8.4 7.1.3 7.2.4 7.3.2 "
        "7.4.5 7.5.2 7.6.2 8.1.2 8.2.3 8.3.1 8.4.1 9.1.3 9.2.4 10.1.2 10.2.2 10.3.4 10.4.11 10.5.5 10.6.2 "
        "10.7.3 11.1.2 11.2.3 11.3.3 11.4.4 11.5.1 11.6.1 12.1.3 12.2.2 12.3.4 13.1.1 13.2.5 13.3.2 13.4.5 "
        "14.1.2 14.2.4 14.3.3 15.1.3 15.2.3 15.3.7 16.1.1 16.2.5 16.3.4 16.4.3 16.5.3 17.1.1 17.2.4 17.3.2",
    )
)
OF_LEVEL = {1: 70, 2: 183}


@cache
def functions_of(path: Path) -> frozenset[str]:
    """The tests of a file, those of classes as `Class::test`."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {
                f"{node.name}::{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)
            }
    return frozenset(found)


@cache
def all_tests() -> frozenset[str]:
    """The bare names of all tests of the suite."""
    files = (ROOT / "tests").rglob("test_*.py")
    return frozenset(name.rpartition("::")[2] for path in files for name in functions_of(path))


def rows(page: Path) -> list[list[str]]:
    """The cells of every row of every table, without headings."""
    lines = [line for line in page.read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def requirements() -> list[tuple[str, int, list[str]]]:
    """Number, level and cells of each requirement; a range stands for all that it covers."""
    found = []
    for cells in rows(ASVS):
        match = re.match(r"(\d+\.\d+)\.(\d+)(?:–(\d+\.\d+)\.(\d+))? ", cells[0])
        if match is None:
            continue
        section, first, same, last = match.groups()
        assert same in {None, section}, cells[0]
        found += [
            (f"{section}.{number}", int(cells[1]), cells)
            for number in range(int(first), int(last or first) + 1)
        ]
    return found


@pytest.mark.parametrize("page", [SECURITY, ASVS], ids=lambda page: page.name)
def test_every_test_that_is_named_exists(page: Path) -> None:
    named = set(TEST.findall(page.read_text()))
    assert len(named) > 20
    missing = {
        f"{file}::{name}"
        for file, name in named
        if not (ROOT / file).is_file() or name not in functions_of(ROOT / file)
    }
    assert missing == set()


@pytest.mark.parametrize("page", [SECURITY, ASVS], ids=lambda page: page.name)
def test_every_case_that_is_named_has_a_test(page: Path) -> None:
    named = set(CASE.findall(page.read_text()))
    assert len(named) > 10
    missing = {
        case for case in named if not any(name.startswith(f"test_{case.lower()}_") for name in all_tests())
    }
    assert missing == set()


@pytest.mark.parametrize("page", [SECURITY, ASVS], ids=lambda page: page.name)
def test_every_link_to_a_section_leads_to_one(page: Path) -> None:
    for target, section in re.findall(r"\]\(([\w/.-]*)#([\w-]+)\)", page.read_text()):
        text = (page.parent / target if target else page).read_text()
        headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        assert section in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_requirement_of_levels_1_and_2_stands_there_once() -> None:
    expected = {f"{section}.{number}" for section, last in LAST.items() for number in range(1, int(last) + 1)}
    counted = Counter(number for number, _, _ in requirements())
    assert [number for number, times in counted.items() if times > 1] == []
    assert set(counted) == expected
    assert Counter(level for _, level, _ in requirements()) == OF_LEVEL


def test_every_requirement_says_how_and_shows_it_where_it_claims_to_be_met() -> None:
    for number, _, cells in requirements():
        assert len(cells) == 4, number
        how, shown = cells[2:]
        state = re.match(r"\*\*([\w/]+)\*\*", how)
        assert state is not None, number
        assert state[1] in STATES, number
        named = TEST.search(shown) or CASE.search(shown) or ".ci/run" in shown
        if state[1] == "Met":
            assert named, number
        else:
            assert named or shown == "–", number


def test_the_threat_model_says_for_each_threat_what_stands_against_it() -> None:
    table = SECURITY.read_text().split("### STRIDE at each boundary", 1)[1].split("\n### ", 1)[0]
    threats = [line.strip("|").split(" | ") for line in table.splitlines() if re.match(r"\| \d", line)]
    assert len(threats) > 20
    for cells in threats:
        assert len(cells) == 4, cells
        assert all(cell.strip() for cell in cells), cells
        assert TEST.search(cells[3]) or CASE.search(cells[3]) or "accepted" in cells[3], cells
    letters = set("".join(re.findall(r"\*\*([STRIDE])\*\*", table)))
    assert letters == set("STRIDE")
