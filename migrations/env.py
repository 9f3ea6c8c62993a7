"""How Alembic runs here: one transaction for all steps, one process at a time.

`flask --app wsgi db upgrade` is a job of its own, run before the servers start and never by them.  Two
at once are harmless: the second waits for the first and finds nothing left to do.
"""

from __future__ import annotations

from alembic import context
from flask import current_app
from sqlalchemy import text

from orders_app.http.postgres import wait_without_end
from orders_app.shared.persistence import UTCDateTime

ADVISORY_LOCK = 0x6F7264657273  # "orders"

database = current_app.extensions["migrate"].db


def render_item(kind: str, item: object, _autogen_context: object) -> str | bool:
    """Write our moments into new steps as what they are in the database."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UTCDateTime) else False


def run() -> None:
    """Apply the steps to the database of the settings."""
    engine = database.engine.execution_options(begin_immediate=True)
    with engine.connect() as connection:
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


if context.is_offline_mode():
    context.configure(url=str(database.engine.url), target_metadata=database.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    run()
