"""Accounts, the log-ins that are open on them, and what happened to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from orders_app.auth.domain import LONGEST_NAME
from orders_app.shared.identity import Role
from orders_app.shared.persistence import Base, UTCDateTime, new_id, text_without_controls

LONGEST_ADDRESS: Final = 64
_DIGEST_BYTES = 32
_ROLES = ", ".join(f"'{role.value}'" for role in Role)


class User(Base):
    """Somebody who owns orders, may log in, or both.

    `username_key` is the name without regard to case; it makes names unique.  Without a
    `password_hash` nobody can log in (users that an import made, until one is set).  `last_login_at` is
    when they last began a log-in with a password, which Basic credentials do not.
    """

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint(f"role IN ({_ROLES})", name="role_known"),
        CheckConstraint(f"length(username) BETWEEN 1 AND {LONGEST_NAME}", name="username_length"),
        *text_without_controls("username"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    username: Mapped[str] = mapped_column(String(LONGEST_NAME))
    username_key: Mapped[str] = mapped_column(String(LONGEST_NAME * 3), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(20), default=Role.USER.value)
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_login_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class TokenFamily(Base):
    """One log-in: the chain of refresh tokens that grew from it, or one session of the panel.

    Only the newest refresh token (`current_jti`) is good; an older one means that a copy is around,
    and ends the family (RFC 9700, section 4.14.2).
    """

    __tablename__ = "token_families"
    __table_args__ = (Index("ix_token_families_user_id", "user_id"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    current_jti: Mapped[UUID] = mapped_column(Uuid)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class RequestCount(Base):
    """How many requests a user has sent in one window; counted only where they are limited."""

    __tablename__ = "request_counts"
    __table_args__ = (CheckConstraint("count >= 1", name="count_positive"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    started_at: Mapped[datetime] = mapped_column(UTCDateTime)
    count: Mapped[int]


class LoginFailures(Base):
    """How many password checks failed in one window: for an account from an address, or for an address.

    The key is a digest: people type passwords into the field for the name, and none may be kept.
    """

    __tablename__ = "login_failures"
    __table_args__ = (CheckConstraint("count >= 1", name="count_positive"),)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    started_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    count: Mapped[int]


class PasswordLink(Base):
    """A link with which somebody may set the password of one account, once.

    The key is the digest of its token; the token itself is not kept.
    """

    __tablename__ = "password_links"
    __table_args__ = (
        CheckConstraint(f"length(digest) = {_DIGEST_BYTES}", name="digest_whole"),
        Index("ix_password_links_user_id", "user_id"),
    )

    digest: Mapped[bytes] = mapped_column(LargeBinary(_DIGEST_BYTES), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    made_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class AccountEvent(Base):
    """One event of an account, written in the transaction of the change that it tells of.

    Rows are added and never changed or removed: triggers of the database refuse it.  The names are those
    at the time; `actor_id` is null for the command line, and so is `address`.
    """

    __tablename__ = "account_events"
    __table_args__ = (
        Index("ix_account_events_at_id", "at", "id"),
        Index("ix_account_events_user_id_at_id", "user_id", "at", "id"),
        Index("ix_account_events_actor_id_at_id", "actor_id", "at", "id"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    event: Mapped[str] = mapped_column(String(40))
    actor_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    actor_name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    username: Mapped[str] = mapped_column(String(LONGEST_NAME))
    address: Mapped[str | None] = mapped_column(String(LONGEST_ADDRESS))
    request_id: Mapped[str] = mapped_column(String(128))
    changes: Mapped[dict[str, Any]] = mapped_column(JSON)
