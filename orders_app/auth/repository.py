"""Queries for accounts and log-ins; no rules, no commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from orders_app.auth.domain import username_key
from orders_app.auth.models import TokenFamily, User
from orders_app.shared.identity import Actor, Role
from orders_app.shared.view_versions import version_seen_by


@dataclass(frozen=True, slots=True)
class Credential:
    """What the database says of a caller: who they are, and what to check a password against."""

    actor: Actor
    is_active: bool
    password_hash: str | None


_CREDENTIAL_COLUMNS: Final[tuple[Any, ...]] = (
    User.id,
    User.username,
    User.role,
    User.is_active,
    User.password_hash,
    version_seen_by(User.__table__.c.id, User.__table__.c.role == Role.ADMIN.value).label("view_version"),
)
# Built once: putting a statement together costs more than running it.
_BY_NAME: Final[Select[Any]] = select(*_CREDENTIAL_COLUMNS).where(User.username_key == bindparam("key"))
_BY_FAMILY: Final[Select[Any]] = (
    select(*_CREDENTIAL_COLUMNS)
    .join(TokenFamily, TokenFamily.user_id == User.id)
    .where(
        User.id == bindparam("user_id"),
        TokenFamily.id == bindparam("family_id"),
        TokenFamily.revoked_at.is_(None),
        TokenFamily.expires_at > bindparam("now"),
    )
)


def _credential(connection: Connection, statement: Select[Any], values: dict[str, Any]) -> Credential | None:
    row = connection.execute(statement, values).one_or_none()
    if row is None:
        return None
    user_id, username, role, is_active, password_hash, view_version = row
    return Credential(Actor(user_id, username, Role(role), view_version), is_active, password_hash)


def credential_by_name(connection: Connection, username: str) -> Credential | None:
    """The account of that name, without regard to case."""
    return _credential(connection, _BY_NAME, {"key": username_key(username)})


def credential_by_family(
    connection: Connection, user_id: UUID, family_id: UUID, now: datetime
) -> Credential | None:
    """The account, provided that this log-in of theirs still stands."""
    return _credential(connection, _BY_FAMILY, {"user_id": user_id, "family_id": family_id, "now": now})


def get_user(session: Session, user_id: UUID, *, lock: bool = False) -> User | None:
    """An account by its id; `lock` keeps others from changing it until the transaction ends."""
    statement = select(User).where(User.id == user_id)
    return session.scalars(statement.with_for_update() if lock else statement).one_or_none()


def get_user_by_name(session: Session, username: str, *, lock: bool = False) -> User | None:
    """An account by its name, without regard to case."""
    statement = select(User).where(User.username_key == username_key(username))
    return session.scalars(statement.with_for_update() if lock else statement).one_or_none()


def list_users(
    session: Session, *, offset: int = 0, limit: int | None = None, search: str = ""
) -> Sequence[User]:
    """Accounts in the order of their names; `search` keeps those whose name contains it."""
    statement = select(User).where(*_named(search)).order_by(User.username_key).offset(offset)
    return session.scalars(statement.limit(limit) if limit is not None else statement).all()


def count_users(session: Session, *, search: str = "") -> int:
    """How many accounts there are; `search` counts those whose name contains it."""
    return session.scalar(select(func.count()).select_from(User).where(*_named(search))) or 0


def _named(search: str) -> list[ColumnElement[bool]]:
    return [User.username_key.contains(username_key(search), autoescape=True)] if search else []


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
    return session.scalars(
        select(TokenFamily).where(TokenFamily.id == family_id).with_for_update()
    ).one_or_none()


def revoke_families(session: Session, user_id: UUID, now: datetime) -> None:
    """End every log-in of this user."""
    statement = update(TokenFamily).where(TokenFamily.user_id == user_id, TokenFamily.revoked_at.is_(None))
    session.execute(statement.values(revoked_at=now))


def delete_expired_families(session: Session, user_id: UUID, now: datetime) -> None:
    """Forget this user's log-ins that can no longer be used."""
    session.execute(delete(TokenFamily).where(TokenFamily.user_id == user_id, TokenFamily.expires_at < now))
