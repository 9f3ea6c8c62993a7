"""Which errors are the database's trouble (503), and which are ours (500)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import psycopg
import pytest
from psycopg import errors
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from orders_app.http.database_errors import trouble


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (errors.AdminShutdown(), "unreachable"),
        (errors.CannotConnectNow(), "unreachable"),
        (errors.DataCorrupted(), "damaged"),
        (errors.DeadlockDetected(), "conflict"),
        (errors.DiskFull(), "full"),
        (errors.IdleInTransactionSessionTimeout(), "timeout"),
        (errors.IoError(), "damaged"),
        (errors.LockNotAvailable(), "timeout"),
        (errors.OutOfMemory(), "overloaded"),
        (errors.QueryCanceled(), "timeout"),
        (errors.ReadOnlySqlTransaction(), "read_only"),
        (errors.SerializationFailure(), "conflict"),
        (errors.TooManyConnections(), "overloaded"),
        (errors.UndefinedTable(), "not_migrated"),
        (psycopg.OperationalError("the connection is lost"), "unreachable"),
        (psycopg.InterfaceError("the connection is closed"), "unreachable"),
        (PoolTimeout(), "overloaded"),
        (OperationalError("SELECT 1", {}, Exception("of another kind")), "unreachable"),
    ],
)
def test_trouble_of_the_database(error: Exception, word: str) -> None:
    assert trouble(error) == word
    if isinstance(error, psycopg.Error):
        assert trouble(ProgrammingError("SELECT 1", {}, error)) == word, "wrapped in whatever"


@pytest.mark.parametrize(
    "error",
    [
        errors.UniqueViolation(),
        errors.SyntaxError(),
        errors.NumericValueOutOfRange(),
        IntegrityError("INSERT", {}, errors.CheckViolation()),
        sqlite3.IntegrityError(),
        sqlite3.ProgrammingError(),
        ValueError(),
        OSError(),
    ],
)
def test_a_fault_of_ours_is_no_trouble_of_the_database(error: Exception) -> None:
    assert trouble(error) is None


def sqlite_error(connection: sqlite3.Connection, statement: str) -> sqlite3.Error:
    with pytest.raises(sqlite3.Error) as caught:
        connection.execute(statement)
    return caught.value


def test_trouble_of_sqlite(tmp_path: Path) -> None:
    """Each of these errors is SQLite's own."""
    path = tmp_path / "orders.db"
    with sqlite3.connect(path, isolation_level=None) as first:
        first.execute("CREATE TABLE t (x)")
        first.execute("PRAGMA max_page_count = 2")
        assert trouble(sqlite_error(first, "INSERT INTO t VALUES (zeroblob(100000))")) == "full"
        first.execute("BEGIN IMMEDIATE")
        second = sqlite3.connect(path, timeout=0)
        assert trouble(sqlite_error(second, "BEGIN IMMEDIATE")) == "timeout"
        second.close()
        first.execute("ROLLBACK")
        first.execute("PRAGMA query_only = 1")
        assert trouble(sqlite_error(first, "INSERT INTO t VALUES (1)")) == "read_only"
    first.close()
    garbage = tmp_path / "garbage.db"
    garbage.write_bytes(b"no database at all" * 100)
    third = sqlite3.connect(garbage)
    assert trouble(sqlite_error(third, "SELECT * FROM t")) == "damaged"
    third.close()
    with pytest.raises(sqlite3.OperationalError) as caught:
        sqlite3.connect(tmp_path / "nowhere" / "orders.db")
    assert trouble(caught.value) == "unreachable"
