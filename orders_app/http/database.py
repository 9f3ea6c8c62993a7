"""How connections are opened, so that both databases wait, give up and lock as this service needs."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import SQLAlchemyError

from config import Config
from orders_app.http.postgres import CONNECT_SECONDS

WAL_SECONDS = 5
SQLITE_READERS = 4
"""As many connections stay open for readers as the server has threads for requests."""


def engine_options(config: Config) -> dict[str, Any]:
    """Arguments for `create_engine`: no statement, lock or connection is waited for without end."""
    seconds = config.database_timeout_seconds
    # The message of an error goes to the log; what people entered, and hashes of passwords, do not.
    options: dict[str, Any] = {"hide_parameters": True}
    if config.is_sqlite:
        return {**options, "connect_args": {"timeout": seconds}}
    timeouts = {
        "statement_timeout": seconds * 1000,
        "lock_timeout": seconds * 500,
        "idle_in_transaction_session_timeout": seconds * 3000,
    }
    options["connect_args"] = {
        "autocommit": True,  # transactions are begun by hand: `begin_by_hand`
        "connect_timeout": CONNECT_SECONDS,
        "application_name": "orders",
        "options": " ".join(f"-c {name}={value}" for name, value in timeouts.items()),
    }
    options["pool_size"] = config.database_pool_size
    options["max_overflow"] = 0
    options["pool_timeout"] = seconds
    return options


def begin_by_hand(engine: Engine) -> None:
    """Begin transactions here, as whoever wants one says: drivers have ideas of their own about it.

    Single reads (`single_statements`) get none at all, which saves two round trips.  `begin` names another
    way to begin, on PostgreSQL.  On SQLite a unit of work begins with the write lock: pysqlite opens no
    transaction for a SELECT, and one that begins by reading fails at once when it turns to writing while
    another writes.
    """
    is_sqlite = engine.dialect.name == "sqlite"

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("single_statements"):
            return
        immediate = is_sqlite and options.get("begin_immediate")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else options.get("begin", "BEGIN"))


def prepare_sqlite(engine: Engine) -> None:
    """Make SQLite durable, strict about foreign keys, and free of "database is locked"."""

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        _write_ahead(connection)
        for pragma in ("synchronous=NORMAL", "foreign_keys=ON", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}").close()


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


class ReadConnections:
    """Connections without a transaction around their statements: each of these sees one consistent state.

    They stay open from one reader to the next.  Taking one from the engine's pool and giving it back costs
    more than what a lookup by key does in the database.
    """

    def __init__(self, engine: Engine, *, kept: int, is_alive: Callable[[Connection], bool]) -> None:
        self._engine = engine
        self._kept = kept
        self._is_alive = is_alive
        self._idle: list[Connection] = []
        event.listen(engine, "engine_disposed", lambda _: self.close())

    @contextmanager
    def take(self) -> Iterator[Connection]:
        """A connection for one thread, until the end of the block."""
        connection = self._idle_one() or self._engine.connect().execution_options(single_statements=True)
        try:
            yield connection
        finally:
            self._give_back(connection)

    def close(self) -> None:
        """Give up what is idle."""
        while self._idle:
            self._idle.pop().close()

    def _idle_one(self) -> Connection | None:
        while True:
            try:
                connection = self._idle.pop()  # at once or not at all, whoever else takes one
            except IndexError:
                return None
            if self._is_alive(connection):
                return connection
            connection.invalidate()
            connection.close()

    def _give_back(self, connection: Connection) -> None:
        try:
            if connection.in_transaction():
                connection.rollback()  # of SQLAlchemy's own books: the database was told of no transaction
        except SQLAlchemyError:
            connection.invalidate()
        if connection.invalidated or len(self._idle) >= self._kept:
            connection.close()
        else:
            self._idle.append(connection)
