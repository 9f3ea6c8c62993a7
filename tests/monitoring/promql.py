"""What a PromQL expression names: metrics, and the labels it chooses and groups by.

No parser of the language: it tells names of metrics from functions, keywords, durations and labels, which is
what the expressions of this project need.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""
      (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<number>\d[\w.]*)
    | (?P<variable>\$\{?\w+\}?)
    | (?P<name>[A-Za-z_:][\w:]*)
    | (?P<sign>[{}()\[\],]|[=!]~|!=|[=<>+*/%^@-])
    | (?P<other>\S)
    """,
    re.VERBOSE,
)
_OPERATORS = {"and", "or", "unless", "bool", "offset", "atan2", "inf", "nan"}
_WITH_LABELS = {"by", "without", "on", "ignoring", "group_left", "group_right"}


@dataclass
class Named:
    """What an expression names."""

    chosen: dict[str, set[str]] = field(default_factory=dict)
    """The metrics, and for each the labels that its braces choose by."""
    grouped: set[str] = field(default_factory=set)
    """The labels after `by`, `on` and the like."""


def names(expression: str) -> Named:
    """Raises `ValueError` for text that is no PromQL at first sight."""
    found = Named()
    tokens = [(match.lastgroup or "", match.group()) for match in _TOKEN.finditer(expression)]
    strange = [text for kind, text in tokens if kind == "other"]
    if strange or any(
        expression.count(left) != expression.count(right) for left, right in ("()", "{}", "[]")
    ):
        raise ValueError(f"no PromQL: {strange or 'brackets'} in {expression}")
    place = 0
    while place < len(tokens):
        kind, text = tokens[place]
        following = tokens[place + 1][1] if place + 1 < len(tokens) else ""
        place += 1
        if text == "[":
            place = _close(tokens, place, "]")
        elif kind != "name" or text.lower() in _OPERATORS:
            continue
        elif text in _WITH_LABELS:
            if following == "(":
                end = _close(tokens, place + 1, ")")
                found.grouped |= {name for kind, name in tokens[place + 1 : end] if kind == "name"}
                place = end
        elif following == "{":
            end = _close(tokens, place + 1, "}")
            inside = tokens[place + 1 : end]
            labels = {name for kind, name in inside if kind == "name"}
            found.chosen.setdefault(text, set()).update(labels)
            place = end
        elif following != "(" and not _is_aggregation(tokens, place):
            found.chosen.setdefault(text, set())
    return found


def _is_aggregation(tokens: list[tuple[str, str]], place: int) -> bool:
    """Whether what comes next is `by (…)` or `without (…)`: `sum by (le) (…)`."""
    return tokens[place][1] in {"by", "without"} if place < len(tokens) else False


def _close(tokens: list[tuple[str, str]], place: int, bracket: str) -> int:
    """The place behind the next such bracket."""
    while tokens[place][1] != bracket:
        place += 1
    return place + 1
