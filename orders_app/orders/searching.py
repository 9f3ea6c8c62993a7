"""Looking for a text wherever a person may know an order by it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, Select

from orders_app.orders.filters import OrderFilter

FEW: Final = 1_000
"""As many orders are named one by one in the statements that follow."""


def looked_up(connection: Connection, wanted: OrderFilter) -> OrderFilter:
    """The filter with the orders that a `search` finds in its place, where they are few.

    A part of a reference is looked for only where nothing else has the text: all references have to be
    read for it.
    """
    if wanted.search is None:
        return wanted
    ids = _some(connection, OrderFilter(search=wanted.search))
    if ids == ():
        wanted = replace(wanted, search=None, part_of_reference=wanted.search)
        ids = _some(connection, OrderFilter(part_of_reference=wanted.part_of_reference))
    if ids is None:
        return wanted
    return replace(wanted, search=None, part_of_reference=None, ids=ids)


def _some(connection: Connection, wanted: OrderFilter) -> tuple[UUID, ...] | None:
    """The ids of all orders with that text, or None if they are more than a few."""
    keys: Select[UUID] | None = wanted.keys()
    assert keys is not None  # noqa: S101  (a text is what it was made with)
    found = connection.scalars(keys.limit(FEW + 1)).all()
    return tuple(dict.fromkeys(found)) if len(found) <= FEW else None
