"""Statements that are run again and again: put into the database's words once, and handed to its driver.

SQLAlchemy keeps what it compiled, and still spends several times as long around a lookup by key as the
database spends on it.  Here a statement is compiled once for each kind of database; what is left for each
run is the driver's own call, and the conversions that the columns' types ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Self

from sqlalchemy import Connection, Dialect, Select

from orders_app.shared import driver
from orders_app.shared.driver import Row

_Convert = Callable[[Any], Any]


class Prepared:
    """One statement, with `bindparam`s where each run has values of its own.

    There is no `IN` in it: its length would have to be known beforehand.
    """

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement
        self._words: dict[str, _Words] = {}

    def ask(self, connection: Connection, values: Mapping[str, Any]) -> Asked:
        """Run it with these values.  Raises SQLAlchemy's `DBAPIError`, as `Connection.execute` does."""
        words = self._in(connection.dialect)
        parameters = words.parameters(values)
        return Asked(driver.rows(connection, words.text, parameters), words, parameters)

    def ask_in(
        self, wider: Prepared, connection: Connection, values: Mapping[str, Any]
    ) -> tuple[Asked, list[Row]]:
        """Run a statement whose rows begin with those of this one; the rest of its rows, in Python's types.

        Asked again, it is this one.
        """
        words = self._in(connection.dialect)
        width = len(words.from_driver)
        both = wider.ask(connection, values)
        this = Asked([row[:width] for row in both.said], words, words.parameters(values))
        rest = both.converting(slice(width, None))
        return this, [rest(row) for row in both.said]

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> list[Row]:
        """What it finds with these values."""
        return self.ask(connection, values).rows()

    def _in(self, dialect: Dialect) -> _Words:
        words = self._words.get(dialect.name)
        if words is None:
            words = self._words[dialect.name] = _Words.of(self._statement, dialect)
        return words


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement that was run, and what the database said: rows as the driver gives them."""

    said: list[Row]
    _words: _Words
    _parameters: Any

    def rows(self) -> list[Row]:
        """The rows, in Python's types."""
        convert = self.converting(slice(None))
        return [convert(row) for row in self.said]

    def converting(self, part: slice) -> Callable[[Row], Row]:
        """What makes Python's types of this part of a row."""
        converters = self._words.from_driver[part]
        if not any(converters):
            return itemgetter(part)
        places = [(place, convert) for place, convert in enumerate(converters) if convert is not None]

        def converted(row: Row) -> Row:
            values = list(row[part])
            for place, convert in places:
                values[place] = convert(values[place])
            return tuple(values)

        return converted

    def is_unchanged(self, connection: Connection) -> bool:
        """Ask again: whether the database still says the same, to the letter."""
        return driver.rows(connection, self._words.text, self._parameters) == self.said


@dataclass(frozen=True, slots=True)
class _Words:
    """The statement as one kind of database reads it."""

    text: str
    order: list[str] | None
    """The names of the values in the order of their places, where these are not named."""
    constants: dict[str, Any]
    to_driver: dict[str, _Convert]
    from_driver: list[_Convert | None]
    """For each column what makes Python's type of what the driver gives."""

    @classmethod
    def of(cls, statement: Select[Any], dialect: Dialect) -> Self:
        compiled: Any = statement.compile(dialect=dialect)
        to_driver = {}
        for name, parameter in compiled.binds.items():
            if convert := parameter.type.dialect_impl(dialect).bind_processor(dialect):
                to_driver[name] = convert
        from_driver: list[_Convert | None] = [
            column.type.dialect_impl(dialect).result_processor(dialect, None)
            for column in statement.selected_columns
        ]
        constants = {
            name: to_driver[name](value) if name in to_driver else value
            for name, value in compiled.params.items()
            if value is not None
        }
        return cls(compiled.string, compiled.positiontup, constants, to_driver, from_driver)

    def parameters(self, values: Mapping[str, Any]) -> Any:
        """The values as the driver takes them."""
        given = dict(self.constants)
        for name, value in values.items():
            convert = self.to_driver.get(name)
            given[name] = convert(value) if convert is not None else value
        return given if self.order is None else [given[name] for name in self.order]
