"""The use cases for accounts."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from orders_app.auth import repository
from orders_app.auth.models import TokenFamily, User
from orders_app.auth.passwords import hash_password, verify_password
from orders_app.auth.services import accounts
from orders_app.auth.services.accounts import account_changes
from orders_app.extensions import unit_of_work
from orders_app.shared.clock import rfc3339
from orders_app.shared.errors import Conflict, Invalid, NotFound
from orders_app.shared.identity import Actor, Role
from orders_app.shared.view_versions import ViewVersion
from tests import factories
from tests.callers import USERS, Caller
from tests.services.test_unit_of_work import lines_of


def create(actor: Actor | None, **others: Any) -> User:
    account = accounts.new_account(**{"username": "carol", "password": None, **others})
    with unit_of_work() as uow:
        return accounts.create_user(uow, actor=actor, account=account)


def change(actor: Actor, subject: Actor, **changes: Any) -> User:
    assert subject.user_id
    expected = changes.pop("expected_updated_at", None)
    checked = replace(account_changes(**changes), expected_updated_at=expected)
    with unit_of_work() as uow:
        return accounts.change_user(uow, actor=actor, user_id=subject.user_id, changes=checked)


def open_log_ins(session: Session, person: Actor) -> int:
    session.rollback()
    standing = select(func.count()).select_from(TokenFamily)
    mine = standing.where(TokenFamily.user_id == person.user_id, TokenFamily.revoked_at.is_(None))
    return session.scalar(mine) or 0


def test_an_account_is_made(session: Session, as_admin: Actor) -> None:
    made = create(as_admin, username=" Zoë ", password="long enough", role=Role.ADMIN)
    stored = session.get_one(User, made.id)
    assert (stored.username, stored.role, stored.is_active) == ("Zoë", "admin", True)
    assert verify_password(stored.password_hash, "long enough")


def test_without_a_password_nothing_fits(session: Session, as_admin: Actor) -> None:
    assert create(as_admin).password_hash is None


@pytest.mark.parametrize("name", ["alice", "ALICE", " Ａlice "])
def test_a_name_is_taken_without_regard_to_case(session: Session, as_admin: Actor, name: str) -> None:
    with pytest.raises(Conflict) as refused:
        create(as_admin, username=name)
    assert refused.value.code == "name_taken"
    assert session.scalar(select(func.count()).select_from(User)) == 3


@pytest.mark.parametrize(("username", "password"), [("", None), ("a:b", None), ("carol", "short")])
def test_the_rules_for_accounts_hold(
    session: Session, as_admin: Actor, username: str, password: str | None
) -> None:
    with pytest.raises(Invalid):
        create(as_admin, username=username, password=password)


@pytest.mark.parametrize(
    "changes", [{"password": "another password"}, {"is_active": False}], ids=["password", "disabled"]
)
def test_what_ends_all_log_ins(
    app: Any, session: Session, as_admin: Actor, as_alice: Actor, as_bob: Actor, changes: dict[str, Any]
) -> None:
    for name in ("alice", "alice", "bob"):
        factories.logged_in(app, name)
    change(as_admin, as_alice, **changes)
    assert open_log_ins(session, as_alice) == 0
    assert open_log_ins(session, as_bob) == 1


def test_a_new_name_ends_no_log_in(app: Any, session: Session, as_admin: Actor, as_alice: Actor) -> None:
    factories.logged_in(app, "alice")
    assert change(as_admin, as_alice, username="Alicia").username == "Alicia"
    assert open_log_ins(session, as_alice) == 1


def test_the_case_of_ones_own_name_can_change(session: Session, as_admin: Actor, as_alice: Actor) -> None:
    assert change(as_admin, as_alice, username="Alice").username == "Alice"


def test_another_broken_rule_of_the_database_is_no_taken_name(session: Session, as_admin: Actor) -> None:
    account = replace(accounts.new_account("carol", None), username="ca\nrol")
    with pytest.raises(IntegrityError), unit_of_work() as uow:
        accounts.create_user(uow, actor=as_admin, account=account)


def test_nothing_is_locked_while_a_password_is_hashed(
    app: Flask, monkeypatch: pytest.MonkeyPatch, anonymous: Caller, admin: Caller, alice: Caller
) -> None:
    """Another writer gets through meanwhile."""
    made = []

    def slow(password: str) -> str:
        with ThreadPoolExecutor(1) as other:
            made.append(other.submit(alice.order).result(timeout=5))
        return hash_password(password)

    monkeypatch.setattr("orders_app.auth.services.accounts.hash_password", slow)
    new = admin.post(USERS, {"username": "carol", "password": "carol-password-1"})
    assert new.status_code == 201
    path = f"{USERS}{new.get_json()['user_id']}/"
    assert admin("PATCH", path, {"password": "carol-password-2"}).status_code == 200
    assert len(made) == 2


def test_what_the_session_read_before_it_locked_is_read_anew(session: Session, as_alice: Actor) -> None:
    """On PostgreSQL somebody else may have changed it in between."""
    assert as_alice.user_id
    with unit_of_work() as uow:
        held = repository.get_user(uow.session, as_alice.user_id)
        uow.session.execute(
            text("UPDATE users SET role = 'admin' WHERE username = 'alice'"),
        )
        locked = repository.get_user(uow.session, as_alice.user_id, lock=True)
    assert locked is held
    assert locked is not None
    assert locked.role == "admin"


def test_a_taken_name_changes_nothing(session: Session, as_admin: Actor, as_alice: Actor) -> None:
    with pytest.raises(Conflict):
        change(as_admin, as_alice, username="BOB", is_active=False)
    assert session.get_one(User, as_alice.user_id).is_active


@pytest.mark.parametrize("changes", [{"role": Role.USER}, {"is_active": False}])
def test_the_last_admin_stays(session: Session, as_admin: Actor, changes: dict[str, Any]) -> None:
    with pytest.raises(Conflict) as refused:
        change(as_admin, as_admin, **changes)
    assert refused.value.code == "last_admin"
    stored = session.get_one(User, as_admin.user_id)
    assert (stored.role, stored.is_active) == ("admin", True)


def test_an_admin_who_cannot_act_does_not_count(session: Session, as_admin: Actor) -> None:
    create(as_admin, username="sleeper", role=Role.ADMIN)
    change(as_admin, factories.actor("sleeper"), is_active=False)
    with pytest.raises(Conflict):
        change(as_admin, as_admin, role=Role.USER)


def test_with_another_admin_one_may_go(session: Session, as_admin: Actor) -> None:
    create(as_admin, username="root", role=Role.ADMIN)
    assert change(as_admin, as_admin, role=Role.USER).role == "user"


def test_an_unknown_account_is_not_found(session: Session, as_admin: Actor) -> None:
    with pytest.raises(NotFound):
        change(as_admin, Actor(uuid4(), "nobody", Role.USER), is_active=False)


def test_a_change_makes_what_is_cached_of_it_stale(
    session: Session, as_admin: Actor, as_alice: Actor
) -> None:
    change(as_admin, as_alice, username="alicia")
    assert session.get_one(ViewVersion, as_alice.user_id).version >= 1


def test_the_log_names_what_changed_and_no_value(
    session: Session, as_admin: Actor, as_alice: Actor, log_dir: Path
) -> None:
    change(as_admin, as_alice, password="a new secret", username="alicia")
    text = (log_dir / "general.log").read_text()
    [line] = [json.loads(line) for line in text.splitlines()]
    assert (line["event"], line["user"], line["subject"]) == ("user.updated", "admin", "alicia")
    assert sorted(line["changed"]) == ["password", "username"]
    assert "secret" not in text
    assert "argon2" not in text


@pytest.mark.parametrize("changes", [{}, {"username": "alice"}, {"role": Role.USER}, {"is_active": True}])
def test_what_changes_nothing_is_no_event(
    session: Session, as_admin: Actor, as_alice: Actor, log_dir: Path, changes: dict[str, Any]
) -> None:
    change(as_admin, as_alice, **changes)
    assert lines_of(log_dir / "general.log") == []


def test_an_account_that_is_not_what_the_caller_saw_stays(
    session: Session, as_admin: Actor, as_alice: Actor
) -> None:
    seen = rfc3339(session.get_one(User, as_alice.user_id).updated_at)
    after = change(as_admin, as_alice, role=Role.ADMIN, expected_updated_at=seen)
    for stale in (seen, "", "nonsense"):
        with pytest.raises(Conflict) as refused:
            change(as_admin, as_alice, is_active=False, expected_updated_at=stale)
        assert refused.value.code == "version_mismatch"
    change(as_admin, as_alice, is_active=False, expected_updated_at=rfc3339(after.updated_at))


def test_two_changes_at_the_same_moment_are_told_apart(
    session: Session, as_admin: Actor, as_alice: Actor
) -> None:
    with time_machine.travel(datetime(2026, 11, 23, 6, 33, tzinfo=UTC), tick=False):
        moments = [change(as_admin, as_alice, username=name).updated_at for name in ("a", "b", "c")]
    assert len(set(moments)) == len(moments)
