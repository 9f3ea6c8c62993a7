"""An order as it is read and shown: plain values, no database objects."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import orjson

from orders_app.orders.domain import OrderStatus, Owner, allowed_transitions
from orders_app.shared.clock import rfc3339
from orders_app.shared.identity import Role
from orders_app.shared.money import cents_text
from orders_app.shared.persistence import new_id


def entity_tag(*parts: bytes) -> str:
    """A strong entity tag over these bytes (RFC 9110, section 8.8.3), without its quotes."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


@cache
def _moves(status: str, role: Role) -> tuple[str, ...]:
    return tuple(to.value for to in allowed_transitions(OrderStatus(status), role))


def line_json(product_id: str, name: str, price_cents: int, quantity: int) -> dict[str, Any]:
    """A line as the API, the history and exports write it."""
    return {"product_id": product_id, "name": name, "price": cents_text(price_cents), "quantity": quantity}


@dataclass(frozen=True, slots=True)
class LineRecord:
    """One line of an order; money in cents."""

    product_id: UUID
    name: str
    price_cents: int
    quantity: int

    def as_json(self) -> dict[str, Any]:
        """The line as it is written everywhere."""
        return line_json(str(self.product_id), self.name, self.price_cents, self.quantity)


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """One order with its lines and the name of its owner; money in cents."""

    order_id: UUID
    user_id: UUID
    user: str
    status: str
    total_price_cents: int
    is_deleted: bool
    created_at: datetime
    updated_at: datetime
    version: int
    source: str | None
    reference: str | None
    lines: list[LineRecord]
    is_past: bool = False
    """Whether this is an earlier version, which nothing can be made of any more."""

    def as_json(self, role: Role, products: list[dict[str, Any]] | None = None) -> dict[str, Any]:
        """The order as the API writes it for somebody with this role."""
        moves = [] if self.is_deleted or self.is_past else list(_moves(self.status, role))
        return {
            "order_id": str(self.order_id),
            "user": self.user,
            "status": self.status,
            "total_price": cents_text(self.total_price_cents),
            "products": [line.as_json() for line in self.lines] if products is None else products,
            "is_deleted": self.is_deleted,
            "created_at": rfc3339(self.created_at),
            "updated_at": rfc3339(self.updated_at),
            "version": self.version,
            "allowed_transitions": moves,
            "source": self.source,
            "reference": self.reference,
        }

    def encoded(self, role: Role, products: list[dict[str, Any]] | None = None) -> bytes:
        """The order as the bytes that the API answers somebody with this role."""
        return orjson.dumps(self.as_json(role, products))

    def entity_tag(self, role: Role) -> str:
        """The tag of that answer, without its quotes."""
        return entity_tag(self.encoded(role))

    def digest(self) -> bytes:
        """SHA-256 over all that is stored of the order, for the history to hold on to.

        The owner counts by their id: another name of theirs is no change of the order.
        """
        stored = [
            self.order_id.hex,
            self.user_id.hex,
            self.status,
            self.total_price_cents,
            self.is_deleted,
            rfc3339(self.created_at),
            rfc3339(self.updated_at),
            self.version,
            self.source,
            self.reference,
            [[line.product_id.hex, line.name, line.price_cents, line.quantity] for line in self.lines],
        ]
        return hashlib.sha256(orjson.dumps(stored)).digest()


@dataclass(frozen=True, slots=True)
class NoteRecord:
    """What somebody wrote about an order, in plain values; `sequence` is the event that it explains."""

    note_id: UUID
    order_id: UUID
    sequence: int | None
    at: datetime
    author: str
    request_id: str
    text: str


def new_record(  # noqa: PLR0913  (what an order consists of)
    owner: Owner,
    lines: Iterable[tuple[str, int, int]],
    now: datetime,
    *,
    status: OrderStatus,
    total_price_cents: int,
    created_at: datetime | None = None,
    source: str | None = None,
    reference: str | None = None,
    is_deleted: bool = False,
) -> OrderRecord:
    """The first version of an order that is made now; each line is its name, price in cents and quantity.

    `created_at` None is now; what comes from elsewhere may be older.
    """
    return OrderRecord(
        order_id=new_id(),
        user_id=owner.user_id,
        user=owner.username,
        status=status.value,
        total_price_cents=total_price_cents,
        is_deleted=is_deleted,
        created_at=created_at or now,
        updated_at=now,
        version=1,
        source=source,
        reference=reference,
        lines=[LineRecord(new_id(), name, price_cents, quantity) for name, price_cents, quantity in lines],
    )
