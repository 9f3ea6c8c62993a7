"""What Schemathesis reports and what is right all the same, each with its reason.

OpenAPI 3.1 describes the form of a request.  Some rules are about something else: the state of the
database, two values beside one another, or what Unicode knows of a character.  A request that breaks one
of them alone looks valid to Schemathesis, which then reports that it was refused.  Each such rule stands
here, as narrow as it can be put, and is judged by the answer *and* by the request that got it; everything
else that is reported is a fault of the service or of its document.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

Path = tuple[str, ...]

CONFLICTS_OF_STATE = {
    "idempotency_key_reused": "whether a key came with another body before is no matter of form",
    "malformed_cursor": "a cursor is signed: only the service can make one",
    "foreign_cursor": "a cursor belongs to the filters that it was made under",
}
"""Codes of problems that a request of any form may get, and why."""

_UNSEEN = {"Cf", "Zs", "Zl", "Zp"}


@dataclass(frozen=True, slots=True)
class Complaint:
    """One message of a 422: where it points, what it says, and the value that stood there."""

    path: Path
    message: str
    value: Any


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that OpenAPI cannot express: the message that tells of it, and whether the value broke it."""

    message: str
    reason: str
    breaks: Callable[[Complaint], bool]


def _at(*path: str) -> Callable[[Complaint], bool]:
    return lambda complaint: complaint.path == path


def _text(broken: Callable[[str], bool]) -> Callable[[Complaint], bool]:
    return lambda complaint: isinstance(complaint.value, str) and broken(complaint.value)


RULES = [
    Rule(
        "Give either a cursor or a page.",
        "parameters that exclude one another cannot be described",
        _at("query", "cursor"),
    ),
    Rule(
        "Must not be less than min_price.",
        "two parameters cannot be compared",
        _at("query", "max_price"),
    ),
    Rule(
        "Must not be before created_after.",
        "two parameters cannot be compared",
        _at("query", "created_before"),
    ),
    Rule(
        "There is no such user.",
        "who exists is a matter of state",
        _at("json", "user"),
    ),
    Rule(
        "Not a valid string.",
        "`user` takes anything from a user, who cannot set it, and a string or a number from an admin, "
        "who can: one document describes both",
        _at("json", "user"),
    ),
    Rule(
        "The sum of the lines is more than 9999999999.99.",
        "sums cannot be described",
        _at("json", "total_price"),
    ),
    Rule(
        "Not a valid date and time; there is no such moment.",
        "RFC 3339 has leap seconds, and offsets that lead out of the years that a database has",
        lambda complaint: complaint.path[0] == "query",
    ),
    Rule(
        "Some characters are not assigned in Unicode.",
        "a regular expression that every reader of the document understands has no classes of Unicode",
        _text(lambda text: any(unicodedata.category(character) == "Cn" for character in text)),
    ),
    Rule(
        "Must not be empty.",
        "as above: text of which nothing can be seen",
        _text(lambda text: all(unicodedata.category(character) in _UNSEEN for character in text)),
    ),
    Rule(
        "Longer than ",
        "lengths are counted after normalisation, which makes several characters of some",
        _text(lambda text: len(unicodedata.normalize("NFKC", text)) > len(text)),
    ),
    Rule(
        "A colon is not allowed",
        "a full-width colon is one after normalisation",
        _text(lambda text: ":" in unicodedata.normalize("NFKC", text) and ":" not in text),
    ),
]


def complaints(problem: dict[str, Any], request: dict[str, Any]) -> Iterator[Complaint]:
    """The messages of a problem, each with what stood at its place in the request (by `json` and `query`)."""

    def walk(node: Any, path: Path, value: Any) -> Iterator[Complaint]:
        if isinstance(node, list):
            for message in node:
                yield Complaint(path, str(message), value)
            return
        for key, below in node.items():
            yield from walk(below, (*path, key), _inside(value, key))

    yield from walk(problem.get("errors", {}), (), request)


def _inside(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return value.get(key)
    if isinstance(value, list) and key.isdigit() and int(key) < len(value):
        return value[int(key)]
    return None


def rightly_refused(problem: dict[str, Any], request: dict[str, Any]) -> bool:
    """Whether a request of a valid form broke nothing but rules that OpenAPI cannot express."""
    if problem.get("code") in CONFLICTS_OF_STATE:
        return True
    found = list(complaints(problem, request))
    return bool(found) and all(
        any(complaint.message.startswith(rule.message) and rule.breaks(complaint) for rule in RULES)
        for complaint in found
    )


def valid_as_sent(parameters: list[dict[str, Any]], query: dict[str, list[str]]) -> bool:
    """Whether a query that was made up to be invalid is valid in the form in which it was sent.

    In a query everything is text: a number, made up where text is wanted, arrives as text.  Schemathesis
    knows that, but overlooks it where a parameter may also be empty.
    """
    known = {parameter["name"]: parameter for parameter in parameters if parameter["in"] == "query"}
    return bool(query) and all(name in known and _fits(known[name], values) for name, values in query.items())


def _fits(parameter: dict[str, Any], values: list[str]) -> bool:
    schema = parameter["schema"]
    texts = [text for text in values if text or not parameter.get("allowEmptyValue")]
    if schema.get("type") == "array":
        return all(_is_valid(schema["items"], text) for text in texts)
    return len(texts) <= 1 and all(_is_valid(schema, text) for text in texts)


def _is_valid(schema: dict[str, Any], text: str) -> bool:
    value: Any = text
    if schema.get("type") == "integer" and text.isascii() and text.isdigit():
        value = int(text)
    elif schema.get("type") == "boolean" and text.lower() in {"true", "false"}:
        value = text.lower() == "true"
    return Draft202012Validator(schema, format_checker=FormatChecker()).is_valid(value)


def still_readable(answer: bytes) -> bool:
    """Whether an answer after a DELETE is a deleted order or its history, which an admin may read.

    Schemathesis knows no soft deletion: to it, what was deleted must be gone for everybody.
    """
    shown = json.loads(answer or b"null")
    if isinstance(shown, list):
        return bool(shown) and shown[-1].get("event") == "order.deleted"
    return isinstance(shown, dict) and shown.get("is_deleted") is True
