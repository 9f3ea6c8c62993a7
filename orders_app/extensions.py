"""The extensions, not yet bound to an application, and the ways to the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from flask import current_app
from flask_caching import Cache
from flask_jwt_extended import JWTManager
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, text

from orders_app.http.api import Api
from orders_app.http.single_statements import SingleStatements
from orders_app.shared.correlation import begin, current_request_id
from orders_app.shared.persistence import Base
from orders_app.shared.unit_of_work import UnitOfWork

SINGLE_STATEMENTS: Final = "orders_single_statements"

db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
api = Api()
jwt = JWTManager()
cache = Cache()


def unit_of_work() -> UnitOfWork:
    """A transaction for one change: `with unit_of_work() as uow: …`."""
    return UnitOfWork(
        db.session(), request_id=current_request_id() or begin(), for_one_statement=single_statements().take
    )


def single_statements() -> SingleStatements:
    """Where this application takes connections for single statements from."""
    connections: SingleStatements = current_app.extensions[SINGLE_STATEMENTS]
    return connections


def read_connection() -> AbstractContextManager[Connection]:
    """A connection for single statements, each of which sees one consistent state.

    It runs without a transaction: no BEGIN and ROLLBACK round trips, nothing to forget to close.
    """
    return single_statements().take()


@contextmanager
def snapshot_connection() -> Iterator[Connection]:
    """A connection that sees one moment, for as long as somebody takes to read.

    PostgreSQL streams through a cursor, which needs a transaction.
    """
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(begin="BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        take_your_time(connection)
        try:
            yield connection
        except BaseException:
            # A result that was not read to its end would keep who takes the connection next at that moment.
            connection.invalidate()
            raise


def take_your_time(connection: Connection) -> None:
    """Let this transaction last as long as it takes; limits on statements and on idling are for requests."""
    if connection.dialect.name == "postgresql":
        from orders_app.http.postgres import wait_without_end

        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            connection.execute(text(f"SET LOCAL {name} = 0"))
        wait_without_end(connection)
