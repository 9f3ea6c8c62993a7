"""Queries for accounts, log-ins and their failures; no rules, no commit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Connection,
    FromClause,
    Table,
    case,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.orm import Session

from orders_app.auth.domain import FAILURE_WINDOW, REQUEST_WINDOW, FailureWindow, Quota, username_key
from orders_app.auth.events import UserEvent
from orders_app.auth.models import (
    LONGEST_ADDRESS,
    AccountEvent,
    LoginFailures,
    PasswordLink,
    RequestCount,
    TokenFamily,
    User,
)
from orders_app.shared.identity import Role
from orders_app.shared.inserts import Insert
from orders_app.shared.persistence import insert_into, locking, new_id

_KEPT = 5
"""How many windows long the count of failures is kept; two would do, were all clocks equal."""


def count_failure(connection: Connection, keys: Sequence[str], now: datetime) -> dict[str, FailureWindow]:
    """Add one to each window, or begin a new one, in one statement; what they are then."""
    rows = _count(connection, LoginFailures.__table__, "key", keys, now, FAILURE_WINDOW)
    return {key: FailureWindow(since, count) for key, since, count in rows}


def count_request(connection: Connection, user_id: UUID, now: datetime, *, limit: int) -> Quota:
    """Add one to the user's window, or begin a new one; where they stand then."""
    [row] = _count(connection, RequestCount.__table__, "user_id", [user_id], now, REQUEST_WINDOW)
    _, since, count = row
    return Quota(limit, count, since)


def _count(
    connection: Connection,
    table: FromClause,
    name: str,
    keys: Sequence[Any],
    now: datetime,
    window: timedelta,
) -> Sequence[tuple[Any, datetime, int]]:
    """Add one for each key, or begin again at one where the window is over: key, start and count."""
    assert isinstance(table, Table)  # noqa: S101  (what a mapped class has)
    is_over = table.c.started_at <= now - window
    rows = [{name: key, "started_at": now, "count": 1} for key in keys]
    statement = insert_into(table, connection.dialect).values(rows)
    upsert = statement.on_conflict_do_update(
        index_elements=[table.c[name]],
        set_={
            "started_at": case((is_over, statement.excluded.started_at), else_=table.c.started_at),
            "count": case((is_over, 1), else_=table.c.count + 1),
        },
    ).returning(table.c[name], table.c.started_at, table.c.count)
    return [(key, since, count) for key, since, count in connection.execute(upsert)]


def recent_failures(connection: Connection, now: datetime) -> int:
    """About how many password checks failed in the last minutes: each counts in two windows as a rule."""
    since = now - _KEPT * FAILURE_WINDOW
    counted = select(func.sum(LoginFailures.count)).where(LoginFailures.started_at > since)
    return (int(connection.scalar(counted) or 0) + 1) // 2


def delete_old_failures(connection: Connection, now: datetime, *, at_most: int) -> None:
    """Forget windows that were over long ago.

    Rows that somebody holds are left for the next time: waiting for them could end in a deadlock.
    """
    old = (
        select(LoginFailures.key)
        .where(LoginFailures.started_at < now - _KEPT * FAILURE_WINDOW)
        .order_by(LoginFailures.started_at)
        .limit(at_most)
        .with_for_update(skip_locked=True)
    )
    connection.execute(delete(LoginFailures).where(LoginFailures.key.in_(old.scalar_subquery())))


def get_user(session: Session, user_id: UUID, *, lock: bool = False) -> User | None:
    """An account by its id; `lock` keeps others from changing it until the transaction ends."""
    statement = select(User).where(User.id == user_id)
    return session.scalars(locking(statement) if lock else statement).one_or_none()


def get_user_by_name(session: Session, username: str, *, lock: bool = False) -> User | None:
    """An account by its name, without regard to case."""
    statement = select(User).where(User.username_key == username_key(username))
    return session.scalars(locking(statement) if lock else statement).one_or_none()


def list_users(session: Session, *, offset: int = 0, limit: int | None = None) -> Sequence[User]:
    """Accounts in the order of their names."""
    statement = select(User).order_by(User.username_key).offset(offset)
    return session.scalars(statement.limit(limit) if limit is not None else statement).all()


def count_users(session: Session) -> int:
    """How many accounts there are."""
    return session.scalar(select(func.count()).select_from(User)) or 0


def lock_active_admins(session: Session) -> Sequence[UUID]:
    """The ids of all admins who can act; nobody else can change that set until the transaction ends."""
    statement = (
        select(User.id)
        .where(User.role == Role.ADMIN.value, User.is_active.is_(True))
        .order_by(User.id)
        .with_for_update()
    )
    return session.scalars(statement).all()


def get_family(session: Session, family_id: UUID) -> TokenFamily | None:
    """A log-in, locked until the transaction ends."""
    return session.scalars(locking(select(TokenFamily).where(TokenFamily.id == family_id))).one_or_none()


def revoke_families(session: Session, user_id: UUID, now: datetime, *, keep: UUID | None = None) -> int:
    """End every log-in of this user but the one to keep; how many of them stood."""
    statement = update(TokenFamily).where(TokenFamily.user_id == user_id, TokenFamily.revoked_at.is_(None))
    if keep is not None:
        statement = statement.where(TokenFamily.id != keep)
    ended = session.scalars(statement.values(revoked_at=now).returning(TokenFamily.expires_at))
    return sum(expires_at > now for expires_at in ended)


def delete_expired_families(session: Session, user_id: UUID, now: datetime) -> None:
    """Forget this user's log-ins that can no longer be used."""
    session.execute(delete(TokenFamily).where(TokenFamily.user_id == user_id, TokenFamily.expires_at < now))


def get_link(session: Session, digest: bytes, *, lock: bool = False) -> PasswordLink | None:
    """A link by the digest of its token; `lock` keeps others from using it until the transaction ends."""
    statement = select(PasswordLink).where(PasswordLink.digest == digest)
    return session.scalars(locking(statement) if lock else statement).one_or_none()


def is_good_link(connection: Connection, digest: bytes, now: datetime) -> bool:
    """Whether there is such a link, not used, not expired, and its account may be used."""
    statement = (
        select(PasswordLink.digest)
        .join(User, User.id == PasswordLink.user_id)
        .where(PasswordLink.digest == digest, PasswordLink.used_at.is_(None), PasswordLink.expires_at > now)
        .where(User.is_active.is_(True))
    )
    return connection.scalar(statement) is not None


def delete_unused_links(session: Session, user_id: UUID) -> None:
    """Forget the links of this user that nobody used."""
    session.execute(
        delete(PasswordLink).where(PasswordLink.user_id == user_id, PasswordLink.used_at.is_(None))
    )


def account_events(events: Sequence[UserEvent], address: str) -> Insert:
    """What adds to the history of accounts."""
    columns = ("id", "at", "event", "actor_id", "actor_name", "user_id", "username")
    rows = [
        (
            *(new_id(), event.at, event.name, event.actor_id, event.actor_name),
            *(event.subject_id, event.subject_name),
            *(address[:LONGEST_ADDRESS] or None, event.request_id, event.changes),
        )
        for event in events
    ]
    return Insert(AccountEvent, (*columns, "address", "request_id", "changes"), rows)
