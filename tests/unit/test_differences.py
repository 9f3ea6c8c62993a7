"""Which line became which, and how that is said."""

from __future__ import annotations

from typing import Any

import pytest

from orders_app.admin.frame.differences import differences, line_differences, paired


def _line(product_id: str, name: str, price: str = "1.00", quantity: int = 1) -> dict[str, Any]:
    return {"product_id": product_id, "name": name, "price": price, "quantity": quantity}


TEA, CAKE, CUP = _line("1", "Tea"), _line("2", "Cake"), _line("3", "Cup")


def _said(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[str]:
    return [str(item) for item in line_differences(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ([TEA], [TEA, CAKE], ["Line added: 1 × Cake at 1.00"]),
        ([TEA, CAKE], [CAKE], ["Line removed: 1 × Tea at 1.00"]),
        (
            [TEA],
            [{**TEA, "name": "Mate", "price": "2.00", "quantity": 3}],
            ["Line changed (name, price, quantity): 1 × Tea at 1.00 → 3 × Mate at 2.00"],
        ),
        ([TEA, CAKE], [CAKE, TEA], ["Lines: in another order"]),
        ([TEA, CAKE], [_line("8", "Tea"), _line("9", "Cake")], ["Lines: entered anew, the same as before"]),
        (
            [TEA, CAKE],
            [_line("8", "Tea", quantity=2), _line("9", "Cake")],
            ["Line changed (quantity): 1 × Tea at 1.00 → 2 × Tea at 1.00"],
        ),
        (
            [TEA, CAKE],
            [CUP, {**CAKE, "price": "3.00"}],
            [
                "Line added: 1 × Cup at 1.00",
                "Line changed (price): 1 × Cake at 1.00 → 1 × Cake at 3.00",
                "Line removed: 1 × Tea at 1.00",
            ],
        ),
        ([], [TEA], ["Line added: 1 × Tea at 1.00"]),
    ],
)
def test_lines(before: list[dict[str, Any]], after: list[dict[str, Any]], said: list[str]) -> None:
    assert _said(before, after) == said


def test_no_line_is_paired_twice() -> None:
    twice = [_line("1", "Tea"), _line("1", "Tea"), _line("", "Tea")]
    pairs, moved = paired([TEA, CAKE], twice)
    assert pairs == [(TEA, twice[0]), (None, twice[1]), (None, twice[2]), (CAKE, None)]
    assert not moved


def test_fields_and_lines_of_an_event() -> None:
    changes: dict[str, list[Any]] = {
        "status": ["pending", "confirmed"],
        "is_deleted": [False, True],
        "products": [[TEA], []],
    }
    assert [str(item) for item in differences(changes)] == [
        "Status: pending → confirmed",
        "Deleted: no → yes",
        "Line removed: 1 × Tea at 1.00",
    ]


def test_an_event_that_tells_what_was_not_there_before() -> None:
    created: dict[str, list[Any]] = {"status": [None, "pending"], "products": [None, [TEA]]}
    assert [str(item) for item in differences(created)] == ["Status: pending", "Line added: 1 × Tea at 1.00"]
