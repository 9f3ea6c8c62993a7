"""Several statements in one round trip, where the database can do that: PostgreSQL's pipeline mode.

A statement costs the database little more than the message that brings it and the one that answers it.  In
a pipeline statements are sent without waiting for the answers of those before them.  The first that fails
is reported at the end, and what was sent after it is not done: nothing is committed by half.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Final

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

_PIPELINE: Final = "orders_pipeline"
_WRITES_ONLY: Final = re.compile(r"\s*(?:INSERT|UPDATE|DELETE)\b(?!.*\bRETURNING\b)", re.DOTALL)


@contextmanager
def in_one_go(session: Session) -> Iterator[None]:
    """Send what is executed in the block without waiting; what returns rows is waited for all the same.

    Not for statements of which it must be known how many rows they met, as the session's own updates are.
    Raises SQLAlchemy's `DBAPIError`.
    """
    driver = _pipelining(session)
    if driver is None:
        yield
        return
    connection = session.connection()
    kept_with_it = connection.info  # asked for now: a connection that gets lost does not say any more
    try:
        with driver.pipeline() as pipeline:
            kept_with_it[_PIPELINE] = pipeline
            try:
                yield
            finally:
                kept_with_it.pop(_PIPELINE, None)
    except connection.dialect.loaded_dbapi.Error as error:
        raise as_sqlalchemy_has_it(connection, error) from error


@contextmanager
def committed(session: Session, *, at_once: bool) -> Iterator[None]:
    """Commit after the block; `at_once` in one go with what is executed in it."""
    session.flush()
    with in_one_go(session) if at_once else nullcontext():
        yield
        session.flush()
        if at_once:
            send_commit(session)
    session.commit()  # of a transaction that is over already there is nothing left to send


def send_commit(session: Session) -> None:
    """End the transaction as the last of a pipeline; without one it is left to the session."""
    driver = _pipelining(session)
    if driver is not None:
        # In its own words each time, so that a proxy between here and the database knows it.
        driver.execute("COMMIT", prepare=False)


def as_sqlalchemy_has_it(connection: Connection, error: Any, statement: str = "") -> BaseException:
    """A driver's error as SQLAlchemy reports it; like there, a connection that is lost is not used again."""
    dialect = connection.dialect
    is_lost = dialect.is_disconnect(error, connection.connection.driver_connection, None)
    if is_lost:
        connection.invalidate(error)
    wrapped: BaseException = DBAPIError.instance(
        statement,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=is_lost,
        dialect=dialect,
    )
    return wrapped


def _pipelining(session: Session) -> Any:
    """The driver's connection if it can be asked for a pipeline, else None."""
    driver = session.connection().connection.driver_connection
    return driver if hasattr(driver, "pipeline") else None


@event.listens_for(Engine, "after_cursor_execute")
def _wait_for_rows(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
    """SQLAlchemy looks for the rows of a statement at once, and would find that there are none yet."""
    pipeline = connection.info.get(_PIPELINE)
    if pipeline is not None and not _WRITES_ONLY.match(statement):
        pipeline.sync()
