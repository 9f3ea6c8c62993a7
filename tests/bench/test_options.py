"""What is run when what is asked for."""

from __future__ import annotations

import pytest

from benchmarks.cases import CASES
from benchmarks.long.table import LONG
from benchmarks.options import PEERS, QUICK_PEERS, parsed
from benchmarks.starters import STARTERS


def test_by_default_it_is_short() -> None:
    wanted = parsed([])
    assert [case.name for case in wanted.cases] == ["cached-read", "cached-list", "read", "list", "create"]
    assert (wanted.long, wanted.peers, wanted.rounds, wanted.seconds) == ((), QUICK_PEERS, 2, 1.0)
    assert not wanted.is_recorded


@pytest.mark.parametrize("word", ["--all", "--record"])
def test_the_long_form_has_every_case_and_every_peer(word: str) -> None:
    wanted = parsed([word])
    assert (wanted.cases, wanted.long, wanted.peers) == (CASES, tuple(LONG), PEERS)
    assert wanted.is_recorded == (word == "--record")


def test_cases_and_peers_can_be_chosen() -> None:
    wanted = parsed(["--only", "read", "--only", "growth", "--with", "drf", "--rounds", "7"])
    assert ([case.name for case in wanted.cases], wanted.long) == (["read"], ("growth",))
    assert (wanted.peers, wanted.rounds, wanted.seconds) == (("drf",), 7, 1.0)


@pytest.mark.parametrize("words", [["--only", "rust"], ["--with", "rust"]])
def test_what_there_is_not_is_said(words: list[str]) -> None:
    with pytest.raises(SystemExit, match=r"There is no .*rust"):
        parsed(words)


def test_every_case_names_contenders_that_there_are() -> None:
    for case in CASES:
        assert set(case.contenders) <= set(STARTERS), case.name
        assert {bar.than for bar in case.bars if bar.case is None} <= set(case.contenders), case.name
        assert {bar.case for bar in case.bars} <= {None, *(other.name for other in CASES)}, case.name
