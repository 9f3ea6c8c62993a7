"""What people keep at their desk: preferences, and views of lists by name."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from orders_app.auth.models import User
from orders_app.desk import services
from orders_app.desk.domain import LONGEST_QUERY, MOST_VIEWS, Preferences
from orders_app.desk.models import SavedView, UserPreferences
from orders_app.desk.repository import ViewRecord, get_preferences, views_for
from orders_app.extensions import read_connection, unit_of_work
from orders_app.shared.errors import Conflict, Invalid, NotFound
from orders_app.shared.identity import Actor
from tests import factories
from tests.services.test_concurrency import together
from tests.services.test_import_costs import statements
from tests.services.test_unit_of_work import versions

LOCALES = ("de", "en", "pt_BR")


def prefer(actor: Actor, **preferences: Any) -> None:
    assert actor.user_id
    with unit_of_work() as uow:
        services.set_preferences(
            uow, user_id=actor.user_id, preferences=Preferences(**preferences), locales=LOCALES
        )


def preferred(actor: Actor) -> Preferences:
    assert actor.user_id
    with read_connection() as connection:
        return get_preferences(connection, actor.user_id)


def save(actor: Actor, name: str, query: str = "status=pending", *, is_shared: bool = False) -> SavedView:
    with unit_of_work() as uow:
        return services.save_view(uow, actor=actor, name=name, query=query, is_shared=is_shared)


def forget(actor: Actor, view: SavedView) -> None:
    with unit_of_work() as uow:
        services.delete_view(uow, actor=actor, view_id=view.id)


def views(actor: Actor) -> list[ViewRecord]:
    assert actor.user_id
    with read_connection() as connection, statements() as asked:
        found = views_for(connection, actor.user_id)
    assert len(asked) == 1
    return found


def test_nothing_is_preferred_at_first(session: Session, as_alice: Actor) -> None:
    assert preferred(as_alice) == Preferences()


def test_preferences_are_kept_for_each_person(session: Session, as_alice: Actor, as_bob: Actor) -> None:
    columns = {"orders": ["created_at", "user"], "users": []}
    before = versions(session)
    prefer(as_alice, locale="pt_BR", time_zone="America/Argentina/Buenos_Aires", columns=columns)
    prefer(as_bob, time_zone="UTC")
    assert preferred(as_alice) == Preferences(
        locale="pt_BR", time_zone="America/Argentina/Buenos_Aires", columns=columns
    )
    assert preferred(as_bob) == Preferences(time_zone="UTC")
    prefer(as_alice, locale="de")
    assert preferred(as_alice) == Preferences(locale="de")
    assert session.scalar(select(func.count()).where(UserPreferences.columns.is_(None))) == 2
    assert versions(session) == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("locale", "fr"),
        ("locale", ""),
        ("time_zone", ""),
        ("time_zone", "Europe/Atlantis"),
        ("time_zone", "../../etc/passwd"),
        ("time_zone", "europe/berlin"),
        ("columns", {"": ["user"]}),
        ("columns", {"orders": ["a\0b"]}),
        ("columns", {"orders": ["c" * 61]}),
        ("columns", {"orders": ["user"] * 51}),
        ("columns", {f"list {number}": [] for number in range(21)}),
    ],
)
def test_what_cannot_be_is_refused(session: Session, as_alice: Actor, field: str, value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        prefer(as_alice, **{field: value})
    assert refused.value.errors.keys() == {field}
    assert preferred(as_alice) == Preferences()


def test_a_view_is_found_by_its_name(
    session: Session, as_alice: Actor, as_bob: Actor, as_admin: Actor
) -> None:
    save(as_alice, " mornings ", "status=pending&ordering=-created_at")
    save(as_alice, "Everything", "")
    save(as_bob, "Bob's own")
    shared = save(as_bob, "large ones", "min_price=900", is_shared=True)
    assert [(view.name, view.owner, view.is_shared) for view in views(as_alice)] == [
        ("Everything", "alice", False),
        ("large ones", "bob", True),
        ("mornings", "alice", False),
    ]
    assert [view.name for view in views(as_admin)] == ["large ones"]
    assert views(as_admin)[0].view_id == shared.id
    assert views(as_admin)[0].query == "min_price=900"


def test_the_same_name_is_the_same_view(session: Session, as_alice: Actor, as_bob: Actor) -> None:
    first = save(as_alice, "Große", "a=1")
    second = save(as_alice, "GROSSE", "a=2", is_shared=True)
    save(as_bob, "große", "a=3")
    assert second.id == first.id
    assert [(view.name, view.query) for view in views(as_alice)] == [("GROSSE", "a=2")]
    assert [view.query for view in views(as_bob)] == ["a=2", "a=3"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "n" * 61),
        ("name", "a\nb"),
        ("query", "q" * (LONGEST_QUERY + 1)),
        ("query", "a\0b"),
        ("query", "a\nb"),
    ],
)
def test_what_is_no_view_is_refused(session: Session, as_alice: Actor, field: str, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        save(as_alice, *({"name": "mine", "query": "", field: value}.values()))
    assert refused.value.errors.keys() == {field}
    assert views(as_alice) == []


def test_who_may_forget_which(session: Session, as_alice: Actor, as_bob: Actor, as_admin: Actor) -> None:
    own, shared = save(as_alice, "own"), save(as_alice, "shared", is_shared=True)
    for actor, view in ((as_bob, own), (as_bob, shared), (as_admin, own)):
        with pytest.raises(NotFound):
            forget(actor, view)
    assert len(views(as_alice)) == 2
    forget(as_admin, shared)
    forget(as_alice, own)
    assert views(as_alice) == []
    with unit_of_work() as uow, pytest.raises(NotFound):
        services.delete_view(uow, actor=as_admin, view_id=uuid4())


def test_there_is_room_for_so_many_and_no_more(app: Flask) -> None:
    """Whether one comes after the other or several at once."""
    with app.app_context():
        alice = factories.actor("alice")
        for number in range(MOST_VIEWS - 1):
            save(alice, f"view {number}")

    def save_another(name: str) -> Any:
        return lambda: save(alice, name)

    errors = together(app, *map(save_another, ("one", "two", "three")))
    assert [getattr(error, "code", error) for error in errors] == ["too_many_views"] * 2
    with app.app_context():
        save(alice, "view 0", "in its place")
        assert len(views(alice)) == MOST_VIEWS
        with pytest.raises(Conflict):
            save(alice, "one more")


def test_of_two_who_save_the_same_name_both_do(app: Flask) -> None:
    with app.app_context():
        alice = factories.actor("alice")

    def save_it() -> None:
        save(alice, "the same")

    assert together(app, *[save_it] * 3) == []
    with app.app_context():
        assert [view.name for view in views(alice)] == ["the same"]


def test_a_desk_goes_with_its_owner(session: Session, as_alice: Actor) -> None:
    prefer(as_alice, locale="de")
    save(as_alice, "shared", is_shared=True)
    session.execute(delete(User).where(User.id == as_alice.user_id))
    assert session.scalars(select(SavedView)).all() == []
    assert session.scalars(select(UserPreferences)).all() == []
