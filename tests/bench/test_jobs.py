"""The table of the jobs: its cells, and its place in the document."""

from __future__ import annotations

import pytest

from benchmarks.jobs.__main__ import BEGIN, DOCUMENT, END, WHAT, in_markdown, replaced
from benchmarks.jobs.django_admin import DjangoAdmin
from benchmarks.jobs.hand import Effort
from benchmarks.jobs.panel import Panel


def test_seconds_are_those_of_the_hand_and_the_median_of_the_waiting() -> None:
    rounds = [
        {
            Panel.name: {job: Effort(3, 7, 2, waited, 10) for job in WHAT},
            DjangoAdmin.name: {job: Effort(4, 0, 5, 2 * waited, 20) for job in WHAT},
        }
        for waited in (0.5, 9, 1)
    ]
    _, _, *rows = in_markdown(rounds).splitlines()
    assert len(rows) == len(WHAT)
    assert rows[0].endswith("| 3 / 4 | 7 / 0 | 2 / 5 | 11.0 (1.0) / 22.0 (2.0) |")


def test_the_table_has_its_place_in_the_document() -> None:
    assert f"before\n{BEGIN}\n\nnew\n\n{END}\nafter" == replaced(f"before\n{BEGIN}\nold\n{END}\nafter", "new")
    assert replaced(DOCUMENT.read_text(), "new").count(BEGIN) == 1
    with pytest.raises(ValueError, match="two lines"):
        replaced("no marks", "new")
