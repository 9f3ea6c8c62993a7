"""Many rows in one go: COPY on PostgreSQL, one prepared INSERT on SQLite.

A statement for each row, or one that SQLAlchemy puts together for all of them, costs several times what
the database spends on the row.  Here the columns' types convert the values a column at a time, and the
driver does the rest.  SQLAlchemy still runs the statement: its errors and its hooks are the usual ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import lru_cache
from itertools import chain
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Engine, Table, event
from sqlalchemy.orm import Session

from orders_app.shared.persistence import Base
from orders_app.shared.round_trips import in_one_go

COPIED_FROM: Final = 20
"""So many rows are worth the extra round trip of a COPY."""
_COPY: Final = "COPY "


Rows = tuple[type[Base], Sequence[str], Sequence[tuple[Any, ...]]]


def are_few(rows: Sequence[Any]) -> bool:
    """Whether they are inserted by a statement, rather than by a COPY, which no pipeline takes."""
    return len(rows) < COPIED_FROM


def insert_together(session: Session, *inserts: Rows) -> None:
    """Insert into several tables, one after the other; in one round trip if they are few rows."""
    with in_one_go(session) if all(are_few(rows) for _, _, rows in inserts) else nullcontext():
        for model, columns, rows in inserts:
            insert_rows(session, model, columns, rows)


def insert_rows(
    session: Session, model: type[Base], columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert rows that hold values for these columns, in this order, as part of the session's transaction.

    What the session has not written yet is written first.  Raises SQLAlchemy's `IntegrityError`.
    """
    if not rows:
        return
    session.flush()
    connection = session.connection()
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101  (what a mapped class has)
    names = tuple(columns)
    statement = _statement(connection, table, names, len(rows))
    values = _as_the_driver_takes(connection, table, names, rows)
    if connection.dialect.name == "postgresql" and not statement.startswith(_COPY):
        # One statement for a few rows: with one for each the server would be asked as often.
        connection.exec_driver_sql(statement, tuple(chain.from_iterable(values)))
    else:
        connection.exec_driver_sql(statement, values)


def _statement(connection: Connection, table: Table, columns: tuple[str, ...], rows: int) -> str:
    quote = connection.dialect.identifier_preparer.quote
    into = f"{quote(table.name)} ({', '.join(quote(name) for name in columns)})"
    if connection.dialect.name == "postgresql":
        if rows >= COPIED_FROM:
            return f"{_COPY}{into} FROM STDIN"
        row = f"({', '.join(['%s'] * len(columns))})"
        return f"INSERT INTO {into} VALUES {', '.join([row] * rows)}"  # noqa: S608  (names of columns only)
    return f"INSERT INTO {into} VALUES ({', '.join('?' * len(columns))})"  # noqa: S608  (names of columns only)


def _as_the_driver_takes(
    connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    values: list[Any] = list(zip(*rows, strict=True))
    for place, convert in _converters(connection.dialect, table, columns):
        values[place] = map(convert, values[place])
    return list(zip(*values, strict=True))


@lru_cache
def _converters(
    dialect: Dialect, table: Table, columns: tuple[str, ...]
) -> list[tuple[int, Callable[[Any], Any]]]:
    """What the types of the columns do to values on their way to the driver, by place."""
    found: list[tuple[int, Callable[[Any], Any]]] = []
    for place, name in enumerate(columns):
        convert = table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
        if convert is not None:
            found.append((place, convert))
    return found


@event.listens_for(Engine, "do_executemany")
def _copy(cursor: Any, statement: str, parameters: Sequence[Any], _context: Any) -> bool:
    """Run a COPY, which drivers have another call for; all else is left to SQLAlchemy."""
    if not statement.startswith(_COPY):
        return False
    with cursor.copy(statement) as copy:
        for row in parameters:
            copy.write_row(row)
    return True
