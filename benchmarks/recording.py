"""Writes `docs/performance.md` and the short table of the README, between their marks; plots, raw figures."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.load import BENCH_PYTHON
from benchmarks.report import Row, in_markdown, replaced
from benchmarks.runner import Results
from benchmarks.summary import READMES, summary
from config import ROOT

DOCUMENT: Final = ROOT / "docs/performance.md"
RAW: Final = ROOT / "docs/performance.json"
IMAGES: Final = ROOT / "docs/images"
PLOTS: Final = {
    "performance-connections.svg": "Requests a second over connections",
    "performance-growth.svg": "Time of a page over the number of orders",
}


def record(
    rows: Sequence[Row],
    results: Results,
    raw: Mapping[str, Any],
    machine: Mapping[str, str],
    words: Sequence[str],
) -> None:
    """Write everything.  Raises `ValueError` where the document has lost its marks."""
    now = datetime.now(UTC)
    runs = {
        f"{case}, {contender}": [None if run is None else {**asdict(run), "rate": run.rate} for run in found]
        for (case, contender), found in results.runs.items()
    }
    said = {"at": now.isoformat(), "machine": dict(machine), "runs": runs, "voids": results.voids, **raw}
    RAW.write_text(json.dumps(said, indent=1) + "\n")
    drawn = _draw()
    command = "make bench" + (f" ARGS={shlex.quote(shlex.join(words))}" if words else "")
    text = recorded(rows, machine, f"{now:%d %B %Y}, `{command}`.", drawn, results.voids)
    DOCUMENT.write_text(replaced(DOCUMENT.read_text(), text))
    write_summaries(said)


def write_summaries(raw: Mapping[str, Any]) -> None:
    """Put the few figures that the READMEs show between their marks."""
    for language, readme in READMES.items():
        readme.write_text(replaced(readme.read_text(), summary(raw, language)))


def recorded(
    rows: Sequence[Row], machine: Mapping[str, str], heading: str, plots: Sequence[str], voids: Sequence[str]
) -> str:
    """The recorded part, in Markdown."""
    parts = [
        "## What was measured",
        f"{heading} Ratios are medians of the rounds, with the least and the greatest.",
        in_markdown(rows),
        *(f"Void: {void}" for void in voids),
        *(f"![{PLOTS[name]}](images/{name})" for name in plots),
        "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in machine.items())]),
        "Each run's own figures are in [performance.json](performance.json).",
    ]
    return "\n\n".join(parts)


def _draw() -> list[str]:
    """Draw what there is to draw; the names of the plots."""
    subprocess.run(  # the library that draws is installed with the peers
        [str(BENCH_PYTHON), str(Path(__file__).with_name("plots.py")), str(RAW), str(IMAGES)], check=True
    )
    raw = json.loads(RAW.read_text())
    return [name for name in PLOTS if name.removeprefix("performance-").removesuffix(".svg") in raw]
