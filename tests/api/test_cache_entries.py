"""What is stored under which key."""

from __future__ import annotations

import pytest

from tests.api.test_cache import HIT, STORED, status, warm
from tests.callers import ORDERS, Caller, path_of


def test_an_error_is_never_stored(alice: Caller, bob: Caller, admin: Caller) -> None:
    order = alice.order()
    for _ in range(2):
        assert bob.read(order).status_code == 404
        assert bob.get(f"{ORDERS}?page=0").status_code == 422
    admin.patch(path_of(order), {"user": "bob"})
    assert bob.read(order).status_code == 200


def test_the_same_question_in_other_words_is_one_entry(alice: Caller) -> None:
    alice.order()
    warm(alice, path=f"{ORDERS}?status=pending&min_price=1")
    for same in (
        "min_price=1.00&status=pending",
        "status=pending&min_price=1e0&q=&page=1",
        "page_size=50&min_price=01&status=pending&format=json",
    ):
        assert status(alice.get(f"{ORDERS}?{same}")) == HIT


@pytest.mark.parametrize(
    "other",
    [
        "",
        "status=confirmed",
        "status=pending&status=confirmed",
        "page=2",
        "page_size=49",
        "ordering=created_at",
        "q=a",
        "min_price=2",
        "max_price=1",
    ],
)
def test_another_question_is_another_entry(alice: Caller, other: str) -> None:
    warm(alice, path=f"{ORDERS}?status=pending&min_price=1")
    assert status(alice.get(f"{ORDERS}?{other}")) == STORED
