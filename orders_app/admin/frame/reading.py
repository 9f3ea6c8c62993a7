"""Reading rows as the services know them, to show them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from orders_app.extensions import read_connection


@contextmanager
def reading_session() -> Iterator[Session]:
    """A session apart from that of the unit of work, which must begin its own transaction."""
    with read_connection() as connection, Session(connection, expire_on_commit=False) as session:
        yield session
