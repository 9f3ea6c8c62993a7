"""How connections are opened, so that both databases wait, give up and lock as this service needs."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from sqlalchemy import Connection, Engine, event

from config import Config

CONNECT_SECONDS = 3
WAL_SECONDS = 5


def engine_options(config: Config) -> dict[str, Any]:
    """Arguments for `create_engine`: no statement, lock or connection is waited for without end."""
    seconds = config.database_timeout_seconds
    # The message of an error goes to the log; what people entered, and hashes of passwords, do not.
    options: dict[str, Any] = {"hide_parameters": True}
    if config.is_sqlite:
        return {**options, "connect_args": {"timeout": seconds}}
    # Not for SQLite: transactions are begun by hand there, so every connection looks like autocommit,
    # and no rollback would ever be sent.
    options |= {"pool_pre_ping": True, "skip_autocommit_rollback": True}
    timeouts = {
        "statement_timeout": seconds * 1000,
        "lock_timeout": seconds * 500,
        "idle_in_transaction_session_timeout": seconds * 3000,
    }
    options["connect_args"] = {
        "connect_timeout": CONNECT_SECONDS,
        "application_name": "orders",
        "options": " ".join(f"-c {name}={value}" for name, value in timeouts.items()),
    }
    options["pool_size"] = config.database_pool_size
    options["max_overflow"] = 0
    options["pool_timeout"] = seconds
    return options


def prepare_sqlite(engine: Engine) -> None:
    """Make SQLite durable, strict about foreign keys, and free of "database is locked".

    pysqlite opens no transaction for a SELECT, and a transaction that begins by reading fails at once
    when it turns to writing while another writes.  So transactions are begun here: immediately (with
    the write lock) for a unit of work, deferred otherwise, not at all for single reads.
    """

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        _write_ahead(connection)
        for pragma in ("synchronous=NORMAL", "foreign_keys=ON", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if not options.get("single_statements"):
            connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("begin_immediate") else "BEGIN")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging, which the file then remembers.

    For this one statement SQLite does not wait for a lock: several processes that open a new file at
    the same moment would fail, so the waiting is done here.
    """
    give_up = time.monotonic() + WAL_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.01)
        else:
            return


def single_statements(connection: Connection) -> Connection:
    """The connection without a transaction around its statements: each sees one consistent state."""
    if connection.dialect.name == "sqlite":
        # Changing the isolation level would cost two statements each time; leaving BEGIN out is enough.
        return connection.execution_options(single_statements=True)
    return connection.execution_options(isolation_level="AUTOCOMMIT")
