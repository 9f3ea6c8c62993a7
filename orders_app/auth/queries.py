"""Reading what happened to accounts, to show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, func, select

from orders_app.auth.models import AccountEvent


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
    some = select(AccountEvent.id).where(*_wanted(actor_id, user_id)).limit(most + 1)
    number = connection.scalar(select(func.count()).select_from(some.subquery())) or 0
    return number if number <= most else None


def _wanted(actor_id: UUID | None, user_id: UUID | None) -> list[ColumnElement[bool]]:
    given = ((AccountEvent.actor_id, actor_id), (AccountEvent.user_id, user_id))
    return [column == value for column, value in given if value is not None]
