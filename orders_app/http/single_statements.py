"""Connections for whoever has one thing to ask or to write, without the engine's pool."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import SQLAlchemyError


class SingleStatements:
    """Connections without a transaction around their statements: each of these sees one consistent state.

    They stay open from one to the next.  Taking one from the engine's pool and giving it back costs
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
        """Close what is idle."""
        while self._idle:
            connection = self._idle.pop()
            connection.detach()  # or the pool, disposed of itself, would keep it open
            connection.close()

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
