"""The schema's migrations: Flask-Migrate for whoever runs them, and what a server needs to know of them.

A server never runs one.  It does without Alembic, which would be a fifth of what a worker process loads.
"""

from __future__ import annotations

from typing import Final

from flask import Flask
from sqlalchemy import Connection, inspect, text

from config import ROOT
from orders_app.extensions import db

FOLDER: Final = ROOT / "migrations"
NEWEST: Final = max(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("*.py"))
"""The revision that this version of the service is made for; revisions are numbered."""


def enable_migrations(app: Flask) -> None:
    """Make `flask db` and `flask_migrate.upgrade()` work on this application."""
    from flask_migrate import Migrate

    Migrate(app, db, directory=str(FOLDER), render_as_batch=False)


def is_up_to_date(connection: Connection) -> bool:
    """Whether the database has the schema of this version."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    return list(connection.scalars(text("SELECT version_num FROM alembic_version"))) == [NEWEST]
