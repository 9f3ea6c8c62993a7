"""Several statements in one round trip, where the database can do that: PostgreSQL's pipeline mode.

A statement costs the database little more than the message that brings it and the one that answers it.  In
a pipeline statements are sent without waiting for the answers of those before them.  The first that fails
is reported at the end, and what was sent after it is not done: nothing is committed by half.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session


@contextmanager
def in_one_go(session: Session) -> Iterator[None]:
    """Send what is executed in the block without waiting; what returns rows is waited for all the same.

    Not for statements of which it must be known how many rows they met, as the session's own updates are.
    Raises SQLAlchemy's `DBAPIError`.
    """
    driver = _pipelining(session)
    if driver is None:
        yield
        return
    connection = session.connection()
    try:
        with driver.pipeline():
            yield
    except connection.dialect.loaded_dbapi.Error as error:
        raise as_sqlalchemy_has_it(connection, error) from error


@contextmanager
def committed_in_one_go(session: Session) -> Iterator[None]:
    """The same for the last statements of a transaction, with its COMMIT behind them."""
    with in_one_go(session):
        yield
        session.flush()
        send_commit(session)
    session.commit()  # of a transaction that is over already there is nothing left to send


def send_commit(session: Session) -> None:
    """End the transaction as the last of a pipeline; without one it is left to the session."""
    driver = _pipelining(session)
    if driver is not None:
        # In its own words each time, so that a proxy between here and the database knows it.
        driver.execute("COMMIT", prepare=False)


def as_sqlalchemy_has_it(connection: Connection, error: Any, statement: str = "") -> BaseException:
    """A driver's error as SQLAlchemy reports it; like there, a connection that is lost is not used again."""
    dialect = connection.dialect
    is_lost = dialect.is_disconnect(error, connection.connection.driver_connection, None)
    if is_lost:
        connection.invalidate(error)
    wrapped: BaseException = DBAPIError.instance(
        statement,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=is_lost,
        dialect=dialect,
    )
    return wrapped


def _pipelining(session: Session) -> Any:
    """The driver's connection if it can be asked for a pipeline, else None."""
    driver = session.connection().connection.driver_connection
    return driver if hasattr(driver, "pipeline") else None
