"""Rows that are only added: what is to be inserted is said first, and written together.

A statement for each row, or one that SQLAlchemy puts together for all of them, costs several times what
the database spends on the row.  Here the columns' types convert the values a column at a time, and the
driver does the rest.  On PostgreSQL a few rows are one statement, whichever tables they are for, and many
are copied; on SQLite they are one prepared INSERT a table (docs/decisions/0018-one-statement.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Engine, Table, event

from orders_app.shared import driver
from orders_app.shared.persistence import Base

COPIED_FROM: Final = 20
"""So many rows of a table are worth the extra round trip of a COPY."""
TOGETHER_BELOW: Final = 50
"""Fewer rows than these, of all tables, are one statement."""
_COPY: Final = "COPY "
_Shape = tuple[Table, tuple[str, ...], int, str]
"""What the text of an INSERT depends on: the table, its columns, how many rows, what it says at the end."""


@dataclass(frozen=True, slots=True)
class Insert:
    """Rows of one table that hold values for these columns, in this order."""

    model: type[Base]
    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]
    on_conflict: str = ""
    """What the statement says after the rows, in words that both databases have for it."""

    @property
    def is_copied(self) -> bool:
        """Whether they are too many for a statement that holds them; a COPY knows no conflicts."""
        return len(self.rows) >= COPIED_FROM and not self.on_conflict

    @property
    def shape(self) -> _Shape:
        table = self.model.__table__
        assert isinstance(table, Table)  # noqa: S101  (what a mapped class has)
        return table, self.columns, len(self.rows), self.on_conflict


def are_one_statement(dialect: Dialect, inserts: Sequence[Insert]) -> bool:
    """Whether the database takes all of them at once."""
    return dialect.name == "postgresql" and 0 < sum(len(insert.rows) for insert in inserts) < TOGETHER_BELOW


def run_inserts(connection: Connection, inserts: Sequence[Insert]) -> None:
    """Write the rows, in this order where the database takes them one by one.

    Raises SQLAlchemy's `IntegrityError`.
    """
    dialect = connection.dialect
    inserts = [insert for insert in inserts if insert.rows]
    if are_one_statement(dialect, inserts):
        _run_at_once(connection, inserts)
        return
    for insert in inserts:
        if dialect.name == "postgresql" and not insert.is_copied:
            _run_at_once(connection, [insert])
        else:
            connection.exec_driver_sql(_for_each_row(dialect, insert.shape), _converted(dialect, insert))


def _run_at_once(connection: Connection, inserts: Sequence[Insert]) -> None:
    dialect = connection.dialect
    rows = chain.from_iterable(_converted(dialect, insert) for insert in inserts)
    statement = _for_all(dialect, tuple(insert.shape for insert in inserts))
    driver.run(connection, statement, tuple(chain.from_iterable(rows)))


@lru_cache
def _for_all(dialect: Dialect, shapes: tuple[_Shape, ...]) -> str:
    """One statement of PostgreSQL for the rows of all tables; foreign keys are looked at when it ends."""
    statements = []
    for shape in shapes:
        _, columns, rows, on_conflict = shape
        row = f"({', '.join(['%s'] * len(columns))})"
        values = ", ".join([row] * rows)
        statements.append(f"INSERT INTO {_into(dialect, shape)} VALUES {values} {on_conflict}")  # noqa: S608  (no values)
    *others, last = statements
    together = ", ".join(f"_{place} AS ({statement})" for place, statement in enumerate(others))
    return f"WITH {together} {last}" if others else last


@lru_cache
def _for_each_row(dialect: Dialect, shape: _Shape) -> str:
    _, columns, _, on_conflict = shape
    into = _into(dialect, shape)
    if dialect.name == "postgresql":
        return f"{_COPY}{into} FROM STDIN"
    return f"INSERT INTO {into} VALUES ({', '.join('?' * len(columns))}) {on_conflict}"  # noqa: S608  (no values)


def _into(dialect: Dialect, shape: _Shape) -> str:
    quote = dialect.identifier_preparer.quote
    table, columns, *_ = shape
    return f"{quote(table.name)} ({', '.join(quote(name) for name in columns)})"


def _converted(dialect: Dialect, insert: Insert) -> list[tuple[Any, ...]]:
    """The rows as the driver takes them."""
    values: list[Any] = list(zip(*insert.rows, strict=True))
    table, columns, *_ = insert.shape
    for place, convert in _converters(dialect, table, columns):
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
