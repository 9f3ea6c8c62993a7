"""SQLite, made to lock, wait and write as a server's database does."""

from __future__ import annotations

import sqlite3
import time

from sqlalchemy import Engine, event

from orders_app.http.single_statements import SingleStatements

KEPT = 4
"""As many connections stay open for single statements as the server has threads for requests."""
CACHE_KIB = 1000
"""Of pages for each connection, half of what SQLite takes by itself: the system keeps the pages too, once for
all processes."""
WAL_SECONDS = 5


def prepare_sqlite(engine: Engine) -> SingleStatements:
    """Make SQLite durable, strict about foreign keys, and free of "database is locked".

    Returns where single statements take their connections from.
    """

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        _write_ahead(connection)
        pragmas = ("synchronous=NORMAL", "foreign_keys=ON", "temp_store=MEMORY", f"cache_size=-{CACHE_KIB}")
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").close()

    return SingleStatements(engine, kept=KEPT, is_alive=lambda _: True)


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
