"""Preferences, and views of lists that are kept by name."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from orders_app.desk.domain import LONGEST_QUERY, LONGEST_VIEW_NAME
from orders_app.shared.persistence import Base, UTCDateTime, new_id, text_without_controls

_LONGEST_LOCALE: Final = 35
_LONGEST_ZONE: Final = 64


class UserPreferences(Base):
    """How one person wants to see things; null leaves it to the service."""

    __tablename__ = "user_preferences"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    locale: Mapped[str | None] = mapped_column(String(_LONGEST_LOCALE))
    time_zone: Mapped[str | None] = mapped_column(String(_LONGEST_ZONE))
    columns: Mapped[dict[str, list[str]] | None] = mapped_column(JSON(none_as_null=True))


class SavedView(Base):
    """A list as somebody looked at it, under a name; a shared one is everybody's to look at.

    `name_key` is the name without regard to case; it makes the names of one owner unique.
    """

    __tablename__ = "saved_views"
    __table_args__ = (
        UniqueConstraint("owner_id", "name_key"),
        CheckConstraint(f"length(name) BETWEEN 1 AND {LONGEST_VIEW_NAME}", name="name_length"),
        CheckConstraint(f"length(query) <= {LONGEST_QUERY}", name="query_length"),
        *text_without_controls("name"),
        *text_without_controls("query"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(LONGEST_VIEW_NAME))
    name_key: Mapped[str] = mapped_column(String(LONGEST_VIEW_NAME * 3))
    is_shared: Mapped[bool]
    query: Mapped[str] = mapped_column(String(LONGEST_QUERY))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
