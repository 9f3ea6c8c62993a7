"""Pages of orders: numbered ones, and ones that follow a cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from orders_app.extensions import read_connection
from orders_app.http.cursors import seal, unseal
from orders_app.http.pagination import Page, next_link
from orders_app.orders.cache import Answer
from orders_app.orders.counts import count_orders
from orders_app.orders.filters import OrderFilter, Position
from orders_app.orders.queries import counted_list, plain_list
from orders_app.orders.records import OrderRecord, line_json
from orders_app.orders.rows import Listed, PlainLine
from orders_app.shared.identity import Role


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that somebody asked for: which orders, in which order, written for which role."""

    wanted: OrderFilter
    ordering: str
    role: Role
    asked: dict[str, Any]

    def page(self, page: Page) -> Answer:
        """A numbered page, with the count of all."""
        with read_connection() as connection:
            found, total = counted_list(
                connection, self.wanted, ordering=self.ordering, offset=page.offset, limit=page.size
            )
        return Answer.of(self._body(found), page.headers(total))

    def position(self, cursor: str) -> Position | None:
        """Where a cursor says to go on; None to begin.  Raises `Malformed`."""
        if not cursor:
            return None
        value, order_id = unseal(cursor, self._bound_to())
        if self.ordering.removeprefix("-") in {"created_at", "updated_at"}:
            value = datetime.fromisoformat(value)
        return Position(value, UUID(order_id))

    def following(self, after: Position | None, size: int, *, count: bool) -> Answer:
        """The page behind a position; counted only on demand, because counting costs what paging saves."""
        with read_connection() as connection:
            found = plain_list(connection, self.wanted, ordering=self.ordering, after=after, limit=size + 1)
            total = count_orders(connection, self.wanted) if count else None
        cursor = self._cursor(found[size - 1][0]) if len(found) > size else None
        described = {"page_size": size, "next_cursor": cursor} | ({} if total is None else {"total": total})
        headers = {"X-Pagination": orjson.dumps(described).decode()}
        if cursor:
            headers["Link"] = next_link("cursor", cursor)
        return Answer.of(self._body(found[:size]), headers)

    def _cursor(self, last: OrderRecord) -> str:
        position = Position.of(last, self.ordering)
        value = position.value.isoformat() if isinstance(position.value, datetime) else position.value
        return seal([value, position.order_id.hex], self._bound_to())

    def _bound_to(self) -> dict[str, Any]:
        owner = self.wanted.owner_id
        return {"filters": self.asked, "ordering": self.ordering, "owner": owner.hex if owner else None}

    def _body(self, listed: Sequence[Listed]) -> bytes:
        return orjson.dumps([self._written(*found) for found in listed])

    def _written(self, order: OrderRecord, lines: Sequence[PlainLine]) -> dict[str, Any]:
        return order.as_json(self.role, [line_json(*line) for line in lines])
