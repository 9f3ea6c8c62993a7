"""What happens to an account, told to whoever listens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from orders_app.auth.events import UserEvent, UserEventName
from orders_app.auth.models import User
from orders_app.shared.clock import utcnow
from orders_app.shared.identity import Actor
from orders_app.shared.unit_of_work import UnitOfWork

Changes = dict[str, list[Any]]


def tell(
    uow: UnitOfWork,
    name: UserEventName,
    user: User,
    *,
    actor: Actor | None = None,
    changes: Changes | None = None,
) -> None:
    """Record what changed nothing that anybody is shown; `actor` is None for what people do themselves."""
    uow.record(_event(uow, name, user, actor, utcnow(), changes))


def tell_change(
    uow: UnitOfWork,
    name: UserEventName,
    user: User,
    *,
    actor: Actor | None = None,
    changes: Changes | None = None,
    changed: tuple[str, ...] = (),
) -> None:
    """Record a change of the account itself, at the moment that stands in it."""
    owners = frozenset({user.id})
    uow.record(_event(uow, name, user, actor, user.updated_at, changes, owner_ids=owners, changed=changed))


def _event(
    uow: UnitOfWork,
    name: UserEventName,
    user: User,
    actor: Actor | None,
    at: datetime,
    changes: Changes | None,
    **others: Any,
) -> UserEvent:
    return UserEvent(
        name=name.value,
        at=at,
        actor_id=actor.user_id if actor else user.id,
        actor_name=actor.username if actor else user.username,
        request_id=uow.request_id,
        subject_id=user.id,
        subject_name=user.username,
        changes=changes or {},
        **{"owner_ids": frozenset(), **others},
    )
