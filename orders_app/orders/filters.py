"""Which orders to read, and in which order: filters and orderings, and what they are in SQL."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Self
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    String,
    and_,
    cast,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute

from orders_app.auth.domain import username_key
from orders_app.auth.models import User
from orders_app.orders.domain import OrderStatus
from orders_app.orders.models import END_OF_ID, Order, OrderLine, ProductName
from orders_app.orders.records import OrderRecord
from orders_app.shared.money import to_cents
from orders_app.shared.text import fold

ORDERINGS: Final[dict[str, InstrumentedAttribute[Any]]] = {
    "created_at": Order.created_at,
    "updated_at": Order.updated_at,
    "total_price": Order.total_price_cents,
    "status": Order.status,
}
DEFAULT_ORDERING = "-created_at"
KEYS: Final = ("ids", "reference", "q", "search", "part_of_reference")
_PART_OF_ID: Final = re.compile(r"[0-9a-f]{6,32}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    """Which orders to read; None does not filter.

    `owner_id` limits to what one user may see; `q` looks in product names, `search` also in the names
    of owners, for whole references, and for the beginning of an id from six digits on or its end from
    eight on; `part_of_reference` looks in references.
    """

    owner_id: UUID | None = None
    statuses: tuple[OrderStatus, ...] = ()
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    user: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    updated_after: datetime | None = None
    source: str | None = None
    reference: str | None = None
    q: str | None = None
    search: str | None = None
    part_of_reference: str | None = None
    ids: tuple[UUID, ...] | None = None
    is_deleted: bool = False

    def conditions(self, of: Any = Order) -> list[ColumnElement[bool]]:
        """The same in SQL, for statements that select from orders; each order is looked at by itself.

        `of` holds the columns: those of the table, or of a subquery that has them.
        """
        return [*self.place(of), *self.details(of)]

    def given(self) -> frozenset[str]:
        """The names of the filters that are given, but for `is_deleted`, which always filters."""
        given = (item.name for item in fields(self) if getattr(self, item.name) != item.default)
        return frozenset(given) - {"is_deleted"}

    def place(self, of: Any = Order) -> list[ColumnElement[bool]]:
        """The part that every index begins with: whose orders, and whether the deleted ones."""
        every: list[ColumnElement[bool]] = [of.is_deleted == (true() if self.is_deleted else false())]
        if self.owner_id is not None:
            every.append(of.user_id == self.owner_id)
        if self.user is not None:
            every.append(of.user_id == owner_named(self.user))
        return every

    def details(self, of: Any = Order) -> list[ColumnElement[bool]]:
        """The other part."""
        given: list[tuple[Any, Callable[[Any], ColumnElement[bool]]]] = [
            (self.statuses or None, lambda statuses: of.status.in_([status.value for status in statuses])),
            (self.min_price, lambda amount: of.total_price_cents >= to_cents(amount)),
            (self.max_price, lambda amount: of.total_price_cents <= to_cents(amount)),
            (self.created_after, lambda moment: of.created_at >= moment),
            (self.created_before, lambda moment: of.created_at < moment),
            (self.updated_after, lambda moment: of.updated_at >= moment),
            (self.source, lambda source: of.source == source),
            (self.reference, lambda reference: of.reference == reference),
            (self.q, lambda text: _with_product(text, of)),
            (self.search, lambda text: or_(_with_product(text, of), *_mentions(text, of))),
            (self.part_of_reference, lambda text: _in_reference(text, of)),
            (self.ids, of.id.in_),
        ]
        return [condition(value) for value, condition in given if value is not None]

    @property
    def key(self) -> str | None:
        """The filter that names orders rather than describing them, if one does."""
        return next((name for name in KEYS if getattr(self, name) is not None), None)

    def keys(self) -> Select[UUID] | None:
        """The ids of all orders, of whomever, that `key` names; one may stand there several times."""
        match self.key:
            case None:
                return None
            case "q":
                return _orders_with(self.q or "")
            case "search":
                mentions = [select(Order.id).where(of) for of in _mentions(self.search or "", Order)]
                return select(union_all(_orders_with(self.search or ""), *mentions).subquery())
            case "part_of_reference":
                # The index of references is read whole, and the orders only where it matches.
                references = select(Order.reference).where(
                    Order.reference.is_not(None), _in_reference(self.part_of_reference or "", Order)
                )
                return select(Order.id).where(Order.reference.in_(references))
            case name:
                return select(Order.id).where(*OrderFilter(**{name: getattr(self, name)}).details())

    def but_keys(self) -> Self:
        """The filter without what `keys` stands for."""
        nothing: dict[str, Any] = {} if self.key is None else {self.key: None}
        return replace(self, **nothing)


@dataclass(frozen=True, slots=True)
class Position:
    """The place of one order in a list: its value in the column that the list is ordered by, and its id."""

    value: datetime | int | str
    order_id: UUID

    @classmethod
    def of(cls, order: OrderRecord, ordering: str) -> Self:
        return cls(getattr(order, ordered_column(ordering).key), order.order_id)


def ordered_column(ordering: str) -> InstrumentedAttribute[Any]:
    """The column of an ordering, whichever its direction."""
    return ORDERINGS[ordering.removeprefix("-")]


def reverse(ordering: str) -> str:
    """The ordering from the other end."""
    return ordering.removeprefix("-") if ordering.startswith("-") else f"-{ordering}"


def order_by(ordering: str, of: Any = Order) -> list[ColumnElement[Any]]:
    """The ordering in SQL, with the id that breaks ties."""
    column = getattr(of, ordered_column(ordering).key)
    if ordering.startswith("-"):
        return [column.desc(), of.id.desc()]
    return [column.asc(), of.id.asc()]


def behind(
    ordering: str, value: ColumnElement[Any], order_id: ColumnElement[UUID], of: Any = Order
) -> ColumnElement[bool]:
    """What comes after a place in that order."""
    here = tuple_(getattr(of, ordered_column(ordering).key), of.id)
    there = tuple_(value, order_id)
    return here < there if ordering.startswith("-") else here > there


def behind_position(ordering: str, after: Position, of: Any = Order) -> ColumnElement[bool]:
    """The same for a place that is known."""
    value = literal(after.value, ordered_column(ordering).type)
    return behind(ordering, value, literal(after.order_id, Order.id.type), of)


def owner_named(username: str) -> ScalarSelect[UUID]:
    """The id of the user of that name, found first: the index of that owner's orders can be used."""
    return select(User.id).where(User.username_key == username_key(username)).scalar_subquery()


