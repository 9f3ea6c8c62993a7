"""How connections are opened, so that both databases wait and give up as this service needs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, event

from config import Config

CONNECT_SECONDS = 3


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

    `single_statements` get none at all, which saves two round trips.  `begin` names another way to begin,
    on PostgreSQL.  On SQLite a unit of work begins with the write lock: pysqlite opens no
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
