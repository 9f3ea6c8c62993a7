"""How many statements a request costs, so that nobody adds one unawares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from flask import Flask
from sqlalchemy import event

from orders_app.extensions import db
from orders_app.shared import driver
from tests import factories
from tests.callers import ORDERS, USERS, Caller, path_of
from tests.factories import line


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """The statements that are sent meanwhile, the beginnings of transactions left out."""
    sent: list[str] = []

    def noting(run: Callable[..., Any]) -> Callable[..., Any]:
        def run_and_note(connection: Any, statement: str, parameters: Any) -> Any:
            sent.append(statement)
            return run(connection, statement, parameters)

        return run_and_note

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            sent.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        with mock.patch.multiple(driver, rows=noting(driver.rows), run=noting(driver.run)):
            yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("name", ["alice", "admin"])
@pytest.mark.parametrize("how", ["token", "password"])
def test_reading(app: Flask, alice: Caller, name: str, how: str) -> None:
    for number in range(20):
        order = alice.order(products=[line(name=f"{number}-{place}") for place in range(3)])
    caller = Caller.by_token(app, name) if how == "token" else Caller.by_password(app, name)
    caller.get(f"{USERS}me/")
    for path, most in (
        (ORDERS, 3),
        (f"{ORDERS}?min_price=1&created_after=2000-01-01T00:00:00Z", 4),
        # Which way leads to fewer orders is found out first, for the count and for the page, and a walk that
        # did not fill the page is followed by a gathering.
        (f"{ORDERS}?q=7", 7),
        (f"{ORDERS}?q=7&status=pending&min_price=1", 7),
        # With a token the order is read along with its reader.
        (path_of(order), 1 if how == "token" else 2),
    ):
        with statements(app) as sent:
            assert caller.get(path).headers["Cache-Status"] == "orders; fwd=miss; stored"
        assert len(sent) <= most, sent
        with statements(app) as sent:
            assert caller.get(path).headers["Cache-Status"] == "orders; hit"
        assert len(sent) == 1, sent


def test_a_page_past_the_end_is_not_looked_for(app: Flask, alice: Caller) -> None:
    with statements(app) as sent:
        alice.get(f"{ORDERS}?page=1000000")
    assert len(sent) == 2, sent


def test_the_history_is_three(app: Flask, alice: Caller) -> None:
    order = alice.order()
    for number in range(10):
        alice.patch(path_of(order), {"total_price": number})
    with statements(app) as sent:
        alice.get(path_of(order, "events"))
    assert len(sent) <= 3, sent


@pytest.mark.parametrize("lines", [1, 50])
def test_writing_costs_the_same_for_any_number_of_lines(app: Flask, alice: Caller, lines: int) -> None:
    products = [line(name=str(number)) for number in range(lines)]
    with statements(app) as sent:
        order = alice.order(products=products)
    # Who asks; then all rows of all tables, on PostgreSQL in one statement as long as they are few.
    few = lines == 1 and app.config["ORDERS"].database_url.startswith("postgresql")
    assert len(sent) == (2 if few else 5), sent
    with statements(app) as sent:
        alice.patch(path_of(order), {"status": "confirmed"})
    assert len(sent) <= 9, sent
    with statements(app) as sent:
        alice.put(path_of(order), factories.body(products=products))
    assert len(sent) <= 12, sent


def test_accounts_do_not_cost_a_statement_each(app: Flask, admin: Caller) -> None:
    for number in range(10):
        admin.post(USERS, {"username": f"user-{number}"})
    with statements(app) as sent:
        admin.get(USERS)
    assert len(sent) <= 3, sent
