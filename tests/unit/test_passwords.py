"""Passwords at rest, and the short memory of what was verified."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import time_machine
from argon2 import extract_parameters

from orders_app.auth import passwords
from orders_app.auth.passwords import VerifiedPasswords, hash_password, verify_password

HASH = hash_password("correct horse")


class CountedChecks:
    """Stands in for the slow check and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, password_hash: str | None, password: str) -> bool:
        self.asked += 1
        return password_hash == f"hash of {password}"


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> CountedChecks:
    counted = CountedChecks()
    monkeypatch.setattr(passwords, "verify_password", counted)
    return counted


@pytest.fixture
def move_clock() -> Iterator[Callable[[float], None]]:
    with time_machine.travel(datetime(2026, 11, 1, 12, tzinfo=UTC), tick=False) as clock:
        yield clock.shift


def test_a_hash_is_argon2id_with_its_own_salt() -> None:
    assert HASH.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert hash_password("correct horse") != HASH


@pytest.mark.parametrize(
    "password", ["пароль-1", "with:colon", "x" * 64 + "a", "x" * 128, " spaces ", "🎉" * 20]
)
def test_all_of_a_password_counts(password: str) -> None:
    stored = hash_password(password)
    assert verify_password(stored, password)
    assert not verify_password(stored, password[:-1])
    assert not verify_password(stored, password + "x")


@pytest.mark.parametrize("stored", [None, "", "not a hash", "$argon2id$broken", "pbkdf2:sha256:1$a$b"])
def test_nothing_fits_a_hash_that_is_none(stored: str | None) -> None:
    assert verify_password(stored, "") is False
    assert verify_password(stored, "anything") is False


def test_a_success_is_remembered(checks: CountedChecks) -> None:
    memory = VerifiedPasswords()
    assert all(memory.verify("alice", "hash of a", "a") for _ in range(5))
    assert checks.asked == 1


def test_a_failure_is_never_remembered(checks: CountedChecks) -> None:
    memory = VerifiedPasswords()
    assert not any(memory.verify("alice", "hash of a", "b") for _ in range(3))
    assert checks.asked == 3


def test_it_is_forgotten_after_half_a_minute(
    checks: CountedChecks, move_clock: Callable[[float], None]
) -> None:
    memory = VerifiedPasswords()
    memory.verify("alice", "hash of a", "a")
    move_clock(29)
    memory.verify("alice", "hash of a", "a")
    assert checks.asked == 1
    move_clock(2)
    memory.verify("alice", "hash of a", "a")
    assert checks.asked == 2


@pytest.mark.parametrize(
    ("name", "stored", "password"),
    [
        ("alice", "hash of b", "a"),
        ("alice", None, "a"),
        ("alice", "hash of a", "b"),
        ("alicea", "hash of ", "a"),
        ("ALICE", "hash of other", "a"),
    ],
)
def test_what_differs_in_anything_is_checked_anew(
    checks: CountedChecks, name: str, stored: str | None, password: str
) -> None:
    memory = VerifiedPasswords()
    assert memory.verify("alice", "hash of a", "a")
    assert not memory.verify(name, stored, password)
    assert checks.asked == 2


def test_the_memory_is_bounded(checks: CountedChecks) -> None:
    memory = VerifiedPasswords(entries=10)
    for number in range(100):
        memory.verify(f"user-{number}", "hash of a", "a")
    assert len(memory._known) == 10


def test_the_memory_holds_no_password(checks: CountedChecks) -> None:
    memory = VerifiedPasswords()
    memory.verify("alice", "hash of correct horse", "correct horse")
    assert b"correct" not in b"".join(memory._known)


def test_hashing_keeps_no_memory_for_each_thread_that_asks() -> None:
    """All of it is done by one thread; whoever asks gets what came of it, an error included."""
    hashers = set()

    def note() -> int:
        hashers.add(threading.current_thread().name)
        return len(hashers)

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(lambda _: passwords._one_at_a_time(note), range(50))) == {1}
    assert hashers == {"argon2"}
    with pytest.raises(ZeroDivisionError):
        passwords._one_at_a_time(divmod, 1, 0)


def test_a_check_for_nobody_takes_as_long_as_any() -> None:
    assert extract_parameters(passwords._NOBODYS_HASH) == extract_parameters(HASH)
    assert not verify_password(None, "")
