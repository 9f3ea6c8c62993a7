"""Which errors of a database are its own trouble, and which are ours."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

_OF_SQLSTATE = {
    "08": "unreachable",
    "25006": "read_only",
    "25P03": "timeout",  # idle in a transaction for too long
    "25P04": "timeout",  # a transaction for too long
    "40": "conflict",
    "42P01": "not_migrated",  # no such table
    "42703": "not_migrated",  # no such column
    "53100": "full",
    "53": "overloaded",
    "55P03": "timeout",  # a lock was waited for too long
    "57014": "timeout",
    "57P": "unreachable",
    "58": "damaged",
    "F0": "damaged",
    "XX": "damaged",
}
"""By the first letters of PostgreSQL's SQLSTATE; the longest that fits counts."""

_OF_SQLITE = {
    sqlite3.SQLITE_BUSY: "timeout",
    sqlite3.SQLITE_CANTOPEN: "unreachable",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_IOERR: "damaged",
    sqlite3.SQLITE_LOCKED: "timeout",
    sqlite3.SQLITE_NOTADB: "damaged",
    sqlite3.SQLITE_PERM: "read_only",
    sqlite3.SQLITE_READONLY: "read_only",
}
"""By SQLite's primary result code."""


def trouble(error: BaseException | None) -> str | None:
    """The trouble that the database is in, in a word; None where the error is not of that kind."""
    if isinstance(error, DBAPIError):
        broken = error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
        return trouble(error.orig) or ("unreachable" if broken else None)
    if isinstance(error, PoolTimeout):
        return "overloaded"
    if error is not None and hasattr(error, "sqlstate"):
        return _trouble_of_postgres(error)
    if isinstance(error, sqlite3.Error):
        # Errors of the module itself carry no code.
        code = getattr(error, "sqlite_errorcode", None)
        named = _OF_SQLITE.get(code & 0xFF) if code is not None else None
        return named or ("other" if isinstance(error, sqlite3.OperationalError) else None)
    return None


def _trouble_of_postgres(error: BaseException) -> str | None:
    # Who has no PostgreSQL never gets here, and does without its driver.
    import psycopg

    if not isinstance(error, psycopg.Error):
        return None
    state = error.sqlstate
    if state is None:
        # No word of the server: libpq's own, about the connection.
        broken = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        return "unreachable" if broken else None
    for letters in (5, 3, 2):
        if state[:letters] in _OF_SQLSTATE:
            return _OF_SQLSTATE[state[:letters]]
    return "other" if isinstance(error, psycopg.OperationalError) else None
