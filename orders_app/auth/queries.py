"""Reading accounts, their log-ins and what happened to them, to show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, func, select

from orders_app.auth.domain import username_key
from orders_app.auth.models import AccountEvent, TokenFamily, User
from orders_app.shared.identity import Role

ORDERINGS: Final[Mapping[str, Any]] = {"username": User.username_key, "created_at": User.id}
"""What a list of people can be ordered by.  Ids begin with the time at which they were made: their index is
that of `created_at`.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleFilter:
    """Whom a list of people shows; what is not given does not filter.  `search` is a part of a name."""

    search: str = ""
    role: Role | None = None
    is_active: bool | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.search:
            found.append(User.username_key.contains(username_key(self.search), autoescape=True))
        if self.role is not None:
            found.append(User.role == self.role.value)
        if self.is_active is not None:
            found.append(User.is_active.is_(self.is_active))
        return found


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """An account as a list shows it, in plain values."""

    user_id: UUID
    username: str
    role: str
    is_active: bool
    last_login_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LogInRecord:
    """A log-in that is open, in plain values."""

    family_id: UUID
    began_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class AccountEventRecord:
    """One event of one account, in plain values; the names are those at the time.

    `actor_id` is None for the command line, and `address` for what no request did.
    """

    event_id: UUID
    at: datetime
    event: str
    actor_id: UUID | None
    actor: str
    user_id: UUID | None
    user: str
    address: str | None
    request_id: str
    changes: dict[str, list[Any]]


_EVENTS = select(
    AccountEvent.id,
    AccountEvent.at,
    AccountEvent.event,
    AccountEvent.actor_id,
    AccountEvent.actor_name,
    AccountEvent.user_id,
    AccountEvent.username,
    AccountEvent.address,
    AccountEvent.request_id,
    AccountEvent.changes,
)


def list_people(
    connection: Connection, wanted: PeopleFilter, *, ordering: str, offset: int, limit: int
) -> list[PersonRecord]:
    """Accounts in an order, a key of `ORDERINGS` with `-` before it where it is descending."""
    column = ORDERINGS[ordering.removeprefix("-")]
    columns = (User.id, User.username, User.role, User.is_active, User.last_login_at, User.created_at)
    statement = select(*columns).where(*wanted.conditions())
    statement = statement.order_by(column.desc() if ordering.startswith("-") else column)
    return [PersonRecord(*row) for row in connection.execute(statement.offset(offset).limit(limit))]


def count_people(connection: Connection, wanted: PeopleFilter, *, most: int) -> int | None:
    """How many accounts a filter lets through; None where they are more than `most`."""
    return _count(connection, select(User.id).where(*wanted.conditions()), most)


def user_id_named(connection: Connection, username: str) -> UUID | None:
    """Whose name it is, without regard to case."""
    return connection.scalar(select(User.id).where(User.username_key == username_key(username)))


def open_log_ins(connection: Connection, user_id: UUID, now: datetime, *, most: int) -> list[LogInRecord]:
    """The log-ins of an account that stand, newest first."""
    columns = (TokenFamily.id, TokenFamily.created_at, TokenFamily.expires_at)
    statement = select(*columns).where(*_standing(user_id, now))
    newest = statement.order_by(TokenFamily.created_at.desc(), TokenFamily.id).limit(most)
    return [LogInRecord(*row) for row in connection.execute(newest)]


def count_open_log_ins(connection: Connection, user_id: UUID, now: datetime) -> int:
    """How many log-ins of an account stand."""
    return connection.scalar(select(func.count(TokenFamily.id)).where(*_standing(user_id, now))) or 0


def latest_account_events(
    connection: Connection,
    *,
    offset: int,
    limit: int,
    actor_id: UUID | None = None,
    user_id: UUID | None = None,
) -> list[AccountEventRecord]:
    """The events of all accounts, newest first, or those that somebody did, or that were done to somebody."""
    newest = AccountEvent.at.desc(), AccountEvent.id.desc()
    # What is skipped is read from the index alone.
    page = select(AccountEvent.id).where(*_wanted(actor_id, user_id)).order_by(*newest)
    page = page.offset(offset).limit(limit)
    statement = _EVENTS.where(AccountEvent.id.in_(page)).order_by(*newest)
    return [AccountEventRecord(*row) for row in connection.execute(statement)]


def count_account_events(
    connection: Connection, *, most: int, actor_id: UUID | None = None, user_id: UUID | None = None
) -> int | None:
    """How many of them there are; None where they are more than `most`."""
    return _count(connection, select(AccountEvent.id).where(*_wanted(actor_id, user_id)), most)


def _count(connection: Connection, rows: Select[UUID], most: int) -> int | None:
    some = rows.limit(most + 1).subquery()
    number = connection.scalar(select(func.count()).select_from(some)) or 0
    return number if number <= most else None


def _standing(user_id: UUID, now: datetime) -> list[ColumnElement[bool]]:
    of_user = TokenFamily.user_id == user_id
    return [of_user, TokenFamily.revoked_at.is_(None), TokenFamily.expires_at > now]


def _wanted(actor_id: UUID | None, user_id: UUID | None) -> list[ColumnElement[bool]]:
    given = ((AccountEvent.actor_id, actor_id), (AccountEvent.user_id, user_id))
    return [column == value for column, value in given if value is not None]
