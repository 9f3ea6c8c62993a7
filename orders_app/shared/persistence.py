"""The declarative base and the column types that both databases keep exactly."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import uuid_utils.compat
from sqlalchemy import CheckConstraint, DateTime, Dialect, MetaData, Select, Table, TypeDecorator
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

_Statement = TypeVar("_Statement", bound=Select[Any])
_SQLITE_TAKEN = {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}

NAMING_CONVENTION = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Plain SQLAlchemy; Flask-SQLAlchemy is handed this class, so that models know no Flask."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)


class UTCDateTime(TypeDecorator[datetime]):
    """A moment in UTC with its zone: timestamptz on PostgreSQL, ISO text on SQLite."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(DateTime(timezone=dialect.name != "sqlite"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def text_without_controls(column: str, *, lines: bool = False) -> list[CheckConstraint]:
    """Constraints that keep ASCII control characters out of a column, in the words of each database.

    `lines` lets newlines pass.
    """
    words = {
        "sqlite": f"{column} NOT GLOB '*[' || char(1) || '-' || char(31) || char(127) || ']*'",
        "postgresql": f"{column} !~ '[\\x01-\\x1f\\x7f]'",
    }
    if lines:
        words = {
            "sqlite": f"{column} NOT GLOB '*[' || char(1) || '-' || char(9) || char(11) || '-' || char(31) "
            "|| char(127) || ']*'",
            "postgresql": f"{column} !~ '[\\x01-\\x09\\x0b-\\x1f\\x7f]'",
        }
    return [
        CheckConstraint(rule, name=f"{column}_without_controls").ddl_if(dialect=dialect)
        for dialect, rule in words.items()
    ]


def insert_into(table: type[Base] | Table, dialect: Dialect) -> sqlite.Insert | postgresql.Insert:
    """An `INSERT` that may go on with `ON CONFLICT`, which each database has in its own dialect.

    The other dialect is not loaded: that would be two megabytes in every worker process.
    """
    if dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


def locking(statement: _Statement) -> _Statement:
    """The statement with `FOR UPDATE`, for whole rows.

    What the session holds of them is read anew: it was read before others were kept from changing it.
    """
    return statement.with_for_update().execution_options(populate_existing=True)


def is_taken(error: IntegrityError) -> bool:
    """Whether something that has to be unique was there already, and not another rule broken."""
    return (
        getattr(error.orig, "sqlstate", None) == "23505"  # unique_violation (PostgreSQL, appendix A)
        or getattr(error.orig, "sqlite_errorname", None) in _SQLITE_TAKEN
    )


def new_id() -> UUID:
    """A UUID version 7 (RFC 9562): ids sort by the time they were made."""
    return uuid_utils.compat.uuid7()
