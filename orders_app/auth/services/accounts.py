"""Creating and changing accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from orders_app.auth import repository
from orders_app.auth.domain import checked_account, username_key
from orders_app.auth.events import UserEvent, UserEventName
from orders_app.auth.models import User
from orders_app.auth.passwords import hash_password
from orders_app.shared.clock import rfc3339, utcnow
from orders_app.shared.errors import Conflict, NotFound
from orders_app.shared.identity import Actor, Role
from orders_app.shared.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChanges:
    """What to change of an account; None leaves it as it is.

    `expected_updated_at` is the `updated_at` that the caller saw, as RFC 3339 text: another one now is a
    conflict.
    """

    username: str | None = None
    password: str | None = None
    role: Role | None = None
    is_active: bool | None = None
    expected_updated_at: str | None = None


def create_user(
    uow: UnitOfWork, *, actor: Actor | None, username: str, password: str | None, role: Role = Role.USER
) -> User:
    """Open an account.  `actor` is None where people register themselves.

    Raises `Invalid` for a bad name or password, `Conflict` for a name that is taken.
    """
    name, password = checked_account(username, password)
    assert name is not None  # noqa: S101  (given, so checked)
    now = utcnow()
    user = User(
        username=name,
        username_key=username_key(name),
        password_hash=hash_password(password) if password is not None else None,
        role=role.value,
        is_active=True,
        created_at=now,
        updated_at=now,
    )
    uow.session.add(user)
    _flush_name(uow, name)
    uow.record(_event(uow, UserEventName.CREATED, actor, user))
    return user


def change_user(uow: UnitOfWork, *, actor: Actor, user_id: UUID, changes: AccountChanges) -> User:
    """Change an account.  A new password or a disabled account ends its log-ins.

    A new role needs no new log-in: it is read from the database on every request.

    Raises `NotFound`, `Invalid`, or `Conflict` (`name_taken`, `last_admin`, `version_mismatch`).
    """
    name, password = checked_account(changes.username, changes.password)
    if repository.get_user(uow.session, user_id) is None:
        raise NotFound("There is no such user.")
    admins = repository.lock_active_admins(uow.session)
    user = repository.get_user(uow.session, user_id, lock=True)
    assert user is not None  # noqa: S101  (accounts are never removed)
    if changes.expected_updated_at not in {None, rfc3339(user.updated_at)}:
        raise Conflict("Somebody else changed the account meanwhile.", code="version_mismatch")
    changed = _apply(user, name, password, changes)
    if not changed:
        return user
    if list(admins) == [user.id] and not (user.is_active and user.role == Role.ADMIN.value):
        raise Conflict("This is the last admin; make another one first.", code="last_admin")
    user.updated_at = _moment_after(user.updated_at)
    _flush_name(uow, user.username)
    if not {"password", "is_active"}.isdisjoint(changed):
        repository.revoke_families(uow.session, user.id, user.updated_at)
    uow.record(_event(uow, UserEventName.UPDATED, actor, user, changed=tuple(changed)))
    return user


def _moment_after(last: datetime) -> datetime:
    """The time now, but later than the last change in any case: it tells the states of an account apart."""
    return max(utcnow(), last + timedelta(microseconds=1))


def _apply(user: User, name: str | None, password: str | None, changes: AccountChanges) -> list[str]:
    changed = []
    if name is not None and name != user.username:
        user.username, user.username_key = name, username_key(name)
        changed.append("username")
    if password is not None:
        user.password_hash = hash_password(password)
        changed.append("password")
    if changes.role is not None and changes.role.value != user.role:
        user.role = changes.role.value
        changed.append("role")
    if changes.is_active is not None and changes.is_active != user.is_active:
        user.is_active = changes.is_active
        changed.append("is_active")
    return changed


def _flush_name(uow: UnitOfWork, name: str) -> None:
    try:
        uow.session.flush()
    except IntegrityError as error:
        raise Conflict(f"The name {name!r} is taken.", code="name_taken") from error


def _event(
    uow: UnitOfWork, name: UserEventName, actor: Actor | None, user: User, changed: tuple[str, ...] = ()
) -> UserEvent:
    return UserEvent(
        name=name.value,
        at=user.updated_at,
        actor_id=actor.user_id if actor else user.id,
        actor_name=actor.username if actor else user.username,
        request_id=uow.request_id,
        owner_ids=frozenset({user.id}),
        subject_id=user.id,
        subject_name=user.username,
        changed=changed,
    )
