"""Claiming a key, and loading, storing and deleting what was answered under it; no rules, no commit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from orders_app.idempotency.models import IdempotencyKey
from orders_app.shared.persistence import insert_into

_LOCK_BYTES = 8


def try_claim(session: Session, scope: bytes) -> bool:
    """Hold the scope until the transaction ends; False if another transaction holds it.

    On SQLite the unit of work holds the write lock of the whole database already.
    """
    if session.get_bind().dialect.name == "sqlite":
        return True
    number = int.from_bytes(scope[:_LOCK_BYTES], "big", signed=True)
    return bool(session.scalar(select(func.pg_try_advisory_xact_lock(number))))


def find(session: Session, scope: bytes, now: datetime) -> IdempotencyKey | None:
    """What is kept for the scope, unless it has expired.

    A statement after the one that claims it: only so does it see what the last holder committed.
    """
    return session.scalars(
        select(IdempotencyKey).where(IdempotencyKey.scope == scope, IdempotencyKey.expires_at > now)
    ).one_or_none()


def save(session: Session, values: dict[str, Any], now: datetime) -> bool:
    """Keep an answer, in the place of an expired one; False if there is one that has not expired."""
    statement = insert_into(IdempotencyKey, session.get_bind().dialect)
    others = {name: statement.excluded[name] for name in values if name != "scope"}
    statement = statement.on_conflict_do_update(
        index_elements=["scope"], set_=others, where=IdempotencyKey.expires_at <= now
    )
    saved = session.execute(statement.returning(IdempotencyKey.scope), values)
    return saved.one_or_none() is not None


def delete_expired(session: Session, now: datetime, most: int) -> int:
    """Delete some expired answers, the oldest first, passing over those that somebody is busy with."""
    expired = (
        select(IdempotencyKey.scope)
        .where(IdempotencyKey.expires_at <= now)
        .order_by(IdempotencyKey.expires_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    scopes = session.scalars(expired).all()
    if scopes:
        session.execute(delete(IdempotencyKey).where(IdempotencyKey.scope.in_(scopes)))
    return len(scopes)
