"""The rules for names and passwords."""

from __future__ import annotations

import pytest

from orders_app.auth.domain import check_password, checked_account, clean_username, username_key
from orders_app.shared.errors import Invalid


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("  alice ", "alice"),
        ("Ａlice", "Alice"),
        ("Ärger", "Ärger"),
        ("a" * 150, "a" * 150),
        ("x y", "x y"),
        ("ﬁn", "fin"),
    ],
)
def test_names(given: str, expected: str) -> None:
    assert clean_username(given) == expected


@pytest.mark.parametrize(
    "given",
    [
        "",
        "  ",
        "a" * 151,
        "a\0b",
        "a\nb",
        "a\u2028b",
        "\u202eevil",
        "\ud800",
        "a:b",
        "command line",
        "Command Line",
        "ＣＯＭＭＡＮＤ line",
    ],
)
def test_no_names(given: str) -> None:
    with pytest.raises(ValueError, match=r".+\."):
        clean_username(given)


@pytest.mark.parametrize(
    ("one", "other"), [("Alice", "aLICE"), ("Straße", "STRASSE"), ("ａlice", "ALICE"), (" alice ", "alice")]
)
def test_names_that_are_the_same(one: str, other: str) -> None:
    assert username_key(one) == username_key(other)


@pytest.mark.parametrize("given", ["x" * 8, "x" * 128, "пароль12", "with:colon", "  spaces  "])
def test_passwords_are_taken_as_they_are(given: str) -> None:
    assert check_password(given) == given


@pytest.mark.parametrize("given", ["", "x" * 7, "x" * 129, "password\0", "pass\nword", "password\ud800"])
def test_no_passwords(given: str) -> None:
    with pytest.raises(ValueError, match=r".+\."):
        check_password(given)


def test_every_broken_field_is_named() -> None:
    with pytest.raises(Invalid) as refused:
        checked_account("", "short")
    assert set(refused.value.errors) == {"username", "password"}
