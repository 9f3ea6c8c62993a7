"""The table: on the terminal, and in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.cases import Case
from benchmarks.figures import Verdict, shown
from benchmarks.runner import Results

HEADINGS: Final = ("case", "what is done", "measured", "bar", "ratio (least–greatest)", "reached")
REACHED: Final = {True: "yes", False: "NO", None: "–"}
BEGIN: Final = (
    "<!-- recorded: what stands between these two lines is written by `make bench ARGS=--record` -->"
)
END: Final = "<!-- /recorded -->"


@dataclass(frozen=True, slots=True)
class Row:
    """One case: what was measured, and how that stands to each of its bars."""

    name: str
    what: str
    measured: Sequence[str]
    verdicts: Sequence[Verdict]

    def lines(self) -> list[tuple[str, ...]]:
        """The cells, one line for each figure or bar."""
        height = max(len(self.measured), len(self.verdicts), 1)
        found: list[tuple[str, ...]] = []
        for number in range(height):
            measured = self.measured[number] if number < len(self.measured) else ""
            verdict = self.verdicts[number] if number < len(self.verdicts) else None
            said = (verdict.bar, verdict.measured, REACHED[verdict.reached]) if verdict else ("", "", "")
            head = (self.name, self.what) if number == 0 else ("", "")
            found.append((*head, measured, *said))
        return found


def row_of(case: Case, results: Results) -> Row:
    """A case under load."""
    measured = []
    for name in case.contenders:
        if (case.name, name) in results.runs:
            rate = results.rate(case.name, name)
            said = f"{rate.median:,.0f}/s" if rate else "VOID"
            measured.append(f"{shown(name)} {said}")
    verdicts = [results.verdict(case, bar) for bar in case.bars]
    return Row(case.name, case.what, measured, verdicts)


def on_terminal(rows: Iterable[Row]) -> str:
    """The rows with their columns aligned; what each case does is left to the document."""
    cells = [tuple(HEADINGS), *(line for row in rows for line in row.lines())]
    kept = [(name, *rest) for name, _, *rest in cells]
    widths = [max(len(line[column]) for line in kept) for column in range(len(kept[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in kept
    )


def in_markdown(rows: Iterable[Row]) -> str:
    """The rows as a table of Markdown, one line a case."""
    lines = ["| " + " | ".join(HEADINGS) + " |", "|" + "---|" * len(HEADINGS)]
    for row in rows:
        columns = list(zip(*row.lines(), strict=True))
        joined = ["<br>".join(filter(None, column)) for column in columns]
        lines.append("| " + " | ".join(joined) + " |")
    return "\n".join(lines)


def replaced(document: str, recorded: str) -> str:
    """The document with this between its two marks; all that a person wrote around them stays.

    Raises `ValueError` where the marks are not there once each and in order.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end) or BEGIN in rest or END in after:
        raise ValueError(f"The document needs these two lines once each, in this order: {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{recorded.strip()}\n\n{END}{after}"
