"""What differs between two states of an order or an account, in words for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from orders_app.admin.frame.words import FIELDS, word

JsonLine = Mapping[str, Any]
"""A line as the history writes it; in a form, `product_id` may be empty."""
Key = str | tuple[Any, ...]
_WORDS = frozenset({"status", "role", "password"})
_PARTS = ("name", "price", "quantity")
Pair = tuple[JsonLine | None, JsonLine | None]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs; None where there was nothing, or is nothing any more."""

    label: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        values = [value for value in (self.before, self.after) if value is not None]
        return f"{self.label}: {' → '.join(values)}"


def differences(changes: Mapping[str, Sequence[Any]]) -> list[Difference]:
    """What an event changed, from its `{field: [before, after]}`: the lines one by one."""
    found = [
        Difference(str(FIELDS.get(name, name)), *_values(name, before, after))
        for name, (before, after) in changes.items()
        if name != "products"
    ]
    if "products" in changes:
        before, after = changes["products"]
        found += line_differences(before or [], after or [])
    return found


def _values(name: str, before: Any, after: Any) -> tuple[str | None, str | None]:
    # Of a password nothing is kept but that it was set.
    if before == after:
        return None, gettext("set anew")
    return plain(before, name), plain(after, name)


def line_differences(before: Sequence[JsonLine], after: Sequence[JsonLine]) -> list[Difference]:
    """Which lines were added, removed or changed, and in what."""
    pairs, moved = paired(before, after)
    found = [
        Difference(_what_happened(old, new), line_text(old), line_text(new))
        for old, new in pairs
        if old is None or new is None or _content(old) != _content(new)
    ]
    if moved:
        found.append(Difference(gettext("Lines"), None, gettext("in another order")))
    if not found:
        found.append(Difference(gettext("Lines"), None, gettext("entered anew, the same as before")))
    return found


def line_text(line: JsonLine | None) -> str | None:
    """One line in one line; None for one that is not there."""
    if line is None:
        return None
    return gettext("%(quantity)s × %(name)s at %(price)s", **{name: line[name] for name in _PARTS})


def plain(value: Any, field: str = "") -> str | None:
    """A value of a field as people read it; words of ours in their language, names as they are."""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if value is None:
        return None
    return word(str(value)) if field in _WORDS else str(value)


def paired(before: Sequence[JsonLine], after: Sequence[JsonLine]) -> tuple[list[Pair], bool]:
    """Which line became which, and whether those that stayed changed places.

    By their ids first; what has none, or a new one because the lines were sent without ids, by what it
    says, and then by its name.  New lines come in their places, removed ones at the end.
    """
    partner: dict[int, int] = {}
    free = set(range(len(before)))
    for key in (_id, _content, _name):
        _pair_by(key, before, after, free, partner)
    pairs: list[Pair] = [
        (before[partner[place]] if place in partner else None, line) for place, line in enumerate(after)
    ]
    kept = [partner[place] for place in sorted(partner)]
    return pairs + [(before[place], None) for place in sorted(free)], kept != sorted(kept)


def _pair_by(
    key: Callable[[JsonLine], Key],
    before: Sequence[JsonLine],
    after: Sequence[JsonLine],
    free: set[int],
    partner: dict[int, int],
) -> None:
    waiting: dict[Key, list[int]] = {}
    for place in sorted(free, reverse=True):
        waiting.setdefault(key(before[place]), []).append(place)
    for place, line in enumerate(after):
        found = waiting.get(key(line)) if place not in partner and key(line) else None
        if found:
            partner[place] = found.pop()
            free.discard(partner[place])


def _id(line: JsonLine) -> Key:
    return str(line["product_id"])


def _content(line: JsonLine) -> Key:
    return (line["name"], line["price"], line["quantity"])


def _name(line: JsonLine) -> Key:
    return str(line["name"])


def _what_happened(old: JsonLine | None, new: JsonLine | None) -> str:
    if old is None:
        return gettext("Line added")
    if new is None:
        return gettext("Line removed")
    names = {"name": gettext("name"), "price": gettext("price"), "quantity": gettext("quantity")}
    parts = [names[part] for part in _PARTS if old[part] != new[part]]
    return gettext("Line changed (%(parts)s)", parts=", ".join(parts))
