"""The table, and the document that it is written into."""

from __future__ import annotations

import pytest

from benchmarks.figures import Verdict
from benchmarks.report import BEGIN, END, Row, in_markdown, on_terminal, replaced

ROW = Row(
    "read", "one of all", ["empty 9/s", "ours 6/s"], [Verdict("≥ 0.6 × empty", "0.67 (0.60–0.70)", True)]
)


def test_a_new_recording_keeps_what_people_wrote() -> None:
    document = f"# Speed\n\nBefore.\n\n{BEGIN}\nold\n{END}\n\n## Where the time goes\n\nAfter.\n"
    once = replaced(document, "new\n")
    assert once == f"# Speed\n\nBefore.\n\n{BEGIN}\n\nnew\n\n{END}\n\n## Where the time goes\n\nAfter.\n"
    assert replaced(once, "new") == once


@pytest.mark.parametrize(
    "marks", [(), (BEGIN,), (END,), (END, BEGIN), (BEGIN, BEGIN, END), (BEGIN, END, END)]
)
def test_a_document_without_its_two_marks_is_left_alone(marks: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="once each"):
        replaced("\n".join(marks), "new")


def test_the_terminal_shows_every_figure_and_verdict() -> None:
    lines = on_terminal([ROW]).splitlines()
    assert lines[1].split() == [
        "read",
        "empty",
        "9/s",
        "≥",
        "0.6",
        "×",
        "empty",
        "0.67",
        "(0.60–0.70)",
        "yes",
    ]
    assert lines[2].split() == ["ours", "6/s"]


def test_markdown_has_one_line_a_case() -> None:
    assert in_markdown([ROW]).splitlines()[2:] == [
        "| read | one of all | empty 9/s<br>ours 6/s | ≥ 0.6 × empty | 0.67 (0.60–0.70) | yes |"
    ]
