"""Text that people give."""

from __future__ import annotations

import unicodedata

import pytest

from orders_app.shared.text import clean_lines, clean_text, fold


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("  affe  ", "affe"),
        ("\u00a0Кофе «Эспрессо»\u3000", "Кофе «Эспрессо»"),
        ("e\u0301", "\u00e9"),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
        ("\tindented by a tab\n", "indented by a tab"),
        ("'; DROP TABLE orders; --", "'; DROP TABLE orders; --"),
        ("{{7*7}} ${jndi:x} ../../ %_\\", "{{7*7}} ${jndi:x} ../../ %_\\"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("x" * 255, "x" * 255),
        ("e\u0301" * 255, "\u00e9" * 255),
        ("🎉" * 255, "🎉" * 255),
    ],
)
def test_text_is_trimmed_normalised_and_otherwise_left_alone(given: str, expected: str) -> None:
    assert clean_text(given, longest=255) == expected


@pytest.mark.parametrize(
    "given",
    [
        "",
        "   ",
        "\u3000",
        "\u200b",
        "\u200b\u200d\ufeff",
        "\u2060",
        "a\0b",
        "a\nb",
        "a\rb",
        "a\tb",
        "a\x1b[31mb",
        "a\x7fb",
        "a\x85b",
        "a\u2028b",
        "a\u2029b",
        "\ud800",
        "a\udfffb",
        "\uffff",
        "\U0010ffff",
        "a\u0378",
        "\u202egnp.exe",
        "a\u2066b\u2069",
        "x" * 256,
        "x" * 10_000_000,
    ],
)
def test_text_that_misleads_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r".+\."):
        clean_text(given, longest=255)


def test_no_control_character_gets_through() -> None:
    for point in range(0x110000):
        character = chr(point)
        if unicodedata.category(character) in {"Cc", "Cs"}:
            with pytest.raises(ValueError, match="Control"):
                clean_text(f"a{character}b", longest=10)


def test_compatible_forms_become_one_where_that_is_asked_for() -> None:
    assert clean_text("ａｌｉｃｅ①", longest=10, form="NFKC") == "alice1"


def test_a_form_that_grows_is_measured_after_it_grew() -> None:
    with pytest.raises(ValueError, match="Longer"):
        clean_text("\ufdfa" * 20, longest=20, form="NFKC")


@pytest.mark.parametrize(
    ("one", "other"), [("КОФЕ", "кофе"), ("Straße", "STRASSE"), ("Ärger", "A\u0308RGER"), ("İ", "i̇")]
)
def test_case_is_nothing_in_any_script(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (" one\r\ntwo \n", "one\ntwo"),
        ("a\tb", "a b"),
        ("e\u0301\n\u0301", "\u00e9\n\u0301"),
        ("\n" * 9 + "x" + "\n" * 253 + "y", "x" + "\n" * 253 + "y"),
    ],
)
def test_lines_are_told_apart_by_newlines_alone(given: str, expected: str) -> None:
    assert clean_lines(given, longest=255) == expected


@pytest.mark.parametrize("given", ["", "\n", "a\rb", "a\0b", "a\u2028b", "a\u202eb", "x\n" * 127 + "yz"])
def test_what_is_no_text_is_none_in_lines_either(given: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        clean_lines(given, longest=255)
