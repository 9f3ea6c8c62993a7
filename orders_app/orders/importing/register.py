"""The orders that were met in the input: all that stays in memory of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from datetime import datetime

from orders_app.orders.domain import OrderStatus
from orders_app.orders.importing.options import ImportFailed


@dataclass(frozen=True, slots=True)
class Heading:
    """What an order is apart from its lines; `total_cents` None is their sum."""

    user: str
    status: OrderStatus
    created_at: datetime | None = None
    total_cents: int | None = None
    is_deleted: bool = False


@dataclass(slots=True)
class Entry:
    """One order of the input.

    `heading` is None until a row gave it; `lines` and `total_cents` are those of the rows that were
    accepted so far.  `exported_id` is the id that an export names; where it is looked at, an order
    that has it here is the same one.  A `collision` has the number of another order of the input.
    """

    number: int
    source: str
    reference: str
    exported_id: str | None = None
    collision: bool = False
    heading: Heading | None = None
    lines: int = 0
    total_cents: int = 0
    refusal: str | None = None
    known: bool = False

    @property
    def is_wanted(self) -> bool:
        """Whether it is to be brought in."""
        return not self.known and self.refusal is None and self.lines > 0


class Register:
    """All orders of the input, in the order in which they were first met."""

    def __init__(self, most: int | None = None) -> None:
        self.entries: list[Entry] = []
        self._most = most
        self.unnamed = 0
        """Orders that could not even be told apart: broken lines of JSON."""
        self._by_key: dict[Hashable, Entry] = {}
        self._identities: set[tuple[str, str]] = set()
        self._digests: dict[str, int] = {}

    def find(self, key: Hashable) -> Entry | None:
        """The order whose rows have this key."""
        return self._by_key.get(key)

    def add(self, key: Hashable, source: str, reference: str, exported_id: str | None = None) -> Entry:
        """Note a new order.  One whose number another order has already is a collision.

        Raises `ImportFailed` for one more than there may be.
        """
        if len(self.entries) == self._most:
            raise ImportFailed(f"There are more than {self._most} orders; bring them in in parts.")
        entry = Entry(len(self.entries), source, reference, exported_id)
        if (source, reference) in self._identities:
            entry.collision = True
            entry.refusal = (
                f"Another order of the input has the reference {reference!r} from {source!r} as well."
            )
        self._identities.add((source, reference))
        self._by_key[key] = entry
        self.entries.append(entry)
        return entry

    def reference_for(self, digest: str) -> str:
        """A reference for an order that has no number: from what it says, counting repetitions."""
        count = self._digests[digest] = self._digests.get(digest, 0) + 1
        return f"sha256:{digest}" if count == 1 else f"sha256:{digest}#{count}"

    def wanted(self) -> Iterator[Entry]:
        """The orders to be brought in."""
        return (entry for entry in self.entries if entry.is_wanted)

    def count_known(self) -> int:
        return sum(entry.known for entry in self.entries)

    def count_refused(self) -> int:
        """Orders of which nothing comes in."""
        return self.unnamed + sum(
            not entry.known and (entry.refusal is not None or not entry.lines) for entry in self.entries
        )
