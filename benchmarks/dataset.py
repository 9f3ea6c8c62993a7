"""What every contender has in its database: the same accounts and orders, made up from their number alone."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

PAGE: Final = 20
LINES: Final = 3
BEGAN: Final = datetime(2020, 1, 1, tzinfo=UTC)
BETWEEN_ORDERS: Final = timedelta(seconds=15)
STATUSES: Final = ("pending", "confirmed", "pending", "completed", "confirmed", "cancelled", "pending")
"""The statuses of one order after another, over and over."""
ADJECTIVES: Final = ("Blue", "Big", "Old", "Paper", "Wooden", "Größe 40", "Soft", "Tin", "Glass", "Café")
NOUNS: Final = ("lantern", "cup", "sticker", "box", "fanny pack", "clock", "candle holder", "ribbon", "plate")


@dataclass(frozen=True, slots=True)
class SampleUser:
    """An account; `is_admin` sees the orders of all."""

    user_id: UUID
    name: str
    is_admin: bool = False

    @property
    def password(self) -> str:
        return f"{self.name}-password-1"


@dataclass(frozen=True, slots=True)
class SampleLine:
    """One line of an order; money in cents."""

    line_id: UUID
    name: str
    price_cents: int
    quantity: int


@dataclass(frozen=True, slots=True)
class SampleOrder:
    """One order, not deleted and never changed; `number` counts from 0, the oldest."""

    number: int
    order_id: UUID
    owner: SampleUser
    status: str
    created_at: datetime
    lines: Sequence[SampleLine]

    @property
    def total_cents(self) -> int:
        return sum(line.price_cents * line.quantity for line in self.lines)


def _version_7(at: datetime, chance: random.Random) -> UUID:
    """A UUID of version 7 (RFC 9562) from that moment."""
    head = int(at.timestamp() * 1000) << 80 | 7 << 76 | chance.getrandbits(12) << 64
    return UUID(int=head | 2 << 62 | chance.getrandbits(62))


def _users() -> Iterator[SampleUser]:
    chance = random.Random(0)
    yield SampleUser(_version_7(BEGAN, chance), "boss", is_admin=True)
    for number in range(10):
        yield SampleUser(_version_7(BEGAN, chance), f"shop-{number}")


ADMIN, *OWNERS = _users()
USERS: Final = (ADMIN, *OWNERS)


def orders(count: int) -> Iterator[SampleOrder]:
    """So many orders of three lines, oldest first; the ten owners have every tenth each."""
    chance = random.Random(1)
    for number in range(count):
        at = BEGAN + number * BETWEEN_ORDERS
        lines = [
            SampleLine(
                _version_7(at, chance),
                f"{chance.choice(ADJECTIVES)} {chance.choice(NOUNS)} {number % 997}",
                chance.randrange(50, 20_000),
                chance.randrange(1, 9),
            )
            for _ in range(LINES)
        ]
        owner = OWNERS[number % len(OWNERS)]
        status = STATUSES[number // len(OWNERS) % len(STATUSES)]
        yield SampleOrder(number, _version_7(at, chance), owner, status, at, lines)


@dataclass(frozen=True)
class Dataset:
    """The orders of a run, in memory."""

    orders: Sequence[SampleOrder]
    by_id: dict[UUID, SampleOrder] = field(repr=False)

    @classmethod
    def of(cls, count: int) -> Dataset:
        made = list(orders(count))
        return cls(made, {order.order_id: order for order in made})

    def page(
        self, viewer: SampleUser, number: int = 1, status: str | None = None
    ) -> tuple[list[SampleOrder], int]:
        """What a page of the viewer's list holds, newest first, and how many the whole list has."""
        own = [
            order
            for order in reversed(self.orders)
            if (viewer.is_admin or order.owner == viewer) and status in {None, order.status}
        ]
        return own[(number - 1) * PAGE : number * PAGE], len(own)
