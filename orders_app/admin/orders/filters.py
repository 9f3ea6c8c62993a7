"""The filters above the list of orders: what the address asks for, read by the API's own schema."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from flask_babel import get_timezone
from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict

from orders_app.orders.domain import OrderStatus
from orders_app.orders.filters import DEFAULT_ORDERING, ORDERINGS, OrderFilter
from orders_app.orders.schemas import OrderQuerySchema
from orders_app.shared.clock import rfc3339

USUAL: Final = ("order_id", "user", "status", "total_price", "lines", "created_at", "updated_at")
"""The columns of the list for who has chosen none."""
COLUMNS: Final = (*USUAL, "reference", "source", "is_deleted", "quantity", "products", "version")
"""All that there are.  Links and kept views name the one to sort by by its place: a new one comes last."""
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
_OF_A_LIST: Final = frozenset({*FILTERS, "search", "sort", "desc"})
_PLACES: Final = frozenset(map(str, range(len(COLUMNS))))
_LONGEST_QUERY: Final = 2_000
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENTS: Final = frozenset({"created_after", "created_before", "updated_after"})


def asked_statuses(args: MultiDict[str, str]) -> list[str]:
    """The statuses that are ticked, or that a link names."""
    named = SEVERAL.join(args.getlist("status")).split(SEVERAL)
    return list(dict.fromkeys(status for name in named if (status := name.strip())))


def asked_ordering(args: MultiDict[str, str]) -> str:
    """The ordering of the list, as the API names it; the usual one where that asks for none that there is."""
    place = args.get("sort", "")
    column = COLUMNS[int(place)] if place in _PLACES else ""
    if column not in ORDERINGS:
        return DEFAULT_ORDERING
    return f"-{column}" if args.get("desc") else column


def query_of(text: str | None) -> str:
    """The part of an address that says which list it is of, from what a link carries of it."""
    asked = parse_qsl((text or "")[:_LONGEST_QUERY])
    return urlencode([(name, value) for name, value in asked if name in _OF_A_LIST])


def wanted_orders(args: MultiDict[str, str]) -> tuple[OrderFilter, dict[str, Any]]:
    """The filter, and what is wrong with which field; what cannot be read does not filter."""
    search = args.get("search")
    given: dict[str, Any] = {
        name: text for name in FILTERS if (text := args.get(name, "").strip()) and name != "status"
    }
    if statuses := asked_statuses(args):
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
