"""Versions of what can be seen: how a cached answer is known to be fresh.

One row counts the changes to one owner's data; sixteen more, added up, count all changes.  The
transaction of every change bumps the owner's row and one of the sixteen, so a version is visible
exactly when the change is.  Whoever answers from a cache reads the version *before* the data, and
serves a stored answer only if it was made under the version that stands now.  (An answer that shows one
thing alone has a version of its own, which does not change with its neighbours.)  Nothing has to be
purged, so nothing is lost when a process dies between the commit and a purge, or when the cache
server was away meanwhile (docs/decisions/0003-view-versions.md).

Sixteen rows rather than one, because writers would otherwise queue for its lock: a transaction takes
any one of them, and only their sum has a meaning.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Text,
    Uuid,
    case,
    cast,
    func,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from orders_app.shared.inserts import Insert
from orders_app.shared.persistence import Base

SHARDS = tuple(UUID(int=number) for number in range(16))
"""Ids that no account has: version 7 ids carry a version and a time."""
_AT_ONCE: Final = 50


class ViewVersion(Base):
    """How often the data of one scope has changed: of one owner (their user id) or of a shard of all."""

    __tablename__ = "view_versions"

    scope: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)


def counting_up(owner_ids: Iterable[UUID]) -> list[Insert]:
    """What counts one change to the data of these owners, to be written in the transaction of the change.

    The rows are taken in one fixed order, owners first, so that no two transactions wait for each
    other in a circle.
    """
    scopes = [*sorted(set(owner_ids)), secrets.choice(SHARDS)]
    starts = range(0, len(scopes), _AT_ONCE)
    return [_one_more([(scope, 1) for scope in scopes[start : start + _AT_ONCE]]) for start in starts]


def _one_more(rows: list[tuple[UUID, int]]) -> Insert:
    return Insert(
        ViewVersion,
        ("scope", "version"),
        rows,
        on_conflict="ON CONFLICT (scope) DO UPDATE SET version = view_versions.version + 1",
    )


def version_seen_by(user_id: ColumnElement[UUID], is_admin: ColumnElement[bool]) -> ColumnElement[str]:
    """SQL for the version of all that this user may see, to be read with their credential.

    An admin sees everything, everybody else what they own.
    """
    everything = (
        select(func.sum(ViewVersion.version)).where(ViewVersion.scope <= SHARDS[-1]).scalar_subquery()
    )
    own = select(ViewVersion.version).where(ViewVersion.scope == user_id).scalar_subquery()
    return cast(func.coalesce(case((is_admin, everything), else_=own), 0), Text)
