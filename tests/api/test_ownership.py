"""Whose an order is: what is another's answers like what never was."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from tests.callers import ORDERS, Caller, path_of
from tests.factories import body

SENT: list[tuple[str, str, Any]] = [
    ("GET", "", None),
    ("HEAD", "", None),
    ("DELETE", "", None),
    ("GET", "events", None),
    ("PUT", "", body()),
    ("PUT", "", {}),
    ("PUT", "", {"products": [{"name": ""}]}),
    ("PATCH", "", {"status": "confirmed"}),
    ("PATCH", "", {"status": "completed"}),
    ("PATCH", "", {"status": "nope"}),
    ("PATCH", "", {}),
    ("POST", "restore", None),
]


@pytest.mark.parametrize(("method", "below", "sent"), SENT, ids=str)
@pytest.mark.parametrize("is_deleted", [False, True])
def test_what_is_anothers_answers_like_what_never_was(
    alice: Caller, bob: Caller, admin: Caller, method: str, below: str, sent: Any, is_deleted: bool
) -> None:
    order = alice.order()
    if is_deleted:
        alice.delete(path_of(order))
    before = admin.read(order).get_json()

    def ask(order_id: str) -> TestResponse:
        parts = [below] if below else []
        extra = [] if sent is None else [sent]
        path = path_of({"order_id": order_id}, *parts)
        return bob(method, path, *extra, headers={"X-Request-ID": "same"})

    mine, none = str(order["order_id"]), str(uuid4())
    theirs, nobodys = ask(mine), ask(none)
    assert theirs.status_code == nobodys.status_code
    assert theirs.status_code in {403, 404, 422}
    assert theirs.data.replace(mine.encode(), b"-") == nobodys.data.replace(none.encode(), b"-")
    assert _without_date(theirs) == _without_date(nobodys)
    assert admin.read(order).get_json() == before


def _without_date(answer: TestResponse) -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in answer.headers if name != "Date")


@pytest.mark.parametrize(
    "order_id", ["not-a-uuid", "1", "%00", "%FF", "x" * 5000, "0" * 32, "..%2f", "%D9%A3", "{order_id}"]
)
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_what_is_no_id_names_nothing(alice: Caller, method: str, order_id: str) -> None:
    extra = [body()] if method in {"PUT", "PATCH"} else []
    assert alice(method, f"{ORDERS}{order_id}/", *extra).status_code == 404


def test_an_id_is_written_in_either_case(alice: Caller) -> None:
    order = alice.order()
    assert alice.get(f"{ORDERS}{order['order_id'].upper()}/").get_json() == order


def test_an_invalid_body_for_what_is_anothers_says_nothing_of_it(alice: Caller, bob: Caller) -> None:
    order = alice.order()
    answer = bob.put(path_of(order), {"products": "x"})
    assert json.dumps(order["products"][0]["product_id"]) not in answer.text
