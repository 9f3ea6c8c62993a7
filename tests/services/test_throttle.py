"""Counting wrong passwords: the windows, what is kept of them, and what happens when it fails."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from orders_app.auth import passwords, repository
from orders_app.auth.domain import FailureLimits
from orders_app.auth.models import LoginFailures
from orders_app.auth.services import sessions
from orders_app.extensions import read_connection
from orders_app.shared.clock import utcnow
from orders_app.shared.errors import TooManyRequests

FEW = FailureLimits(per_account=3, per_address=5)


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "verify_password", lambda _hash, password: password == "right password")
    # What one test has verified is no other test's to remember.
    monkeypatch.setattr(sessions, "_verified", passwords.VerifiedPasswords())


def attempt(name: str = "alice", word: str = "wrong", **others: Any) -> str:
    values = {"address": "192.0.2.1", "limits": FEW, **others}
    try:
        with read_connection() as connection:
            found = sessions.check_password(connection, name, word, **values)
    except TooManyRequests as error:
        return "refused" if 1 <= error.retry_after <= 60 else f"refused for {error.retry_after} s"
    return "wrong" if found is None else "right"


def rows(session: Session) -> dict[str, int]:
    return {row.key: row.count for row in session.scalars(select(LoginFailures))}


def test_a_failure_is_one_for_the_account_and_one_for_the_address(session: Session) -> None:
    attempt()
    attempt("bob")
    assert sorted(rows(session).values()) == [1, 1, 2]


def test_a_success_is_not_counted(session: Session) -> None:
    assert [attempt(word="right password") for _ in range(6)] == ["right"] * 6
    assert rows(session) == {}


def test_what_is_refused_is_not_counted(session: Session) -> None:
    assert [attempt() for _ in range(6)] == ["wrong"] * 3 + ["refused"] * 3
    assert sorted(rows(session).values()) == [3, 3]


def test_nothing_of_the_name_or_the_address_is_kept(session: Session) -> None:
    attempt("my secret typed in the wrong field")
    assert all(len(key) == 64 and int(key, 16) for key in rows(session))


@pytest.mark.parametrize(
    ("limits", "answers"),
    [
        (FailureLimits(per_account=0, per_address=2), ["wrong"] * 2 + ["refused"] * 2),
        (FailureLimits(per_account=2, per_address=0), ["wrong"] * 2 + ["refused"] * 2),
        (FailureLimits(per_account=0, per_address=0), ["wrong"] * 4),
    ],
    ids=str,
)
def test_zero_is_no_limit(session: Session, limits: FailureLimits, answers: list[str]) -> None:
    assert [attempt(limits=limits) for _ in range(4)] == answers
    assert len(rows(session)) == sum(bool(limit) for limit in (limits.per_account, limits.per_address))


@pytest.mark.parametrize("name", ["ALICE", " alice ", "ａlice"])
def test_a_name_is_the_same_however_it_is_written(session: Session, name: str) -> None:
    for _ in range(3):
        attempt("alice")
    assert attempt(name) == "refused"


@pytest.mark.parametrize("name", ["alice", "nobody", "a\0", "\ud800", "x" * 1000])
def test_all_names_are_treated_alike(session: Session, name: str) -> None:
    assert [attempt(name) for _ in range(4)] == ["wrong"] * 3 + ["refused"]


@pytest.mark.parametrize(
    ("other", "shared"),
    [
        ("2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:3::1", False),
        ("192.0.2.1", False),
        ("", False),
        ("not an address", False),
    ],
)
def test_an_ipv6_address_counts_as_its_network(session: Session, other: str, shared: bool) -> None:
    for _ in range(3):
        attempt(address="2001:db8:1:2::1")
    assert attempt(address=other) == ("refused" if shared else "wrong")


def test_an_ipv4_address_is_the_same_in_ipv6(session: Session) -> None:
    for _ in range(3):
        attempt()
    assert attempt(address="::ffff:192.0.2.1") == "refused"
    assert attempt(address="::ffff:192.0.2.2") == "wrong"


def test_no_hash_is_computed_for_what_is_refused(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        attempt()
    monkeypatch.setattr(passwords, "verify_password", pytest.fail)
    for name in ("alice", "Alice"):
        assert attempt(name, "right password") == "refused"


def test_what_was_right_a_moment_ago_tells_nothing_either(session: Session) -> None:
    assert attempt(word="right password") == "right"
    for _ in range(3):
        attempt()
    assert attempt(word="right password") == "refused"
    assert attempt(word="right password", address="192.0.2.2") == "right"


@pytest.mark.parametrize("at_once", [1, 8])
def test_attempts_at_once_get_no_more_answers(app: Flask, at_once: int) -> None:
    def one(_number: int) -> str:
        with app.app_context():
            return attempt(limits=FailureLimits(per_account=10))

    with ThreadPoolExecutor(at_once) as threads:
        answers = list(threads.map(one, range(30)))
    assert (answers.count("wrong"), answers.count("refused")) == (10, 20)


def test_a_right_password_among_attempts_at_once(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """It passed the check of the limit; by the time its hash is computed the others have used it up."""

    def slowly(_hash: str | None, password: str) -> bool:
        if password == "the right one":
            for _ in range(3):
                attempt()
            return True
        return False

    monkeypatch.setattr(passwords, "verify_password", slowly)
    assert attempt(word="the right one") == "refused"


def test_old_windows_are_deleted(session: Session) -> None:
    now = utcnow()
    with session.begin_nested() if session.in_transaction() else session.begin():
        session.add_all(
            LoginFailures(key=f"old {number}", started_at=now - timedelta(minutes=6), count=1)
            for number in range(20)
        )
        session.add(LoginFailures(key="young", started_at=now - timedelta(seconds=90), count=1))
    attempt()
    assert session.scalar(select(func.count()).select_from(LoginFailures)) == 3


def test_a_failure_that_cannot_be_counted_is_still_a_wrong_password(
    session: Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_args: Any) -> None:
        raise OperationalError("INSERT", {}, Exception("disk is full"))

    monkeypatch.setattr(repository, "count_failure", full)
    assert attempt() == "wrong"
    assert "could not be counted" in caplog.text


def test_a_clock_that_is_behind_makes_nobody_wait_longer(
    session: Session, monkeypatch: pytest.MonkeyPatch, later: Callable[[float], None]
) -> None:
    for _ in range(3):
        attempt()
    later(-3600)
    assert attempt() == "refused"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Move the clock of the limits."""

    def move(seconds: float) -> None:
        now = utcnow() + timedelta(seconds=seconds)
        monkeypatch.setattr("orders_app.auth.services.throttle.utcnow", lambda: now)

    return move


def test_a_window_is_over_after_a_minute(session: Session, later: Callable[[float], None]) -> None:
    for _ in range(3):
        attempt()
    later(58)
    assert attempt() == "refused"
    later(61)
    assert [attempt() for _ in range(4)] == ["wrong"] * 3 + ["refused"]
    assert set(rows(session).values()) == {3}
