"""Links with which people set a password of their own, so that no admin ever knows one."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from orders_app.auth import repository
from orders_app.auth.events import UserEventName
from orders_app.auth.models import PasswordLink, User
from orders_app.auth.recording import tell, tell_change
from orders_app.auth.services.accounts import check_unchanged, set_password
from orders_app.shared.clock import utcnow
from orders_app.shared.denials import deny
from orders_app.shared.errors import Conflict, NotFound
from orders_app.shared.identity import Actor
from orders_app.shared.unit_of_work import UnitOfWork

LIFETIME: Final = timedelta(hours=24)
_TOKEN_BYTES: Final = 32
_NO_LONGER_GOOD = "This link is no longer good. Ask for a new one."


def make_link(uow: UnitOfWork, *, actor: Actor, user_id: UUID, expected_updated_at: str | None = None) -> str:
    """The token of a new link for this account; earlier ones that nobody used are void.

    `expected_updated_at` is what the caller saw of the account, as in `AccountChanges`.  Raises `NotFound`,
    or `Conflict` (`account_disabled`, `version_mismatch`).
    """
    user = repository.get_user(uow.session, user_id, lock=True)
    if user is None:
        raise NotFound("There is no such user.")
    check_unchanged(user, expected_updated_at)
    if not user.is_active:
        raise Conflict("The account is disabled; enable it first.", code="account_disabled")
    now = utcnow()
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    repository.delete_unused_links(uow.session, user.id)
    uow.session.add(
        PasswordLink(
            digest=_digest(token),
            user_id=user.id,
            made_by=actor.user_id,
            created_at=now,
            expires_at=now + LIFETIME,
        )
    )
    tell(uow, UserEventName.LINK_MADE, user, actor=actor)
    return token


def is_good(connection: Connection, token: str) -> bool:
    """Whether a password can be set with this token now.

    To be asked before a password is hashed for it: that costs much, and strangers may send any token.
    """
    return repository.is_good_link(connection, _digest(token), utcnow())


def use_link(uow: UnitOfWork, *, token: str, password_hash: str) -> User:
    """Set the password of the account that the link is for; all log-ins of it end, and so does the link.

    `password_hash` comes from `account_changes`, before the unit of work.  Raises `NotFound` (`bad_link`),
    the same for a link that is unknown, used or expired, and for one of a disabled account.
    """
    digest, now = _digest(token), utcnow()
    found = repository.get_link(uow.session, digest)
    # The account is locked first, as by everybody who changes one; the link is read again behind that.
    user = repository.get_user(uow.session, found.user_id, lock=True) if found is not None else None
    link = repository.get_link(uow.session, digest, lock=True)
    if (
        user is None
        or link is None
        or not user.is_active
        or link.used_at is not None
        or link.expires_at <= now
    ):
        deny("bad_password_link", user.username if user else "")
        raise NotFound(_NO_LONGER_GOOD, code="bad_link")
    link.used_at = now
    uow.session.flush()
    changes = set_password(uow, user, password_hash)
    tell_change(uow, UserEventName.LINK_USED, user, changes=changes, changed=("password",))
    return user


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
