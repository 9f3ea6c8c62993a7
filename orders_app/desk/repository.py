"""Loading and storing what people keep at their desk; no rules, no commit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, or_, select, true
from sqlalchemy.orm import Session

from orders_app.auth.models import User
from orders_app.desk.domain import Preferences
from orders_app.desk.models import SavedView, UserPreferences
from orders_app.shared.persistence import insert_into, locking


@dataclass(frozen=True, slots=True)
class ViewRecord:
    """A list as somebody looked at it, under a name, in plain values."""

    view_id: UUID
    owner_id: UUID
    owner: str
    name: str
    is_shared: bool
    query: str
    created_at: datetime


def get_preferences(connection: Connection, user_id: UUID) -> Preferences:
    """How somebody wants to see things; nothing is preferred by who never said so."""
    row = connection.execute(
        select(UserPreferences.locale, UserPreferences.time_zone, UserPreferences.columns).where(
            UserPreferences.user_id == user_id
        )
    ).one_or_none()
    if row is None:
        return Preferences()
    return Preferences(locale=row.locale, time_zone=row.time_zone, columns=row.columns)


def save_preferences(session: Session, user_id: UUID, preferences: Preferences) -> None:
    """Keep these in the place of what was kept before."""
    columns = preferences.columns
    values = {
        "locale": preferences.locale,
        "time_zone": preferences.time_zone,
        "columns": None if columns is None else {name: list(chosen) for name, chosen in columns.items()},
    }
    statement = insert_into(UserPreferences, session.get_bind().dialect)
    others = {name: statement.excluded[name] for name in values}
    session.execute(
        statement.on_conflict_do_update(index_elements=["user_id"], set_=others),
        {"user_id": user_id, **values},
    )


def views_for(connection: Connection, user_id: UUID) -> list[ViewRecord]:
    """The views of somebody and those that others share, by name."""
    mine_or_shared = or_(SavedView.owner_id == user_id, SavedView.is_shared == true())
    statement = (
        select(
            SavedView.id,
            SavedView.owner_id,
            User.username,
            SavedView.name,
            SavedView.is_shared,
            SavedView.query,
            SavedView.created_at,
        )
        .join(User, User.id == SavedView.owner_id)
        .where(mine_or_shared)
        .order_by(SavedView.name_key, SavedView.id)
    )
    return [ViewRecord(*row) for row in connection.execute(statement)]


def get_view(session: Session, view_id: UUID) -> SavedView | None:
    """A view by its id, locked until the transaction ends."""
    return session.scalars(locking(select(SavedView).where(SavedView.id == view_id))).one_or_none()


def get_view_named(session: Session, owner_id: UUID, name_key: str) -> SavedView | None:
    """A view of this owner by its name, without regard to case."""
    statement = select(SavedView).where(SavedView.owner_id == owner_id, SavedView.name_key == name_key)
    return session.scalars(statement).one_or_none()


def count_views(session: Session, owner_id: UUID) -> int:
    """How many views somebody keeps."""
    statement = select(func.count()).select_from(SavedView).where(SavedView.owner_id == owner_id)
    return session.scalar(statement) or 0
