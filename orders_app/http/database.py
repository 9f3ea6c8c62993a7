"""How connections are opened, so that both databases wait and give up as this service needs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from config import Config

CONNECT_SECONDS = 3


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


def single_statements(connection: Connection) -> Connection:
    """The connection without a transaction around its statements: each sees one consistent state."""
    if connection.dialect.name == "sqlite":
        # Changing the isolation level would cost two statements each time; leaving BEGIN out is enough.
        return connection.execution_options(single_statements=True)
    return connection.execution_options(isolation_level="AUTOCOMMIT")
