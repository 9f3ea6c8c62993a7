"""What somebody who imports orders may choose."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import UTC, tzinfo
from enum import StrEnum

from orders_app.orders.domain import OrderStatus

DEFAULT_SOURCE = "import"


class ImportFailed(Exception):
    """The import cannot go on; the message says why, in plain words."""


class WrongEncoding(ImportFailed):
    """What was read is no text in the encoding that it was said to be in."""


class NegativeQuantity(StrEnum):
    """What to do with a quantity below zero."""

    REFUSE = "refuse"
    ABSOLUTE = "absolute"


class Format(StrEnum):
    """How orders are written to a file."""

    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The names that a shop's CSV gives to what the import reads; None is not there."""

    order: str | None = None
    name: str | None = None
    price: str | None = None
    quantity: str | None = None
    created: str | None = None
    user: str | None = None
    status: str | None = None

    @property
    def are_given(self) -> bool:
        """Whether any column was named at all."""
        return any(getattr(self, item.name) is not None for item in fields(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """How to read the input.

    `source` None keeps the source that an exported order names, and is `import` for all others.
    """

    columns: Columns = field(default_factory=Columns)
    format: Format | None = None
    encoding: str = "utf-8-sig"
    timezone: tzinfo = UTC
    created_format: str | None = None
    status: OrderStatus = OrderStatus.CONFIRMED
    status_prefixes: tuple[tuple[str, OrderStatus], ...] = ()
    negative_quantity: NegativeQuantity = NegativeQuantity.REFUSE
    user: str | None = None
    create_users: bool = False
    source: str | None = None

    def status_of(self, reference: str, own: OrderStatus | None) -> OrderStatus:
        """The status for an order: by the longest prefix of its reference, else its own, else for all."""
        matching = [item for item in self.status_prefixes if reference.startswith(item[0])]
        if matching:
            return max(matching, key=lambda item: len(item[0]))[1]
        return own or self.status
