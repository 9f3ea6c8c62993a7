"""JSON Lines, one order a line, in the shape in which the API answers."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

from orders_app.orders.domain import MOST_LINES, OrderStatus
from orders_app.orders.importing import values
from orders_app.orders.importing.csv_rows import OWN_COLUMNS
from orders_app.orders.importing.options import NegativeQuantity
from orders_app.shared import strict_json
from orders_app.shared.errors import Malformed, TooLarge

_LINE_KEYS = frozenset({"product_id", "name", "price", "quantity"})
_ORDER_KEYS = (frozenset(OWN_COLUMNS) - _LINE_KEYS) | {"products", "allowed_transitions"}


@dataclass(slots=True)
class JsonOrder:
    """What a line says; `problems` are the reasons to refuse it, by the place that they are about."""

    order_id: str | None = None
    source: str | None = None
    reference: str | None = None
    user: str | None = None
    status: OrderStatus | None = None
    total_cents: int | None = None
    created_at: datetime | None = None
    is_deleted: bool = False
    lines: list[tuple[str, int, int]] = field(default_factory=list)
    lines_given: int = 1
    digest: str = ""
    problems: list[str] = field(default_factory=list)


def read_order(text: str, negative: NegativeQuantity, zone: tzinfo = UTC) -> JsonOrder:
    """The order that stands in this line, by the rules of the API."""
    order = JsonOrder()
    try:
        data = strict_json.loads(text.encode("utf-8", "surrogatepass"))
    except (Malformed, TooLarge) as error:
        order.problems.append(error.detail)
        return order
    if not isinstance(data, dict):
        order.problems.append("Not a JSON object.")
        return order
    # What has no number of its own is known by what it says, so that a second run finds it again.
    canonical = json.dumps(data, sort_keys=True, default=str)
    order.digest = hashlib.sha256(canonical.encode()).hexdigest()[:32]
    _Reader(data, order, negative, zone).read()
    return order


class _Reader:
    """Takes one object apart, and notes every problem instead of stopping at the first."""

    def __init__(
        self, data: dict[str, Any], order: JsonOrder, negative: NegativeQuantity, zone: tzinfo
    ) -> None:
        self._data = data
        self._order = order
        self._negative = negative
        self._zone = zone

    def read(self) -> None:
        data, order = self._data, self._order
        self._unknown(data, _ORDER_KEYS, "")
        order.order_id = self._optional("order_id", values.reference, numbers=True)
        order.reference = self._optional("reference", values.reference, numbers=True)
        order.source = self._optional("source", values.source)
        order.user = self._optional("user", values.user)
        order.created_at = self._optional("created_at", lambda text: values.moment(text, self._zone))
        if "status" in data:
            order.status = self._checked("status", lambda: values.status(_text(data["status"])))
        if "total_price" in data:
            order.total_cents = self._checked("total_price", lambda: values.amount(data["total_price"]))
        if not isinstance(data.get("is_deleted", False), bool):
            self._problem("is_deleted", "Not a valid boolean.")
        order.is_deleted = data.get("is_deleted") is True
        self._read_lines(data.get("products"))

    def _read_lines(self, products: Any) -> None:
        if not isinstance(products, list) or not products:
            self._problem("products", f"Between 1 and {MOST_LINES} lines.")
            return
        self._order.lines_given = len(products)
        if len(products) > MOST_LINES:
            self._problem("products", f"Between 1 and {MOST_LINES} lines.")
            return
        for number, product in enumerate(products):
            place = f"products.{number}"
            if not isinstance(product, dict):
                self._problem(place, "Not a JSON object.")
                continue
            self._unknown(product, _LINE_KEYS, f"{place}.")
            name = self._checked(
                f"{place}.name", lambda item=product: values.product_name(_text(item.get("name")))
            )
            price = self._checked(f"{place}.price", lambda item=product: values.amount(item.get("price")))
            quantity = self._checked(
                f"{place}.quantity",
                lambda item=product: values.quantity(item.get("quantity"), self._negative),
            )
            if name is not None and price is not None and quantity is not None:
                self._order.lines.append((name, price, quantity))

    def _unknown(self, data: dict[str, Any], known: frozenset[str], place: str) -> None:
        for key in data.keys() - known:
            self._problem(f"{place}{key}", "Unknown field.")

    def _optional(self, key: str, rule: Any, *, numbers: bool = False) -> Any:
        value = self._data.get(key)
        if value is None:
            return None
        if numbers and isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        return self._checked(key, lambda: rule(_text(value)))

    def _checked(self, place: str, rule: Any) -> Any:
        try:
            return rule()
        except ValueError as error:
            self._problem(place, str(error))
            return None

    def _problem(self, place: str, message: str) -> None:
        self._order.problems.append(f"{place}: {message}")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("Not a valid string.")  # noqa: TRY004  (a value of the input, gathered like the others)
    return value
