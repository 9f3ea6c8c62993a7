"""How Alembic runs here: one transaction for all steps, one process at a time.

`flask --app wsgi db upgrade` is a job of its own, run before the servers start and never by them.  Two
at once are harmless: the second waits for the first and finds nothing left to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import context
from flask import current_app
from sqlalchemy import Connection, text

from orders_app.http.postgres import wait_without_end
from orders_app.shared.persistence import UTCDateTime

ADVISORY_LOCK = 0x6F7264657273  # "orders"

database = current_app.extensions["migrate"].db


def render_item(kind: str, item: object, _autogen_context: object) -> str | bool:
    """Write our moments into new steps as what they are in the database."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UTCDateTime) else False


@contextmanager
def without_foreign_keys(connection: Connection) -> Iterator[None]:
    """Let SQLite rebuild a table that others refer to: dropping the old one would take their rows along.

    The switch does nothing within a transaction (sqlite.org/lang_altertable.html, section 7).
    """
    driver = connection.connection.driver_connection
    if connection.dialect.name != "sqlite" or driver is None:
        yield
        return
    driver.execute("PRAGMA foreign_keys=OFF").close()
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON").close()


def run() -> None:
    """Apply the steps to the database of the settings."""
    engine = database.engine.execution_options(begin_immediate=True)
    with engine.connect() as connection, without_foreign_keys(connection):
        context.configure(
            connection=connection,
            target_metadata=database.metadata,
            transactional_ddl=True,
            compare_type=True,
            render_item=render_item,
        )
        with context.begin_transaction():
            if connection.dialect.name == "postgresql":
                wait_without_end(connection)
                connection.execute(text("SET LOCAL statement_timeout = 0"))
                connection.execute(text("SET LOCAL lock_timeout = '120s'"))
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
            context.run_migrations()
            if connection.dialect.name == "sqlite":
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                if broken:
                    raise RuntimeError(f"Rows would refer to what is not there: {broken[:5]}")


if context.is_offline_mode():
    context.configure(url=str(database.engine.url), target_metadata=database.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    run()
