"""The code itself: how packages depend on one another, and what it does not contain."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from config import ROOT

LONGEST = 300
MAY_SKIP = {
    "tests/servers.py": "no Redis can be had",
    "tests/browser/conftest.py": "no Chromium can be had",
    "tests/cli/test_import.py": "the sample of a real shop is not part of the project",
    "tests/monitoring/test_files.py": "no promtool is there to try the alert rules",
    "tests/unit/test_ended_processes.py": "no disk can be mounted",
}


@pytest.fixture(scope="module")
def sources() -> list[Path]:
    folders = ("orders_app", "tests", "migrations", "deploy", "benchmarks")
    return [*ROOT.glob("*.py"), *(path for folder in folders for path in (ROOT / folder).rglob("*.py"))]


def test_packages_import_only_what_they_may() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([str(program), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("word", ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"])
def test_nothing_is_left_for_later(sources: list[Path], word: str) -> None:
    found = [str(path.relative_to(ROOT)) for path in sources if re.search(rf"\b{word}\b", path.read_text())]
    assert found == []


def test_no_test_is_skipped(sources: list[Path]) -> None:
    """But for what a machine may lack, by name."""
    marks = re.compile(r"pytest\.(skip|xfail|importorskip)\(|mark\.(skip|skipif|xfail)\b")
    found = {str(path.relative_to(ROOT)) for path in sources if marks.search(path.read_text())}
    assert found - {"tests/meta/test_code.py"} <= set(MAY_SKIP)


def test_no_file_outgrows_a_page_or_six(sources: list[Path]) -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in sources
        if "migrations/versions" not in str(path) and (lines := path.read_text().count("\n")) > LONGEST
    }
    assert {name: lines for name, lines in long.items() if not name.startswith("tests/")} == {}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-bench.txt"])
def test_every_requirement_is_pinned(name: str) -> None:
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]
    wanted = [line for line in lines if line and not line.startswith("-")]
    assert wanted
    assert [line for line in wanted if "==" not in line] == []