def _has(text: str, of: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = of.name_folded.contains(fold(text), autoescape=True)
    return found


def _with_product(text: str, of: Any) -> ColumnElement[bool]:
    # No EXISTS: PostgreSQL would turn it into a join, and might read all lines of all orders for it.
    line = select(literal(1)).where(OrderLine.order_id == of.id, _has(text, OrderLine)).limit(1)
    return line.correlate_except(OrderLine).scalar_subquery().is_not(None)


def _orders_with(text: str) -> Select[UUID]:
    # A shop has fewer names than lines.
    names = select(ProductName.name_folded).where(_has(text, ProductName))
    return select(OrderLine.order_id).where(OrderLine.name_folded.in_(names))


def _in_reference(text: str, of: Any) -> ColumnElement[bool]:
    return func.lower(of.reference).contains(text.lower(), autoescape=True)


def _mentions(text: str, of: Any) -> list[ColumnElement[bool]]:
    """Where, but for its lines, a text may stand on an order that a person may know it by."""
    owners = select(User.id).where(User.username_key.contains(username_key(text), autoescape=True))
    found: list[ColumnElement[bool]] = [
        of.user_id.in_(owners),
        of.reference.in_(dict.fromkeys((text, text.upper(), text.lower()))),
    ]
    digits = text.strip("… ").replace("-", "").lower()
    if _PART_OF_ID.fullmatch(digits):
        found.append(of.id.between(UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))))
    if _PART_OF_ID.fullmatch(digits) and len(digits) >= END_OF_ID:
        written = func.replace(cast(of.id, String), literal_column("'-'"), literal_column("''"))
        end = func.substr(written, literal_column(str(33 - END_OF_ID)))
        found.append(and_(end == digits[-END_OF_ID:], written.like(f"%{digits}")))
    return found
