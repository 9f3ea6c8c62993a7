"""Accounts and the log-ins that are open on them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from orders_app.auth.domain import LONGEST_NAME
from orders_app.shared.identity import Role
from orders_app.shared.persistence import Base, UTCDateTime, new_id, text_without_controls

_ROLES = ", ".join(f"'{role.value}'" for role in Role)


class User(Base):
    """Somebody who owns orders, may log in, or both.

    `username_key` is the name without regard to case; it makes names unique.  Without a
    `password_hash` nobody can log in (users that an import made, until one is set).
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
