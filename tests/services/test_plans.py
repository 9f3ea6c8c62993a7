"""How the databases read lists: from an index, at the place where the page begins, without sorting."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from orders_app.orders.filters import ORDERINGS, OrderFilter, Position
from orders_app.orders.pages import page_of_ids

NOW = datetime(2026, 11, 23, 6, 33, tzinfo=UTC)
VALUES: dict[str, datetime | int | str] = {
    "created_at": NOW,
    "updated_at": NOW,
    "total_price": 1000,
    "status": "pending",
}
FILTERS = {
    "all": OrderFilter(),
    "an owner's": OrderFilter(owner_id=uuid4()),
    "deleted": OrderFilter(is_deleted=True),
    "searched": OrderFilter(q="wool"),
}


def plan(connection: Connection, wanted: OrderFilter, ordering: str, after: Position | None) -> str:
    statement = page_of_ids(wanted, ordering, after).limit(50)
    sql = str(statement.compile(connection, compile_kwargs={"literal_binds": True}))
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}").all()
        return "\n".join(row[3] for row in rows)
    # A table this small is read whole and sorted whatever its indexes: leave the planner no such choice,
    # and it sorts only where no index gives the order.
    for choice in ("seqscan", "bitmapscan", "sort", "incremental_sort"):
        connection.execute(text(f"SET enable_{choice} = off"))
    try:
        return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {sql.replace('%', '%%')}"))
    finally:
        connection.execute(text("RESET ALL"))


@pytest.mark.parametrize("page", ["the first page", "a page behind a cursor"])
@pytest.mark.parametrize("direction", ["", "-"])
@pytest.mark.parametrize("name", ORDERINGS)
@pytest.mark.parametrize("which", FILTERS)
def test_no_list_is_sorted_or_read_whole(
    session: Session, which: str, name: str, direction: str, page: str
) -> None:
    after = Position(VALUES[name], uuid4()) if page == "a page behind a cursor" else None
    found = plan(session.connection(), FILTERS[which], f"{direction}{name}", after)
    assert "TEMP B-TREE" not in found, found
    assert "Sort" not in found, found
    assert "SCAN" not in found, found
    assert "Seq Scan" not in found, found
    if after is not None:
        # The place is part of what the index is searched for, not a filter over what it gives.
        place = "is_deleted=? AND (" if session.get_bind().dialect.name == "sqlite" else "Index Cond: "
        line = next(line for line in found.splitlines() if place in line)
        assert session.get_bind().dialect.name == "sqlite" or "ROW(" in line, found
