"""How the databases read lists: from an index, at the place where the page begins, without sorting.

Where something in the filter is not what an index begins with, a walk looks at it in the index itself, and
what has to be gathered and sorted is found by an index too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.orm import Session
from sqlalchemy.sql import Select

from orders_app.auth.queries import ORDERINGS as PEOPLE_BY
from orders_app.auth.queries import (
    PeopleFilter,
    count_open_log_ins,
    latest_account_events,
    list_people,
    open_log_ins,
)
from orders_app.history.repository import latest_events
from orders_app.orders.counts import how_orders_stand
from orders_app.orders.domain import OrderStatus
from orders_app.orders.filters import ORDERINGS, OrderFilter, Position
from orders_app.orders.pages import ways_to
from orders_app.shared.identity import Role

NOW = datetime(2026, 11, 23, 6, 33, tzinfo=UTC)
VALUES: dict[str, datetime | int | str] = {
    "created_at": NOW,
    "updated_at": NOW,
    "total_price": 1000,
    "status": "pending",
}
PENDING, CONFIRMED = OrderStatus.PENDING, OrderStatus.CONFIRMED
DECIDED = {
    "all": OrderFilter(),
    "an owner's": OrderFilter(owner_id=uuid4()),
    "an owner's by name": OrderFilter(user="alice"),
    "deleted": OrderFilter(is_deleted=True),
    "of a status": OrderFilter(statuses=(PENDING,)),
    "of a status, deleted": OrderFilter(statuses=(PENDING,), is_deleted=True),
    "of two statuses": OrderFilter(statuses=(PENDING, CONFIRMED)),
}
"""Filters of which every index has all at its beginning."""
LOOKED_AT = {
    "from a price": OrderFilter(min_price=Decimal(5)),
    "between prices": OrderFilter(min_price=Decimal(5), max_price=Decimal(6)),
    "created after": OrderFilter(created_after=NOW),
    "created before": OrderFilter(created_before=NOW),
    "changed after": OrderFilter(updated_after=NOW),
    "of a status, from a price": OrderFilter(statuses=(PENDING,), min_price=Decimal(5)),
    "of two statuses, from a price": OrderFilter(statuses=(PENDING, CONFIRMED), min_price=Decimal(5)),
    "by reference": OrderFilter(reference="S-1"),
    "named": OrderFilter(q="wool"),
    "named, of a status": OrderFilter(q="wool", statuses=(PENDING,)),
    "named, an owner's": OrderFilter(q="wool", owner_id=uuid4()),
    "an owner's, of a status": OrderFilter(owner_id=uuid4(), statuses=(PENDING,)),
    "an owner's, from a price": OrderFilter(owner_id=uuid4(), min_price=Decimal(5)),
    "searched": OrderFilter(search="0123abcd"),
}
"""Filters that have something else."""


@contextmanager
def explained(connection: Connection) -> Iterator[list[str]]:
    """The plans of what is asked on this connection, a text for each statement."""
    plans: list[str] = []
    sqlite = connection.dialect.name == "sqlite"

    def explain(_connection: Any, cursor: Any, statement: str, parameters: Any, *_others: Any) -> None:
        asking = cursor.connection.cursor()
        asking.execute(f"EXPLAIN {'QUERY PLAN ' if sqlite else ''}{statement}", parameters)
        plans.append("\n".join(row[3 if sqlite else 0] for row in asking.fetchall()))

    # A table this small is read whole and sorted whatever its indexes: leave the planner no such choice,
    # and it sorts only where no index gives the order.
    for choice in () if sqlite else ("seqscan", "bitmapscan", "sort", "incremental_sort"):
        connection.execute(text(f"SET enable_{choice} = off"))
    event.listen(connection, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        event.remove(connection, "before_cursor_execute", explain)
        if not sqlite:
            connection.execute(text("RESET ALL"))


def plan(connection: Connection, statement: Select[Any]) -> str:
    with explained(connection) as plans:
        connection.execute(statement).all()
    return plans[0]


def plans_of(session: Session, wanted: OrderFilter, ordering: str, after: Position | None) -> list[str]:
    connection = session.connection()
    ways = list(ways_to(connection, wanted, ordering, after=after, offset=0, limit=50))
    assert [way.may_miss for way in ways] == [True] * (len(ways) - 1) + [False]
    return [plan(connection, way.ids) for way in ways]


ALL = pytest.mark.parametrize("ordering", [sign + name for name in ORDERINGS for sign in ("", "-")])
PAGES = pytest.mark.parametrize("page", ["the first page", "a page behind a cursor"])


def place(page: str, ordering: str) -> Position | None:
    begins = page == "the first page"
    return None if begins else Position(VALUES[ordering.removeprefix("-")], uuid4())


@PAGES
@ALL
@pytest.mark.parametrize("which", DECIDED)
def test_no_list_is_sorted_or_read_whole(session: Session, which: str, ordering: str, page: str) -> None:
    after = place(page, ordering)
    [found] = plans_of(session, DECIDED[which], ordering, after)
    sqlite = session.get_bind().dialect.name == "sqlite"
    merged = len(DECIDED[which].statuses) > 1
    # SQLite puts a page from each list in order, which is two pages and not two lists.
    assert "TEMP B-TREE" not in found or merged, found
    assert "Sort\n" not in found, found
    assert "SCAN orders" not in found, found
    assert "Seq Scan on orders" not in found, found
    if after is not None:
        # The place is part of what the index is searched for, not a filter over what it gives.
        lines = [
            line for line in found.splitlines() if ("SEARCH orders" if sqlite else "Index Cond: ") in line
        ]
        assert lines, found
        by_id = ordering.endswith("status") and DECIDED[which].statuses
        marks = ("id<?", "id>?", "status=?)") if by_id else (" AND (",)
        if not sqlite:
            marks = ("(id <", "(id >", "status = 'confirmed'") if by_id else ("ROW(",)
        assert all(any(mark in line for mark in marks) for line in lines if "user" not in line), found


@PAGES
@ALL
@pytest.mark.parametrize("which", LOOKED_AT)
def test_what_no_index_begins_with_is_found_by_one_nevertheless(
    session: Session, which: str, ordering: str, page: str
) -> None:
    found = plans_of(session, LOOKED_AT[which], ordering, place(page, ordering))
    for plan_of_way in found:
        assert "SCAN orders" not in plan_of_way, plan_of_way
        assert "SCAN order_lines" not in plan_of_way, plan_of_way
        assert "Seq Scan on orders" not in plan_of_way, plan_of_way
        assert "Seq Scan on order_lines" not in plan_of_way, plan_of_way


@ALL
@pytest.mark.parametrize("which", ["from a price", "created before", "changed after"])
def test_a_walk_looks_at_nothing_but_the_index(session: Session, which: str, ordering: str) -> None:
    first, *others = plans_of(session, LOOKED_AT[which], ordering, None)
    sqlite = session.get_bind().dialect.name == "sqlite"
    assert ("USING COVERING INDEX" if sqlite else "Index Only Scan") in first, first
    assert len(others) <= 1


def test_a_search_begins_with_names_and_ids_that_are_indexed(session: Session) -> None:
    *_, found = plans_of(session, LOOKED_AT["searched"], "-created_at", None)
    for name in ("ix_order_lines_name_order", "ix_orders_id_end", "uq_orders_reference_source"):
        assert name in found, found


@pytest.mark.parametrize("ordering", [sign + name for name in PEOPLE_BY for sign in ("", "-")])
@pytest.mark.parametrize("wanted", [PeopleFilter(), PeopleFilter(role=Role.USER, is_active=True)], ids=str)
def test_no_list_of_people_is_sorted(session: Session, wanted: PeopleFilter, ordering: str) -> None:
    with explained(session.connection()) as plans:
        list_people(session.connection(), wanted, ordering=ordering, offset=50, limit=50)
    [found] = plans
    assert "TEMP B-TREE" not in found, found
    assert "Sort" not in found, found


def test_log_ins_and_events_of_a_person_are_found_by_an_index(session: Session) -> None:
    connection, somebody = session.connection(), uuid4()
    with explained(connection) as plans:
        open_log_ins(connection, somebody, NOW, most=20)
        count_open_log_ins(connection, somebody, NOW)
        latest_account_events(connection, offset=0, limit=10, user_id=somebody)
        latest_account_events(connection, offset=0, limit=10, actor_id=somebody)
        latest_events(connection, offset=0, limit=50, actor_id=somebody)
    for found in plans:
        assert not re.search(r"SCAN \w+$|Seq Scan", found, re.MULTILINE), found
    assert plans[-1].count("ix_order_events_at_id") >= 2, (
        "to find where to stop, and the events: " + plans[-1]
    )


def test_how_orders_stand_is_read_from_what_is_kept_and_one_index(session: Session) -> None:
    with explained(session.connection()) as plans:
        how_orders_stand(session.connection(), NOW, most=1_000)
    [found] = plans
    assert not re.search(r"SCAN orders\b|Seq Scan on orders\b", found), found
    assert (
        len(re.findall(r"(USING COVERING INDEX|Index Only Scan using) ix_orders_status_created", found)) == 2
    )
