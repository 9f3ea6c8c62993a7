"""Databases of their own for tests that make and unmake tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from orders_app import create_app
from orders_app.extensions import db
from tests.conftest import settings


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty_app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """An application on a database without tables."""
    if request.param == "sqlite":
        config = settings(tmp_path)
    else:
        config = settings(tmp_path, database_url=request.getfixturevalue("postgres_url"))
    application = create_app(config)
    yield application
    with application.app_context():
        db.session.remove()
        db.engine.dispose()
