"""One rule for text that people give: NFC, trimmed, nothing invisible that could mislead."""

from __future__ import annotations

import unicodedata
from typing import Literal

_CONTROLS = frozenset({"Cc", "Cs"})
_UNASSIGNED = "Cn"
# Embeddings, overrides and isolates turn a line around in logs and lists (Unicode TR 36).
_DIRECTION_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LINE_SEPARATORS = frozenset("\u2028\u2029")
_INVISIBLE_CATEGORIES = frozenset({"Cf", "Zs", "Zl", "Zp"})


def clean_text(value: str, *, longest: int, form: Literal["NFC", "NFKC"] = "NFC") -> str:
    """Normalised, trimmed text of 1 to `longest` code points.

    `form` is a Unicode normalisation form.  Raises `ValueError` with a sentence for a person.
    """
    if len(value) > longest * 4:
        # Normalising is linear, but nobody means a text four times too long.
        raise ValueError(f"Longer than {longest} characters.")
    plain = value.strip()
    if plain.isascii() and plain.isprintable() and 0 < len(plain) <= longest:
        return plain  # as nearly every text is: none of what follows can find anything
    categories = {unicodedata.category(character) for character in plain}
    if not _CONTROLS.isdisjoint(categories):
        raise ValueError("Control characters are not allowed.")
    if _UNASSIGNED in categories:
        raise ValueError("Some characters are not assigned in Unicode.")
    text = unicodedata.normalize(form, value).strip()
    if not _DIRECTION_CONTROLS.isdisjoint(text) or not _LINE_SEPARATORS.isdisjoint(text):
        raise ValueError("Control characters are not allowed.")
    if all(unicodedata.category(character) in _INVISIBLE_CATEGORIES for character in text):
        raise ValueError("Must not be empty.")
    if len(text) > longest:
        raise ValueError(f"Longer than {longest} characters.")
    return text


def clean_lines(value: str, *, longest: int) -> str:
    """The same for text of several lines, which are told apart by newlines alone; a tab is a space.

    Raises `ValueError` as `clean_text` does.
    """
    text = value.replace("\r\n", "\n").replace("\t", " ").strip()
    clean_text(text.replace("\n", " "), longest=longest)
    return unicodedata.normalize("NFC", text)


def fold(value: str) -> str:
    """The form under which text is compared without regard to case, in any script."""
    return unicodedata.normalize("NFC", value.casefold())
