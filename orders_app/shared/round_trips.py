"""A transaction's last statements and its COMMIT in one round trip: PostgreSQL's pipeline mode.

A statement costs the database little more than the message that brings it and the one that answers it.  In
a pipeline statements are sent without waiting for the answers of those before them.  The first that fails
is reported at the end, and what was sent after it is not done: nothing is committed by half.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from orders_app.shared.driver import as_sqlalchemy_has_it
from orders_app.shared.inserts import Insert, are_one_statement, run_inserts


def commit_with(session: Session, inserts: Sequence[Insert]) -> None:
    """Write these rows after what the session has to write, and commit.  Raises SQLAlchemy's `DBAPIError`."""
    session.flush()
    if inserts:
        connection = session.connection()
        if are_one_statement(connection.dialect, inserts):
            _commit_at_once(connection, inserts)
        else:
            run_inserts(connection, inserts)
    session.commit()  # of a transaction that is over already there is nothing left to send


def _commit_at_once(connection: Connection, inserts: Sequence[Insert]) -> None:
    driver: Any = connection.connection.driver_connection
    try:
        with driver.pipeline():
            run_inserts(connection, inserts)
            send_commit(driver)
    except connection.dialect.loaded_dbapi.Error as error:
        raise as_sqlalchemy_has_it(connection, error) from error


def send_commit(driver: Any) -> None:
    """End the transaction as the last of a pipeline."""
    # In its own words each time, so that a proxy between here and the database knows it.
    driver.execute("COMMIT", prepare=False)
