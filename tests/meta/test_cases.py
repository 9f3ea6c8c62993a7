"""Each case of attack and fault that the project answers for has a test that carries its number.

AN authentication, AZ authorization, IN input, CA caching, CO concurrency, ID idempotency, FA faults, LO logs,
ME metrics, AD the panel, HT HTTP.  A test is named `test_an01_…`; one that covers two cases names both.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from config import ROOT

NUMBERS = {
    "AN": "01 02 04 05 07 08 10 11 13 14 16 17 19 20 22 23 25 26 28 29 31 32 34 35",
    "AZ": "02 03 05 06 08 09 13 14 16 17",
    "IN": "01 02 04 05 07 08 10 11 13 14 16 17 19 20 23 24 26 27 29 30 32 33 35 36 38",
    "CA": "01 03 04 06 07 09 10 12 13 15 16 18 19 21 22 24 25",
    "CO": "01 02 05 06 08 09",
    "ID": "01 02 04 05 07 08 11 12",
    "FA": "02 03 05 06 08 09 11 12 14 15 17 18 20 21 23 24 26",
    "LO": "01 03 04 06 07",
    "ME": "01 02 04 05",
    "AD": "01 02 04 05 07 08 10 11 13 14 16 17",
    "HT": "01 02 04 05 07 08 10 11 13 14 16 17",
}
CASES = [f"{block}{number}" for block, numbers in NUMBERS.items() for number in numbers.split()]


@pytest.fixture(scope="module")
def carried() -> dict[str, list[str]]:
    """The tests that carry each number."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name in functions_of(path):
            begins = re.match(r"test((?:_[a-z]{2}\d{2})+)_", name)
            for number in begins[1].upper().split("_")[1:] if begins else ():
                found.setdefault(number, []).append(f"{path.name}::{name}")
    return found


def functions_of(path: Path) -> list[str]:
    tree = ast.parse(path.read_text())
    return [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


@pytest.mark.parametrize("case", CASES)
def test_every_case_has_a_test(carried: dict[str, list[str]], case: str) -> None:
    assert carried.get(case), f"no test is named test_{case.lower()}_…"


def test_every_number_is_a_case(carried: dict[str, list[str]]) -> None:
    assert sorted(set(carried) - set(CASES)) == []


def test_there_are_as_many_cases_as_there_are() -> None:
    assert len(CASES) == len(set(CASES)) == 140
