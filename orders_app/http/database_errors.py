"""Which errors of a database are its own trouble, and which are ours.

The drivers are loaded by who uses them, so that a process has one of them only.
"""

from __future__ import annotations

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
    "SQLITE_BUSY": "timeout",
    "SQLITE_CANTOPEN": "unreachable",
    "SQLITE_CORRUPT": "damaged",
    "SQLITE_FULL": "full",
    "SQLITE_IOERR": "damaged",
    "SQLITE_LOCKED": "timeout",
    "SQLITE_NOTADB": "damaged",
    "SQLITE_PERM": "read_only",
    "SQLITE_READONLY": "read_only",
}
"""By SQLite's primary result code."""

_OTHER = "other"
REASONS = frozenset({*_OF_SQLSTATE.values(), *_OF_SQLITE.values(), "overloaded", "unreachable", _OTHER})
"""All words that `trouble` says."""


def trouble(error: BaseException | None) -> str | None:
    """The trouble that the database is in, in a word; None where the error is not of that kind."""
    if isinstance(error, DBAPIError):
        broken = error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
        return trouble(error.orig) or ("unreachable" if broken else None)
    if isinstance(error, PoolTimeout):
        return "overloaded"
    if error is not None and hasattr(error, "sqlstate"):
        return _trouble_of_postgres(error)
    return _trouble_of_sqlite(error)


def _trouble_of_sqlite(error: BaseException | None) -> str | None:
    import sqlite3

    if not isinstance(error, sqlite3.Error):
        return None
    # Errors of the module itself carry no code.
    code = getattr(error, "sqlite_errorcode", None)
    for name, word in _OF_SQLITE.items():
        if code is not None and code & 0xFF == getattr(sqlite3, name):
            return word
    return _OTHER if isinstance(error, sqlite3.OperationalError) else None


def _trouble_of_postgres(error: BaseException) -> str | None:
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
    return _OTHER if isinstance(error, psycopg.OperationalError) else None
