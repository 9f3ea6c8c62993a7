"""The rules for orders.  Standard library only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from orders_app.shared.errors import Conflict, Forbidden, Invalid
from orders_app.shared.identity import Actor, Role
from orders_app.shared.money import MAX_MONEY

MOST_LINES = 2_000
LONGEST_NAME = 255
MOST_QUANTITY = 2_147_483_647
MOST_VERSIONS = 2_147_483_647
LONGEST_REFERENCE = 255
LONGEST_SOURCE = 100
LONGEST_NOTE = 2_000
LONG_WAITING: Final = timedelta(days=1)
"""After so long somebody should look at an order that is pending still."""
MOST_WAITING: Final = 1_000
"""So many of them are counted, and not more."""


class OrderStatus(StrEnum):
    """Where an order stands.  The first three are the original service's."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    COMPLETED = "completed"


TRANSITIONS: Final[dict[OrderStatus, dict[OrderStatus, Role]]] = {
    OrderStatus.PENDING: {
        OrderStatus.CONFIRMED: Role.USER,
        OrderStatus.CANCELLED: Role.USER,
    },
    OrderStatus.CONFIRMED: {
        OrderStatus.PENDING: Role.USER,
        OrderStatus.CANCELLED: Role.USER,
        OrderStatus.COMPLETED: Role.ADMIN,
    },
    OrderStatus.CANCELLED: {
        OrderStatus.PENDING: Role.USER,
        OrderStatus.CONFIRMED: Role.USER,
    },
    OrderStatus.COMPLETED: {},
}
"""From, to, and the least role that may do it.  Everything else that knows the lifecycle (the database
constraint, OpenAPI, the panel's buttons, the docs, the tests) is derived from this table."""


def allowed_transitions(status: OrderStatus, role: Role) -> list[OrderStatus]:
    """What somebody with this role may make of an order now."""
    return [to for to, least in TRANSITIONS[status].items() if least is Role.USER or role is Role.ADMIN]


def check_transition(status: OrderStatus, to: OrderStatus, role: Role) -> None:
    """Raise `Conflict` for a move that the table does not have, `Forbidden` for one above this role."""
    if to not in TRANSITIONS[status]:
        allowed = [name.value for name in allowed_transitions(status, role)]
        raise Conflict(
            f"An order that is {status.value} cannot become {to.value}.",
            code="invalid_transition",
            **{"from": status.value, "to": to.value, "allowed": allowed},
        )
    if to not in allowed_transitions(status, role):
        raise Forbidden(f"Only an admin may make an order {to.value}.")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an order as somebody wants it; `product_id` names a line that is already there."""

    name: str
    price: Decimal
    quantity: int
    product_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """An order to be made.  `owner` None is the caller; `total_price` None is the sum of the lines.

    The last four are for orders that come from elsewhere; the API sets none of them.
    """

    lines: tuple[Line, ...]
    status: OrderStatus = OrderStatus.PENDING
    total_price: Decimal | None = None
    owner: str | None = None
    created_at: datetime | None = None
    source: str | None = None
    reference: str | None = None
    is_deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChanges:
    """What to change of an order; None leaves it as it is.

    When the lines change and the total is left out, it becomes the sum of the lines; `sum_anew` asks
    for that even if the lines are the same, as a replacement of the whole order does.
    `expected_version` is the version that the caller saw: another one now is a conflict.
    """

    lines: tuple[Line, ...] | None = None
    status: OrderStatus | None = None
    total_price: Decimal | None = None
    owner: str | None = None
    sum_anew: bool = False
    expected_version: int | None = None


def total_of(lines: Iterable[Line]) -> Decimal:
    """The sum of price times quantity.  Raises `Invalid` where it is more than money goes."""
    total = sum((line.price * line.quantity for line in lines), Decimal("0.00"))
    if total > MAX_MONEY:
        message = f"The sum of the lines is more than {MAX_MONEY}."
        raise Invalid(message, errors={"total_price": [message]})
    return total


class Figures(NamedTuple):
    """How many orders there are of some kind, and what they come to."""

    number: int
    total_cents: int


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose an order is."""

    user_id: UUID
    username: str


def may_see(actor: Actor, owner_id: UUID, is_deleted: bool) -> bool:
    """Whether an order exists as far as this actor is concerned."""
    return actor.is_admin or (actor.user_id == owner_id and not is_deleted)
