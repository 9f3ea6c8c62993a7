"""The few figures in the README are those that were recorded."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks.recording import RAW
from benchmarks.report import BEGIN, END
from benchmarks.summary import READMES, summary


def run(rate: float) -> dict[str, Any]:
    return {"rate": rate, "requests": 1}


SAID = {
    "at": "2026-11-29T10:00:00+00:00",
    "machine": {"machine": "a machine, 2 cores"},
    "runs": {
        "cached-read, empty": [run(20_000)],
        "cached-read, ours": [run(9_000), run(11_000), run(10_000)],
        "cached-read, fastapi-redis": [run(2_500), run(2_400)],
        "read, ours-uncached": [run(3_000)],
        "create, ours-writes": [run(850), None],
    },
}


def test_it_shows_medians_dashes_and_what_was_void() -> None:
    lines = summary(SAID, "en").splitlines()
    assert "| one order, cached | 10,000 | 2,450 | – |" in lines
    assert "| one order, without a cache | 3,000 | – | – |" in lines
    assert "| a new order of three lines | void | – | – |" in lines
    assert lines[-1].startswith("Measured on 2026-11-29 on one machine (a machine, 2 cores),")


def test_thousands_are_set_apart_as_each_language_does() -> None:
    assert "| 10\N{NO-BREAK SPACE}000 | 2\N{NO-BREAK SPACE}450 | – |" in summary(SAID, "ru")


@pytest.mark.parametrize("language", READMES)
def test_the_readme_shows_what_was_recorded_last(language: str) -> None:
    text = READMES[language].read_text()
    shown = text.partition(BEGIN)[2].partition(END)[0].strip()
    assert shown == summary(json.loads(RAW.read_text()), language)
