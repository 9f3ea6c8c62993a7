"""Orders on the wire.

Reading a body goes through these schemas; an answer is written from `records.py`, many times faster,
and a test holds the two against each other.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from orders_app.http.fields import Moment, Money, ReadOnly, Text, WholeNumber
from orders_app.http.pagination import page_fields
from orders_app.orders.domain import (
    LONGEST_NAME,
    LONGEST_REFERENCE,
    MOST_LINES,
    MOST_QUANTITY,
    MOST_VERSIONS,
    Line,
    OrderStatus,
)
from orders_app.orders.filters import DEFAULT_ORDERING, ORDERINGS
from orders_app.shared.money import MAX_MONEY

STATUSES = [status.value for status in OrderStatus]
_ORDERINGS = [sign + name for name in ORDERINGS for sign in ("", "-")]
_AMOUNT = {"pattern": r"^[0-9]{1,10}\.[0-9]{2}$", "example": "229.00"}
# Without an example: whoever tries a list out would have it filled in, and find nothing.
_AMOUNT_ASKED = {"pattern": r"^[0-9]{1,10}(\.[0-9]{1,2})?$"}
_AMOUNT_IN = {
    "type": ["string", "number"],
    "pattern": _AMOUNT_ASKED["pattern"],
    "minimum": 0,
    "maximum": float(MAX_MONEY),
    "multipleOf": 0.01,
    "description": "At most two decimal places and 9999999999.99; a string or a number.",
    "example": "229.00",
}


def _status(value: str) -> None:
    if value not in STATUSES:
        raise ValidationError(f"Must be one of: {', '.join(STATUSES)}.")


class Status(fields.String):
    """One of the statuses, as the domain knows them."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("metadata", {}).setdefault("enum", STATUSES)
        super().__init__(validate=_status, **kwargs)


class LineSchema(Schema):
    """A line of an order, as it is answered."""

    product_id = fields.UUID(required=True)
    name = fields.String(required=True, metadata={"example": "affe"})
    price = Money(required=True, metadata=_AMOUNT)
    quantity = fields.Integer(required=True, metadata={"example": 2})


class OrderSchema(Schema):
    """An order, as it is answered."""

    order_id = fields.UUID(required=True)
    user = fields.String(required=True, metadata={"description": "The owner's name.", "example": "alice"})
    status = Status(required=True)
    total_price = Money(required=True, metadata=_AMOUNT)
    products = fields.List(fields.Nested(LineSchema), required=True)
    is_deleted = fields.Boolean(required=True)
    created_at = Moment(required=True)
    updated_at = Moment(required=True)
    version = fields.Integer(required=True, metadata={"minimum": 1})
    allowed_transitions = fields.List(
        fields.String(metadata={"enum": STATUSES}),
        required=True,
        metadata={"description": "What this caller may make of it now."},
    )
    source = fields.String(
        required=True, allow_none=True, metadata={"description": "Where an imported order came from."}
    )
    reference = fields.String(required=True, allow_none=True, metadata={"description": "Its number there."})


class LineInSchema(Schema):
    """A line of an order, as it is sent."""

    product_id = fields.UUID(
        load_default=None,
        allow_none=True,
        metadata={"description": "Names a line of this order that is to keep its id."},
    )
    name = Text(
        longest=LONGEST_NAME,
        required=True,
        metadata={"example": "affe"},
    )
    price = Money(required=True, metadata={**_AMOUNT_IN, "example": "42"})
    quantity = WholeNumber(
        least=0,
        most=MOST_QUANTITY,
        required=True,
        metadata={
            "type": ["integer", "string"],
            "pattern": r"^[0-9]{1,9}$",
            "example": 2,
        },
    )

    @post_load
    def make_line(self, data: dict[str, Any], **_: Any) -> Line:
        return Line(**data)


def _lines(**kwargs: Any) -> fields.List:
    return fields.List(
        fields.Nested(LineInSchema),
        validate=validate.Length(min=1, max=MOST_LINES, error="Between {min} and {max} lines."),
        **kwargs,
    )


