"""Creating and changing accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from orders_app.auth import repository
from orders_app.auth.domain import checked_account, username_key
from orders_app.auth.events import UserEventName
from orders_app.auth.models import User
from orders_app.auth.passwords import hash_password
from orders_app.auth.recording import Changes, tell_change
from orders_app.shared.clock import rfc3339, utcnow
from orders_app.shared.errors import Conflict, NotFound
from orders_app.shared.identity import Actor, Role
from orders_app.shared.persistence import is_taken
from orders_app.shared.unit_of_work import UnitOfWork

_NONE: Final = "none"
_SET: Final = "set"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """An account to be opened, checked: what `new_account` returns."""

    username: str
    password_hash: str | None
    role: Role


def new_account(username: str, password: str | None, role: Role = Role.USER) -> NewAccount:
    """Check a name and a password, and hash the password.

    That takes long, and waits for others who do it: nothing may be locked meanwhile, so it comes before the
    unit of work.

    Raises `Invalid` for a bad name or password.
    """
    name, password = checked_account(username, password)
    assert name is not None  # noqa: S101  (given, so checked)
    return NewAccount(
        username=name, password_hash=hash_password(password) if password is not None else None, role=role
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChanges:
    """What to change of an account, checked: what `account_changes` returns.  None leaves it as it is.

    `expected_updated_at` is the `updated_at` that the caller saw, as RFC 3339 text: another one now is a
    conflict.
    """

    username: str | None = None
    password_hash: str | None = None
    role: Role | None = None
    is_active: bool | None = None
    expected_updated_at: str | None = None


def account_changes(
    *,
    username: str | None = None,
    password: str | None = None,
    role: Role | None = None,
    is_active: bool | None = None,
) -> AccountChanges:
    """Check the changes of an account, and hash the password; before the unit of work, as `new_account`.

    Raises `Invalid` for a bad name or password.
    """
    name, password = checked_account(username, password)
    password_hash = hash_password(password) if password is not None else None
    return AccountChanges(username=name, password_hash=password_hash, role=role, is_active=is_active)


def create_user(uow: UnitOfWork, *, actor: Actor | None, account: NewAccount) -> User:
    """Open an account.  `actor` is None where people register themselves.

    Raises `Conflict` for a name that is taken.
    """
    now = utcnow()
    user = User(
        username=account.username,
        username_key=username_key(account.username),
        password_hash=account.password_hash,
        role=account.role.value,
        is_active=True,
        created_at=now,
        updated_at=now,
    )
    uow.session.add(user)
    _flush_name(uow, account.username)
    changes: Changes = {"role": [None, user.role], "password": [None, _password_of(user)]}
    tell_change(uow, UserEventName.CREATED, user, actor=actor, changes=changes)
    return user


def change_user(uow: UnitOfWork, *, actor: Actor, user_id: UUID, changes: AccountChanges) -> User:
    """Change an account.  A new password or a disabled account ends its log-ins, and voids its links.

    A new role needs no new log-in: it is read from the database on every request.

    Raises `NotFound`, or `Conflict` (`name_taken`, `last_admin`, `version_mismatch`).
    """
    if repository.get_user(uow.session, user_id) is None:
        raise NotFound("There is no such user.")
    admins = repository.lock_active_admins(uow.session)
    user = repository.get_user(uow.session, user_id, lock=True)
    assert user is not None  # noqa: S101  (accounts are never removed)
    check_unchanged(user, changes.expected_updated_at)
    changed = _apply(user, changes)
    if not changed:
        return user
    if list(admins) == [user.id] and not (user.is_active and user.role == Role.ADMIN.value):
        raise Conflict("This is the last admin; make another one first.", code="last_admin")
    user.updated_at = _moment_after(user.updated_at)
    _flush_name(uow, user.username)
    if not {"password", "is_active"}.isdisjoint(changed):
        _end_log_ins(uow, user)
    tell_change(uow, UserEventName.UPDATED, user, actor=actor, changes=changed, changed=tuple(changed))
    return user


def check_unchanged(user: User, expected_updated_at: str | None) -> None:
    """Raise `Conflict` (`version_mismatch`) if a locked account is not what was seen; None saw nothing."""
    if expected_updated_at not in {None, rfc3339(user.updated_at)}:
        raise Conflict("Somebody else changed the account meanwhile.", code="version_mismatch")


def set_password(uow: UnitOfWork, user: User, password_hash: str) -> Changes:
    """Give a locked account another password, which ends its log-ins; what is to be told of it."""
    changes = _apply(user, AccountChanges(password_hash=password_hash))
    user.updated_at = _moment_after(user.updated_at)
    _end_log_ins(uow, user)
    return changes


def _end_log_ins(uow: UnitOfWork, user: User) -> None:
    repository.revoke_families(uow.session, user.id, user.updated_at)
    repository.delete_unused_links(uow.session, user.id)


def _moment_after(last: datetime) -> datetime:
    """The time now, but later than the last change in any case: it tells the states of an account apart."""
    return max(utcnow(), last + timedelta(microseconds=1))


def _apply(user: User, changes: AccountChanges) -> Changes:
    """Change what differs; `{field: [before, after]}`, of a password only whether there is one."""
    changed: Changes = {}
    if changes.username is not None and changes.username != user.username:
        changed["username"] = [user.username, changes.username]
        user.username, user.username_key = changes.username, username_key(changes.username)
    if changes.password_hash is not None:
        changed["password"] = [_password_of(user), _SET]
        user.password_hash = changes.password_hash
    if changes.role is not None and changes.role.value != user.role:
        changed["role"] = [user.role, changes.role.value]
        user.role = changes.role.value
    if changes.is_active is not None and changes.is_active != user.is_active:
        changed["is_active"] = [user.is_active, changes.is_active]
        user.is_active = changes.is_active
    return changed


def _password_of(user: User) -> str:
    return _SET if user.password_hash else _NONE


def _flush_name(uow: UnitOfWork, name: str) -> None:
    try:
        uow.session.flush()
    except IntegrityError as error:
        if not is_taken(error):
            raise
        raise Conflict(f"The name {name!r} is taken.", code="name_taken") from error
