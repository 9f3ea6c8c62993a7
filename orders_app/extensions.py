"""The extensions, not yet bound to an application, and the ways to the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask_caching import Cache
from flask_jwt_extended import JWTManager
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, text

from orders_app.http.api import Api
from orders_app.http.database import single_statements
from orders_app.shared.correlation import begin, current_request_id
from orders_app.shared.persistence import Base
from orders_app.shared.unit_of_work import UnitOfWork

db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
api = Api()
jwt = JWTManager()
cache = Cache()


def unit_of_work() -> UnitOfWork:
    """A transaction for one change: `with unit_of_work() as uow: …`."""
    return UnitOfWork(db.session(), request_id=current_request_id() or begin())


@contextmanager
def read_connection() -> Iterator[Connection]:
    """A connection for single statements, each of which sees one consistent state.

    It runs without a transaction: no BEGIN and ROLLBACK round trips, nothing to forget to close.
    """
    with db.engine.connect() as connection:
        yield single_statements(connection)


@contextmanager
def snapshot_connection() -> Iterator[Connection]:
    """A connection that sees one moment, for as long as somebody takes to read.

    PostgreSQL streams through a cursor, which needs a transaction; the limits on how long a statement
    and an idle transaction may last are for requests, not for this.
    """
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            from orders_app.http.postgres import wait_without_end

            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
                connection.execute(text(f"SET LOCAL {name} = 0"))
            wait_without_end(connection)
        yield connection
