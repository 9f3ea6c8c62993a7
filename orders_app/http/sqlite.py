"""SQLite, made to lock, wait and write as a server's database does."""

from __future__ import annotations

import sqlite3
import time

from sqlalchemy import Connection, Engine, event

WAL_SECONDS = 5


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
