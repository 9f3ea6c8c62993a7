"""What people do at their desk.  Nobody else is shown anything else for it, so nothing is told of it."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from orders_app.auth.repository import get_user
from orders_app.desk import repository
from orders_app.desk.domain import MOST_VIEWS, Preferences, check_preferences, clean_view
from orders_app.desk.models import SavedView
from orders_app.shared.clock import utcnow
from orders_app.shared.errors import Conflict, NotFound
from orders_app.shared.identity import Actor
from orders_app.shared.text import fold
from orders_app.shared.unit_of_work import UnitOfWork

NO_SUCH_VIEW = "There is no such view."


def set_preferences(
    uow: UnitOfWork, *, user_id: UUID, preferences: Preferences, locales: Collection[str]
) -> None:
    """Keep how somebody wants to see things, in the place of all that was kept before.

    `locales` are the languages that there are.  Raises `Invalid`.
    """
    check_preferences(preferences, locales)
    repository.save_preferences(uow.session, user_id, preferences)


def save_view(uow: UnitOfWork, *, actor: Actor, name: str, query: str, is_shared: bool = False) -> SavedView:
    """Keep a list under a name, in the place of what the caller kept under that name before.

    Raises `Invalid`, or `Conflict` (`too_many_views`).
    """
    name, query = clean_view(name, query)
    assert actor.user_id is not None  # noqa: S101  (desks belong to accounts)
    # One after the other: two at once could both be the last that there is room for, or of the same name.
    get_user(uow.session, actor.user_id, lock=True)
    view = repository.get_view_named(uow.session, actor.user_id, fold(name))
    if view is None:
        if repository.count_views(uow.session, actor.user_id) >= MOST_VIEWS:
            raise Conflict(f"You keep {MOST_VIEWS} views already; delete one first.", code="too_many_views")
        view = SavedView(owner_id=actor.user_id, name_key=fold(name), created_at=utcnow())
        uow.session.add(view)
    view.name, view.query, view.is_shared = name, query, is_shared
    uow.session.flush()
    return view


def delete_view(uow: UnitOfWork, *, actor: Actor, view_id: UUID) -> None:
    """Forget a view of one's own; an admin may forget one that anybody shares.  Raises `NotFound`."""
    view = repository.get_view(uow.session, view_id)
    if view is None or not (view.owner_id == actor.user_id or (actor.is_admin and view.is_shared)):
        raise NotFound(NO_SUCH_VIEW)
    uow.session.delete(view)
