"""What is weighed against Schemathesis' findings is narrow: each exception holds for its own case alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.generated.findings import (
    CONFLICTS_OF_STATE,
    RULES,
    rightly_refused,
    still_readable,
    valid_as_sent,
)

UNASSIGNED = "\U000e0fff"


def refusal(errors: dict[str, Any], code: str = "validation_error") -> dict[str, Any]:
    return {"status": 422, "code": code, "errors": errors}


def name_error(message: str) -> dict[str, Any]:
    return refusal({"json": {"products": {"0": {"name": [message]}}}})


def order_named(name: object) -> dict[str, Any]:
    return {"json": {"products": [{"name": name}]}, "query": {}}


@pytest.mark.parametrize("code", CONFLICTS_OF_STATE)
def test_conflicts_of_state_are_no_findings(code: str) -> None:
    assert rightly_refused({"status": 400, "code": code}, {})


@pytest.mark.parametrize(
    ("problem", "request_sent"),
    [
        (refusal({"query": {"cursor": ["Give either a cursor or a page."]}}), {"query": {"cursor": ""}}),
        (refusal({"query": {"max_price": ["Must not be less than min_price."]}}), {}),
        (refusal({"query": {"created_before": ["Must not be before created_after."]}}), {}),
        (refusal({"json": {"user": ["There is no such user."]}}), {"json": {"user": "nobody"}}),
        (name_error("Some characters are not assigned in Unicode."), order_named(f"a{UNASSIGNED}")),
        (name_error("Must not be empty."), order_named("\u200b")),
        (name_error("Longer than 255 characters."), order_named("\ufdfa" * 100)),
    ],
)
def test_rules_that_no_schema_can_express_are_no_findings(
    problem: dict[str, Any], request_sent: dict[str, Any]
) -> None:
    assert rightly_refused(problem, request_sent)


@pytest.mark.parametrize(
    ("problem", "request_sent"),
    [
        ({"status": 422, "code": "validation_error"}, {}),
        (refusal({}), {}),
        (refusal({"json": {"status": ["Must be one of: pending."]}}), {"json": {"status": "pending"}}),
        (refusal({"json": {"total_price": ["Not a valid amount."]}}), {"json": {"total_price": "1.00"}}),
        (refusal({"json": {"user": ["There is no such user."], "status": ["No."]}}), {"json": {"user": "x"}}),
        (refusal({"query": {"page": ["Give either a cursor or a page."]}}), {}),
        (name_error("Some characters are not assigned in Unicode."), order_named("affe")),
        (name_error("Some characters are not assigned in Unicode."), order_named(None)),
        (name_error("Must not be empty."), order_named("affe")),
        (name_error("Longer than 255 characters."), order_named("affe")),
        (refusal({"json": {"username": ["A colon is not allowed: …"]}}), {"json": {"username": "a:b"}}),
    ],
)
def test_everything_else_is_one(problem: dict[str, Any], request_sent: dict[str, Any]) -> None:
    assert not rightly_refused(problem, request_sent)


QUERY: list[dict[str, Any]] = [
    {"in": "query", "name": "q", "schema": {"type": "string", "minLength": 2}, "allowEmptyValue": True},
    {"in": "query", "name": "page", "schema": {"type": "integer", "minimum": 1}},
    {"in": "query", "name": "status", "schema": {"type": "array", "items": {"enum": ["a", "b"]}}},
]


@pytest.mark.parametrize(
    "query", [{"q": ["12"]}, {"q": [""], "page": ["1"]}, {"status": ["a", "b"]}, {"page": ["007"]}]
)
def test_what_is_valid_as_it_was_sent_may_be_taken(query: dict[str, list[str]]) -> None:
    assert valid_as_sent(QUERY, query)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"q": ["1"]},
        {"q": ["12", "34"]},
        {"page": ["0"]},
        {"page": [""]},
        {"page": ["1.5"]},
        {"status": ["a", "c"]},
        {"q": ["12"], "surprise": ["1"]},
    ],
)
def test_what_is_not_may_not(query: dict[str, list[str]]) -> None:
    assert not valid_as_sent(QUERY, query)


def test_every_rule_has_its_reason() -> None:
    assert all(rule.reason for rule in RULES)


def test_only_what_says_that_it_is_deleted_may_be_read_after_its_deletion() -> None:
    assert still_readable(b'{"is_deleted": true}')
    assert still_readable(b'[{"event": "order.created"}, {"event": "order.deleted"}]')
    for answer in (b'{"is_deleted": false}', b"{}", b"[]", b"", b'[{"event": "order.updated"}]'):
        assert not still_readable(answer)
