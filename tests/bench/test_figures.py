"""Medians, ratios and bars."""

from __future__ import annotations

import pytest

from benchmarks.figures import Bar, Spread, held_against, ratios


def test_a_spread_is_the_median_between_the_least_and_the_greatest() -> None:
    assert Spread.of([3, 1, 2]) == Spread(2, 1, 3)
    assert Spread.of([4, 1, 2, 3]) == Spread(2.5, 1, 4)


def test_there_is_no_spread_of_nothing() -> None:
    with pytest.raises(ValueError, match="no figures"):
        Spread.of([])


def test_ratios_are_taken_round_by_round_and_void_rounds_do_not_count() -> None:
    assert ratios([10, None, 30, 40], [5, 5, None, 10]) == [2, 4]


@pytest.mark.parametrize(
    ("found", "measured", "reached"),
    [
        ([0.5, 0.6, 0.7], "0.60 (0.50–0.70)", True),
        ([0.5, 0.59, 0.9], "0.59 (0.50–0.90)", False),
        ([], "not measured", None),
    ],
)
def test_a_bar_is_held_against_the_median(found: list[float], measured: str, reached: bool | None) -> None:
    verdict = held_against(Bar(0.6, "empty"), found)
    assert (verdict.bar, verdict.measured, verdict.reached) == ("≥ 0.6 × empty", measured, reached)


def test_a_bar_may_be_another_case() -> None:
    assert str(Bar(1, "ours", "cached-read")) == "≥ 1 × ours in cached-read"
