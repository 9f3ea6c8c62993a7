"""Statements that are handed to the database's driver as they are.

SQLAlchemy knows of the connection and of errors, not of the statement: what it does around one costs
several times what the database spends on a lookup by key.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

Row = tuple[Any, ...]


def rows(connection: Connection, statement: str, parameters: Any) -> list[Row]:
    """What the statement finds, as the driver gives it.  Raises SQLAlchemy's `DBAPIError`."""
    driver: Any = connection.connection.driver_connection
    try:
        found: list[Row] = driver.execute(statement, parameters).fetchall()
    except connection.dialect.loaded_dbapi.Error as error:
        raise as_sqlalchemy_has_it(connection, error, statement) from error
    return found


def run(connection: Connection, statement: str, parameters: Any) -> None:
    """Run a statement that returns nothing.  Raises SQLAlchemy's `DBAPIError`."""
    driver: Any = connection.connection.driver_connection
    try:
        driver.execute(statement, parameters)
    except connection.dialect.loaded_dbapi.Error as error:
        raise as_sqlalchemy_has_it(connection, error, statement) from error


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
