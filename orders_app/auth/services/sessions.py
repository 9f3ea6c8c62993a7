"""Logging in, staying logged in, logging out."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum, auto
from uuid import UUID, uuid4

from sqlalchemy import Connection

from orders_app.auth import credentials, repository
from orders_app.auth.credentials import ALL_THEY_SEE, Credential, Shown
from orders_app.auth.domain import LONGEST_NAME, LONGEST_PASSWORD, FailureLimits
from orders_app.auth.events import UserEventName
from orders_app.auth.models import TokenFamily
from orders_app.auth.passwords import VerifiedPasswords
from orders_app.auth.recording import tell
from orders_app.auth.services.accounts import check_unchanged
from orders_app.auth.services.throttle import Attempt
from orders_app.shared.clock import utcnow
from orders_app.shared.errors import NotFound
from orders_app.shared.identity import Actor
from orders_app.shared.unit_of_work import UnitOfWork

LONGEST_LOG_IN = timedelta(days=30)
"""A log-in ends after this long, or one refresh token's life if that is longer, however often refreshed."""

_verified = VerifiedPasswords()


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A log-in that stands: its family and the one refresh token that is good."""

    user_id: UUID
    family_id: UUID
    refresh_jti: UUID


class RefreshRefused(Enum):
    """Why a refresh token is no longer good."""

    UNKNOWN = auto()
    ENDED = auto()
    REUSED = auto()


def check_password(
    connection: Connection,
    username: str,
    password: str,
    *,
    address: str = "",
    limits: FailureLimits | None = None,
    shown: Shown = ALL_THEY_SEE,
) -> Credential | None:
    """The account whose name and password these are, if it may be used.

    A wrong name, a wrong password and a disabled account take about as long and look alike.

    Raises `TooManyRequests`, right password or not and without the cost of a hash, once too many checks
    failed for this name from this `address`, or from this address at all.
    """
    limits = limits or FailureLimits()
    if len(username) > LONGEST_NAME * 2 or len(password) > LONGEST_PASSWORD or _impossible(username):
        # No account has such a name or password.  That holds for whatever name, so it may be quick.
        attempt = Attempt.of("", address, limits)
        attempt.find(connection)
        attempt.count_failure(connection)
        return None
    attempt = Attempt.of(username, address, limits)
    credential = attempt.find(connection, shown)
    password_hash = credential.password_hash if credential and credential.is_active else None
    if _verified.remembers(username, password_hash, password) is None:
        if not _verified.verify(username, password_hash, password):
            attempt.count_failure(connection)
            return None
        # Of many attempts at the same moment, all may have passed before the first failure was counted.
        attempt.find(connection)
    good_until = _verified.remembers(username, password_hash, password)
    return replace(credential, good_until=good_until) if credential and good_until else credential


def _impossible(name: str) -> bool:
    """Whether no name can hold such characters: controls, and what PostgreSQL cannot even compare."""
    return any(unicodedata.category(character) in {"Cc", "Cs"} for character in name)


def open_session(uow: UnitOfWork, *, credential: Credential, lifetime: timedelta) -> OpenSession | None:
    """Begin a log-in for somebody whose password was just checked.

    None if the account was disabled or its password changed since the check: whoever did that meant
    to end every log-in, this one included.
    """
    user_id = credential.actor.user_id
    assert user_id is not None  # noqa: S101  (credentials belong to accounts)
    user = repository.get_user(uow.session, user_id, lock=True)
    if user is None or not user.is_active or user.password_hash != credential.password_hash:
        return None
    now = utcnow()
    repository.delete_expired_families(uow.session, user.id, now)
    family = TokenFamily(user_id=user.id, current_jti=uuid4(), created_at=now, expires_at=now + lifetime)
    user.last_login_at = now
    uow.session.add(family)
    uow.session.flush()
    tell(uow, UserEventName.LOGGED_IN, user)
    return OpenSession(user.id, family.id, family.current_jti)


def rotate(
    uow: UnitOfWork, *, user_id: UUID, family_id: UUID, jti: UUID, lifetime: timedelta
) -> OpenSession | RefreshRefused:
    """Exchange a refresh token for the next one, good for as long again but not beyond `LONGEST_LOG_IN`.

    An old one ends the whole family.
    """
    user = repository.get_user(uow.session, user_id, lock=True)
    family = repository.get_family(uow.session, family_id)
    now = utcnow()
    if user is None or family is None or family.user_id != user_id:
        return RefreshRefused.UNKNOWN
    if family.revoked_at is not None or family.expires_at <= now or not user.is_active:
        return RefreshRefused.ENDED
    if family.current_jti != jti:
        family.revoked_at = now
        tell(uow, UserEventName.TOKEN_REUSED, user)
        return RefreshRefused.REUSED
    family.current_jti = uuid4()
    family.expires_at = min(now + lifetime, family.created_at + max(lifetime, LONGEST_LOG_IN))
    return OpenSession(user.id, family.id, family.current_jti)


def close_session(uow: UnitOfWork, *, user_id: UUID, family_id: UUID, jti: UUID | None = None) -> bool:
    """End a log-in; False if it had ended before.  `jti` names the refresh token that was shown."""
    user = repository.get_user(uow.session, user_id, lock=True)
    family = repository.get_family(uow.session, family_id)
    now = utcnow()
    if user is None or family is None or family.user_id != user_id:
        return False
    if family.revoked_at is not None or family.expires_at <= now:
        return False
    family.revoked_at = now
    if jti is not None and family.current_jti != jti:
        tell(uow, UserEventName.TOKEN_REUSED, user)
        return False
    tell(uow, UserEventName.LOGGED_OUT, user)
    return True


def end_all_sessions(
    uow: UnitOfWork,
    *,
    actor: Actor,
    user_id: UUID,
    keep: UUID | None = None,
    expected_updated_at: str | None = None,
) -> int:
    """End every log-in of an account but the one to keep, and say how many; nothing is told of none.

    `expected_updated_at` is what the caller saw of the account, as in `AccountChanges`.  Raises `NotFound`,
    or `Conflict` (`version_mismatch`).
    """
    user = repository.get_user(uow.session, user_id, lock=True)
    if user is None:
        raise NotFound("There is no such user.")
    check_unchanged(user, expected_updated_at)
    ended = repository.revoke_families(uow.session, user.id, utcnow(), keep=keep)
    if ended:
        left = int(keep is not None)
        changes = {"sessions": [ended + left, left]}
        tell(uow, UserEventName.SESSIONS_ENDED, user, actor=actor, changes=changes)
    return ended


def credential_of_session(
    connection: Connection, user_id: UUID, family_id: UUID, *, shown: Shown = ALL_THEY_SEE
) -> Credential | None:
    """Who acts under this log-in, if it stands and the account may be used."""
    credential = credentials.credential_by_family(connection, user_id, family_id, shown=shown)
    if credential is None or not credential.is_active or credential.good_until <= utcnow():
        return None
    return credential


def actor_of_session(connection: Connection, user_id: UUID, family_id: UUID) -> Actor | None:
    """The same, where nothing but the actor is asked for."""
    credential = credential_of_session(connection, user_id, family_id)
    return credential.actor if credential else None
