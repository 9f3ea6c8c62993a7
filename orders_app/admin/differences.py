"""What differs between two states of an order, in words for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

JsonLine = Mapping[str, Any]
"""A line as the history writes it; in a form, `product_id` may be empty."""
Key = str | tuple[Any, ...]
Pair = tuple[JsonLine | None, JsonLine | None]

_LABELS = {"user": "Owner", "status": "Status", "total_price": "Total", "is_deleted": "Deleted"}


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
        Difference(_LABELS.get(name, name), plain(before), plain(after))
        for name, (before, after) in changes.items()
        if name != "products"
    ]
    if "products" in changes:
        before, after = changes["products"]
        found += line_differences(before or [], after or [])
    return found


def line_differences(before: Sequence[JsonLine], after: Sequence[JsonLine]) -> list[Difference]:
    """Which lines were added, removed or changed, and in what."""
    pairs, moved = paired(before, after)
    found = [
        Difference(_what_happened(old, new), line_text(old), line_text(new))
        for old, new in pairs
        if old is None or new is None or _content(old) != _content(new)
    ]
    if moved:
        found.append(Difference("Lines", None, "in another order"))
    if not found:
        found.append(Difference("Lines", None, "entered anew, the same as before"))
    return found


def line_text(line: JsonLine | None) -> str | None:
    """One line in one line; None for one that is not there."""
    return f"{line['quantity']} × {line['name']} at {line['price']}" if line is not None else None


def plain(value: Any) -> str | None:
    """A value of a field as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value is None else str(value)


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
        return "Line added"
    if new is None:
        return "Line removed"
    parts = [part for part in ("name", "price", "quantity") if old[part] != new[part]]
    return f"Line changed ({', '.join(parts)})"
