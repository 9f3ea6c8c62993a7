"""The few figures that the README shows, out of all that was recorded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

from config import ROOT

READMES: Final[Mapping[str, Path]] = {"en": ROOT / "README.md", "ru": ROOT / "README.ru.md"}
_COLUMNS: Final = (("ours",), ("fastapi", "fastapi-redis"), ("drf", "drf-redis"))
"""Whose figures stand beside each other: under a load with a cache, those with Redis."""
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "heading": "| requests a second | this service | FastAPI | Django REST framework |",
        "cached-read": "one order, cached",
        "cached-list": "a page of 20 orders, cached",
        "read": "one order, without a cache",
        "list": "a page of 20 orders, without a cache",
        "mixed": "80 % single reads, 15 % lists, 5 % writes",
        "create": "a new order of three lines",
        "void": "void",
        "thousands": ",",
        "about": "Measured on {date} on one machine ({machine}), with PostgreSQL and Redis, 16 connections "
        "and 10,000 orders.",
    },
    "ru": {
        "heading": "| запросов в секунду | этот сервис | FastAPI | Django REST framework |",
        "cached-read": "один заказ, из кэша",
        "cached-list": "страница из 20 заказов, из кэша",
        "read": "один заказ, без кэша",
        "list": "страница из 20 заказов, без кэша",
        "mixed": "80 % чтений одного заказа, 15 % списков, 5 % записей",
        "create": "новый заказ из трёх строк",
        "void": "не в счёт",
        "thousands": "\N{NO-BREAK SPACE}",
        "about": "Измерено {date} на одной машине ({machine}) с PostgreSQL и Redis, 16 соединений, "
        "10\N{NO-BREAK SPACE}000 заказов.",
    },
}
_DATES: Final = {"en": "%Y-%m-%d", "ru": "%d.%m.%Y"}


def summary(raw: Mapping[str, Any], language: str) -> str:
    """The table in Markdown, and under it when and where; `raw` is what `performance.json` holds.

    Figures are medians of the rounds.  What was not measured has a dash, what was void says so.
    """
    words = _WORDS[language]
    lines = [words["heading"], "|---|--:|--:|--:|"]
    for case in ("cached-read", "cached-list", "read", "list", "mixed", "create"):
        cells = [_rate(raw, case, names, words) for names in _COLUMNS]
        lines.append(f"| {words[case]} | " + " | ".join(cells) + " |")
    date = datetime.fromisoformat(raw["at"]).strftime(_DATES[language])
    about = words["about"].format(date=date, machine=raw["machine"]["machine"])
    return "\n".join([*lines, "", about])


def _rate(raw: Mapping[str, Any], case: str, names: tuple[str, ...], words: Mapping[str, str]) -> str:
    """The median of whoever of these took part, in requests a second."""
    for key, runs in raw["runs"].items():
        found_case, _, contender = key.partition(", ")
        if found_case == case and contender.removesuffix("-writes").removesuffix("-uncached") in names:
            if not runs or None in runs:
                return words["void"]
            return f"{median(run['rate'] for run in runs):,.0f}".replace(",", words["thousands"])
    return "–"
