"""Versions of what can be seen: how a cached answer is known to be fresh.

One row counts the changes to one owner's data; sixteen more, added up, count all changes.  The
transaction of every change bumps the owner's row and one of the sixteen, so a version is visible
exactly when the change is.  Whoever answers from a cache reads the version *before* the data, and
serves a stored answer only if it was made under the version that stands now.  Nothing has to be
purged, so nothing is lost when a process dies between the commit and a purge, or when the cache
server was away meanwhile (docs/decisions/0003-view-versions.md).

Sixteen rows rather than one, because writers would otherwise queue for its lock: a transaction takes
any one of them, and only their sum has a meaning.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Table, Uuid, case, cast, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from orders_app.shared.persistence import Base, insert_into

SHARDS = tuple(UUID(int=number) for number in range(16))
"""Ids that no account has: version 7 ids carry a version and a time."""


class ViewVersion(Base):
    """How often the data of one scope has changed: of one owner (their user id) or of a shard of all."""

    __tablename__ = "view_versions"

    scope: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)


def bump(session: Session, owner_ids: Iterable[UUID]) -> None:
    """Count one change to the data of these owners, as part of the session's transaction.

    The rows are taken in one fixed order, owners first, so that no two transactions wait for each
    other in a circle.
    """
    table = ViewVersion.__table__
    assert isinstance(table, Table)  # noqa: S101  (what a mapped class has)
    statement = insert_into(table, session.get_bind().dialect).values(version=1)
    upsert = statement.on_conflict_do_update(
        index_elements=[table.c.scope], set_={"version": table.c.version + 1}
    )
    session.execute(upsert, [{"scope": scope} for scope in (*sorted(set(owner_ids)), secrets.choice(SHARDS))])


def version_seen_by(user_id: ColumnElement[UUID], is_admin: ColumnElement[bool]) -> ColumnElement[int]:
    """SQL for the version of what this user may see, to be read with their credential.

    An admin sees everything, everybody else what they own.
    """
    everything = select(func.sum(ViewVersion.version)).where(ViewVersion.scope <= SHARDS[-1]).scalar_subquery()
    own = select(ViewVersion.version).where(ViewVersion.scope == user_id).scalar_subquery()
    return cast(func.coalesce(case((is_admin, everything), else_=own), 0), BigInteger)
