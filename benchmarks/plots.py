"""Draws the plots of `docs/performance.md` from its raw figures: `plots.py performance.json images/`.

It runs in the environment of the peers, where matplotlib is, and knows nothing else of the project.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

# The same figures give the same bytes.
mpl.rcParams["svg.hashsalt"] = "orders"
mpl.rcParams["svg.fonttype"] = "none"
SIZE = (8, 4.5)


def connections(raw: dict[str, Any], target: Path) -> None:
    """One line a contender."""
    figure = Figure(SIZE, layout="constrained")
    axes = figure.subplots(1, 2)
    for axis, case in zip(axes, ("cached-read", "read"), strict=True):
        for curve in raw["curves"]:
            if curve["case"] == case:
                rates = {int(number): rate for number, rate in curve["rates"].items()}
                axis.plot(list(rates), list(rates.values()), marker="o", label=curve["contender"])
        axis.set_xscale("log", base=4)
        axis.set_xticks([1, 4, 16, 64], ["1", "4", "16", "64"])
        axis.set_ylim(bottom=0)
        axis.set_title(case)
        axis.set_xlabel("connections")
        axis.legend()
    axes[0].set_ylabel("requests a second")
    figure.savefig(target, metadata={"Date": None})


def growth(raw: dict[str, Any], target: Path) -> None:
    """One bar a filter: the worst ordering of each kind of page."""
    kinds = list(dict.fromkeys(page["kind"] for page in raw["pages"]))
    names = list(dict.fromkeys(page["filter"] for page in raw["pages"]))
    figure = Figure((SIZE[0], SIZE[1] + 1), layout="constrained")
    axis = figure.subplots()
    width = 0.8 / len(kinds)
    for number, kind in enumerate(kinds):
        worst = [
            max(page["ratio"] for page in raw["pages"] if (page["kind"], page["filter"]) == (kind, name))
            for name in names
        ]
        places = [place + (number - (len(kinds) - 1) / 2) * width for place in range(len(names))]
        axis.barh(places, worst, width, label=kind)
    axis.axvline(1.3, color="black", linestyle="--", linewidth=1)
    axis.set_xscale("log")
    axis.set_xlim(left=0.5)
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_formatter("")
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    small, large = raw["counts"]
    axis.set_xlabel(f"time at {large:,} orders / time at {small:,}, worst ordering (dashed: 1.3)")
    axis.legend()
    figure.savefig(target, metadata={"Date": None})


def main(source: str, folder: str) -> None:
    """Draw what there are figures for."""
    raw = json.loads(Path(source).read_text())
    Path(folder).mkdir(exist_ok=True)
    for name, draw in {"connections": connections, "growth": growth}.items():
        if name in raw:
            draw(raw[name], Path(folder) / f"performance-{name}.svg")


if __name__ == "__main__":
    main(*sys.argv[1:])
