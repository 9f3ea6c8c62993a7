"""Logging in, staying logged in, logging out."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from orders_app.auth.models import TokenFamily
from orders_app.auth.services import accounts, sessions
from orders_app.auth.services.accounts import account_changes
from orders_app.auth.services.sessions import OpenSession, RefreshRefused
from orders_app.extensions import read_connection, unit_of_work
from orders_app.shared.clock import utcnow
from orders_app.shared.identity import Actor
from tests.factories import password_of, user

WEEK = timedelta(days=7)


def log_in(name: str = "alice", lifetime: timedelta = WEEK) -> OpenSession:
    with read_connection() as connection:
        credential = sessions.check_password(connection, name, password_of(name))
    assert credential is not None
    with unit_of_work() as uow:
        opened = sessions.open_session(uow, credential=credential, lifetime=lifetime)
    assert opened is not None
    return opened


def rotate(shown: OpenSession) -> OpenSession | RefreshRefused:
    with unit_of_work() as uow:
        return sessions.rotate(
            uow, user_id=shown.user_id, family_id=shown.family_id, jti=shown.refresh_jti, lifetime=WEEK
        )


def log_out(shown: OpenSession) -> bool:
    with unit_of_work() as uow:
        return sessions.close_session(
            uow, user_id=shown.user_id, family_id=shown.family_id, jti=shown.refresh_jti
        )


def stands(opened: OpenSession) -> bool:
    with read_connection() as connection:
        return sessions.actor_of_session(connection, opened.user_id, opened.family_id) is not None


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("alice", "bob-password-1"),
        ("alice", ""),
        ("", ""),
        ("", "alice-password-1"),
        ("nobody", "alice-password-1"),
        ("alice\0", "alice-password-1"),
        ("alice\ud800", "alice-password-1"),
        ("alice", "alice-password-1 "),
        ("alice", "ALICE-PASSWORD-1"),
        ("alice", "x" * 1_000_000),
        ("x" * 1_000_000, "alice-password-1"),
    ],
)
def test_what_is_wrong_is_nobody(session: Session, name: str, password: str) -> None:
    with read_connection() as connection:
        assert sessions.check_password(connection, name, password) is None


@pytest.mark.parametrize("name", ["alice", "ALICE", " alice ", "Ａlice"])
def test_names_are_compared_without_regard_to_case(session: Session, name: str) -> None:
    with read_connection() as connection:
        credential = sessions.check_password(connection, name, password_of("alice"))
    assert credential is not None
    assert credential.actor.username == "alice"


def test_an_account_without_a_password_fits_none(session: Session) -> None:
    with unit_of_work() as uow:
        uow.session.add(user(username="imported"))
    with read_connection() as connection:
        assert sessions.check_password(connection, "imported", "") is None
        assert sessions.check_password(connection, "imported", "None") is None


def test_each_refresh_gives_the_next(session: Session) -> None:
    first = log_in()
    second = rotate(first)
    assert isinstance(second, OpenSession)
    assert second.family_id == first.family_id
    assert second.refresh_jti != first.refresh_jti
    third = rotate(second)
    assert isinstance(third, OpenSession)
    assert stands(third)


def test_an_old_one_ends_the_family(session: Session) -> None:
    first, other = log_in(), log_in()
    second = rotate(first)
    assert isinstance(second, OpenSession)
    assert rotate(first) is RefreshRefused.REUSED
    assert rotate(second) is RefreshRefused.ENDED
    assert not stands(second)
    assert stands(other), "another log-in of the same person is another family"


def test_a_log_out_ends_the_family(session: Session) -> None:
    opened = log_in()
    assert log_out(opened)
    assert not stands(opened)
    assert not log_out(opened)
    assert rotate(opened) is RefreshRefused.ENDED


def test_a_log_out_with_an_old_one_is_refused_and_ends_it_too(session: Session) -> None:
    first = log_in()
    second = rotate(first)
    assert isinstance(second, OpenSession)
    assert not log_out(first)
    assert not stands(second)


def test_what_expired_is_over(session: Session) -> None:
    opened = log_in(lifetime=timedelta(seconds=-1))
    assert not stands(opened)
    assert rotate(opened) is RefreshRefused.ENDED
    assert not log_out(opened)


def test_a_log_in_ends_after_a_month_however_often_it_is_refreshed(session: Session) -> None:
    opened = log_in()
    began = utcnow() - timedelta(days=29)
    with unit_of_work() as uow:
        uow.session.execute(update(TokenFamily).values(created_at=began))
    assert isinstance(rotate(opened), OpenSession)
    assert session.scalars(select(TokenFamily.expires_at)).one() == began + sessions.LONGEST_LOG_IN


def test_what_expired_is_forgotten_at_the_next_log_in(session: Session) -> None:
    log_in(lifetime=timedelta(seconds=-1))
    opened = log_in()
    assert session.scalars(select(TokenFamily.id)).all() == [opened.family_id]


def test_a_family_belongs_to_one_person(session: Session, as_bob: Actor) -> None:
    opened = log_in("alice")
    assert as_bob.user_id
    stolen = OpenSession(as_bob.user_id, opened.family_id, opened.refresh_jti)
    assert rotate(stolen) is RefreshRefused.UNKNOWN
    assert not log_out(stolen)
    assert not stands(stolen)
    assert stands(opened)


def test_an_unknown_family_is_refused(session: Session, as_bob: Actor) -> None:
    assert as_bob.user_id
    unknown = OpenSession(as_bob.user_id, uuid4(), uuid4())
    assert rotate(unknown) is RefreshRefused.UNKNOWN
    assert not log_out(unknown)


@pytest.mark.parametrize("change", [{"password": "another password"}, {"is_active": False}])
def test_nobody_gets_in_with_what_was_checked_before_a_change(
    session: Session, as_admin: Actor, as_alice: Actor, change: dict[str, object]
) -> None:
    with read_connection() as connection:
        credential = sessions.check_password(connection, "alice", password_of("alice"))
    assert credential is not None
    assert as_alice.user_id
    with unit_of_work() as uow:
        changes = account_changes(**change)  # type: ignore[arg-type]  # one of its fields
        accounts.change_user(uow, actor=as_admin, user_id=as_alice.user_id, changes=changes)
    with unit_of_work() as uow:
        assert sessions.open_session(uow, credential=credential, lifetime=WEEK) is None
