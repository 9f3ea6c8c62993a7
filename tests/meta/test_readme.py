"""The commands of the README are run, and answer what it shows.

Commands stand in fenced `console` blocks after `$ `; what follows is what they print.  `make …` is what
starts the server, which is here one of the test's own on another port; ids, times, tokens and the
like may differ, everything else may not.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from config import ROOT
from tests.server.processes import ADMIN_PASSWORD, serving

ADDRESS = "127.0.0.1:8000"
PLACEHOLDER = "PASSWORD='…'"
MADE_UP = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d{2}-\d{2}T[\d:.]+Z|eyJ[\w-]+\.[\w-]+\.[\w-]+",
    re.ASCII,
)
SEPARATOR = "---- end of a command ----"


@dataclass
class Step:
    """One command, and what the page shows of its output."""

    command: str
    shown: list[str] = field(default_factory=list)


def steps(page: Path) -> list[Step]:
    found: list[Step] = []
    for block in re.findall(r"^```console\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Step(line.removeprefix("$ ")))
            elif found[-1].command.endswith("\\") and not found[-1].shown:
                found[-1].command += "\n" + line
            else:
                found[-1].shown.append(line)
    return [step for step in found if not step.command.startswith("make ")]


def outline(text: str) -> Any:
    """What must be equal: JSON as values, text as it is, whatever is made up anew replaced."""
    settled = MADE_UP.sub("…", text.strip())
    try:
        return json.loads(settled)
    except json.JSONDecodeError:
        return settled


PAGES = [page for page in (ROOT / "README.md", ROOT / "README.ru.md") if steps(page)]


def test_the_readme_has_commands() -> None:
    assert ROOT / "README.md" in PAGES


@pytest.mark.server
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_do_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    assert shutil.which("curl"), "the README calls the API with curl"
    wanted = steps(page)
    with serving(tmp_path) as server:
        script = "".join(f"{step.command}\necho; echo '{SEPARATOR}'\n" for step in wanted)
        script = script.replace(ADDRESS, f"127.0.0.1:{server.port}")
        script = script.replace(PLACEHOLDER, f"PASSWORD='{ADMIN_PASSWORD}'")
        done = subprocess.run(
            ["bash", "-u"],
            input=script,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=ROOT,
            env=server.environment,
        )
    printed = done.stdout.split(SEPARATOR + "\n")[:-1]
    assert (done.returncode, done.stderr) == (0, "")
    for step, output in zip(wanted, printed, strict=True):
        assert outline(output) == outline("\n".join(step.shown)), step.command
