"""The filters above the list of orders: what the address asks for, read by the API's own schema."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Final

from flask import request
from flask_babel import get_timezone
from marshmallow import ValidationError

from orders_app.orders.domain import OrderStatus
from orders_app.orders.filters import OrderFilter
from orders_app.orders.schemas import OrderQuerySchema
from orders_app.shared.clock import rfc3339

FILTERS: Final = (
    "status",
    "user",
    "product",
    "reference",
    "min_price",
    "max_price",
    "created_after",
    "created_before",
    "updated_after",
    "is_deleted",
)
MORE_FILTERS: Final = frozenset({"min_price", "max_price", "updated_after", "reference", "is_deleted"})
"""Those that are folded away as long as none of them is used."""
SEVERAL: Final = ","
"""Between statuses where one parameter names several, as it does in links."""
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENTS: Final = frozenset({"created_after", "created_before", "updated_after"})


def asked_statuses() -> list[str]:
    """The statuses that are ticked, or that a link names."""
    named = SEVERAL.join(request.args.getlist("status")).split(SEVERAL)
    return list(dict.fromkeys(status for name in named if (status := name.strip())))


def wanted_orders(search: str | None) -> tuple[OrderFilter, dict[str, Any]]:
    """The filter, and what is wrong with which field; what cannot be read does not filter."""
    given: dict[str, Any] = {
        name: text for name in FILTERS if (text := request.args.get(name, "").strip()) and name != "status"
    }
    if statuses := asked_statuses():
        given["status"] = statuses
    for name in _MOMENTS & given.keys():
        given[name] = _in_zone(given[name])
    product = given.pop("product", None)
    loaded, errors = _load(given)
    for name, sought in (("q", search), ("product", product)):
        if sought and sought.strip():
            found, wrong = _load({"q": sought})
            if wrong:
                errors[name] = wrong["q"]
            else:
                loaded["search" if name == "q" else "q"] = found["q"]
    known = {item.name for item in fields(OrderFilter)}
    chosen = tuple(OrderStatus(status) for status in loaded.pop("status", ()))
    values = {name: value for name, value in loaded.items() if name in known}
    return OrderFilter(statuses=chosen, **values), errors


def _load(given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        return OrderQuerySchema().load(given), {}
    except ValidationError as error:
        errors = dict(error.normalized_messages())
        readable: Any = error.valid_data
        return {name: value for name, value in readable.items() if name not in errors}, errors


def _in_zone(text: str) -> str:
    """A day means its beginning where the person is; all else is read as the API reads it."""
    if not _DAY.fullmatch(text):
        return text
    try:
        midnight = datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007  (its zone is given to it below)
        return rfc3339(get_timezone().localize(midnight).astimezone(UTC))
    except (ValueError, OverflowError):
        return text