class _OrderInSchema(Schema):
    """The keys of an answer that a client may send back, and that are not its to set."""

    order_id = ReadOnly()
    is_deleted = ReadOnly()
    created_at = ReadOnly()
    updated_at = ReadOnly()
    version = ReadOnly()
    allowed_transitions = ReadOnly()
    source = ReadOnly()
    reference = ReadOnly()
    user = ReadOnly(
        metadata={
            "description": "The owner's name; applied for admins only.",
            "example": "alice",
        },
    )
    status = Status()
    total_price = Money(metadata=_AMOUNT_IN)

    @post_load
    def keep_what_applies(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        wanted = {"products": "lines", "status": "status", "total_price": "total_price", "user": "owner"}
        kept = {wanted[key]: value for key, value in data.items() if key in wanted}
        if "status" in kept:
            kept["status"] = OrderStatus(kept["status"])
        if "lines" in kept:
            kept["lines"] = tuple(kept["lines"])
        return kept


class NewOrderSchema(_OrderInSchema):
    """An order to be made.  Without a total it is the sum of the lines."""

    products = _lines(required=True)


class ReplaceOrderSchema(NewOrderSchema):
    """What an order is to be from now on.  A status that is left out stays."""


class ChangeOrderSchema(_OrderInSchema):
    """What to change of an order; what is left out stays."""

    products = _lines()


class VersionQuerySchema(Schema):
    """Which version of an order."""

    version = WholeNumber(
        least=1,
        most=MOST_VERSIONS,
        metadata={
            "description": "The order as this version of it was; 404 for one that there is not. "
            "Nothing can be made of an earlier one: its `allowed_transitions` are empty."
        },
    )


class OrderQuerySchema(Schema):
    """Filters, ordering and page of a list of orders."""

    status = fields.List(
        Status(), metadata={"description": "Repeat it for several: `status=pending&status=confirmed`."}
    )
    min_price = Money(metadata={**_AMOUNT_ASKED, "description": "Inclusive."})
    max_price = Money(metadata={**_AMOUNT_ASKED, "description": "Inclusive; not less than `min_price`."})
    user = Text(longest=150, metadata={"description": "The owner's name; for admins."})
    created_after = Moment(metadata={"description": "Inclusive."})
    created_before = Moment(metadata={"description": "Exclusive; not before `created_after`."})
    updated_after = Moment(metadata={"description": "Inclusive."})
    reference = Text(longest=LONGEST_REFERENCE, metadata={"description": "Its number where it came from."})
    q = Text(longest=255, metadata={"description": "In product names, without regard to case."})
    is_deleted = fields.Boolean(metadata={"description": "Only deleted ones; for admins."})
    ordering = fields.String(
        load_default=DEFAULT_ORDERING,
        validate=validate.OneOf(_ORDERINGS, error="Must be one of: {choices}."),
        metadata={"description": "A leading `-` reverses."},
    )
    page = page_fields()["page"]
    page_size = page_fields()["page_size"]
    cursor = fields.String(
        metadata={
            "description": "Instead of `page`: empty to begin, then what `Link` and `X-Pagination` say. "
            "It costs the same at any depth, and visits every order once."
        }
    )
    count = fields.String(
        validate=validate.OneOf(["exact"], error="Must be one of: {choices}."),
        metadata={"description": "With a cursor: also count how many there are."},
    )

    @validates_schema
    def one_way_to_turn_pages(self, data: dict[str, Any], **_: Any) -> None:
        if "cursor" in data and "page" in data:
            raise ValidationError("Give either a cursor or a page.", "cursor")

    @validates_schema
    def prices_do_not_cross(self, data: dict[str, Any], **_: Any) -> None:
        least: Decimal | None = data.get("min_price")
        most: Decimal | None = data.get("max_price")
        if least is not None and most is not None and least > most:
            raise ValidationError("Must not be less than min_price.", "max_price")

    @validates_schema
    def times_do_not_cross(self, data: dict[str, Any], **_: Any) -> None:
        since: datetime | None = data.get("created_after")
        until: datetime | None = data.get("created_before")
        if since is not None and until is not None and since > until:
            raise ValidationError("Must not be before created_after.", "created_before")
