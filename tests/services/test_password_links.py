"""Links with which people set a password: once, for a day, and for nobody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from orders_app.auth.models import AccountEvent, PasswordLink, User
from orders_app.auth.passwords import verify_password
from orders_app.auth.services import password_links
from orders_app.auth.services.accounts import account_changes
from orders_app.extensions import read_connection, unit_of_work
from orders_app.shared.clock import utcnow
from orders_app.shared.errors import Conflict, NotFound
from orders_app.shared.identity import Actor
from tests import factories
from tests.services.test_account_events import in_short
from tests.services.test_accounts import change, open_log_ins
from tests.services.test_concurrency import together
from tests.services.test_sessions import log_in
from tests.services.test_unit_of_work import lines_of

NEW = "a password of my own"


def make(actor: Actor, subject: Actor) -> str:
    assert subject.user_id
    with unit_of_work() as uow:
        return password_links.make_link(uow, actor=actor, user_id=subject.user_id)


def use(token: str, password: str = NEW) -> User:
    password_hash = account_changes(password=password).password_hash
    assert password_hash
    with unit_of_work() as uow:
        return password_links.use_link(uow, token=token, password_hash=password_hash)


def is_good(token: str) -> bool:
    with read_connection() as connection:
        return password_links.is_good(connection, token)


def refused(token: str) -> bool:
    """Whether it is refused, with the words that all of them are refused with."""
    if is_good(token):
        return False
    with pytest.raises(NotFound) as error:
        use(token)
    return (error.value.code, error.value.detail) == (
        "bad_link",
        "This link is no longer good. Ask for a new one.",
    )


def test_a_link_sets_a_password_once(session: Session, as_admin: Actor, as_alice: Actor) -> None:
    log_in()
    token = make(as_admin, as_alice)
    assert is_good(token)
    before = session.get_one(User, as_alice.user_id).updated_at
    assert use(token).username == "alice"
    session.expire_all()
    after = session.get_one(User, as_alice.user_id)
    assert verify_password(after.password_hash, NEW)
    assert after.updated_at > before
    assert open_log_ins(session, as_alice) == 0
    assert refused(token)


def test_the_token_itself_is_not_kept(
    session: Session, as_admin: Actor, as_alice: Actor, log_dir: Path
) -> None:
    token = make(as_admin, as_alice)
    assert len(token) == 43
    [link] = session.scalars(select(PasswordLink)).all()
    assert link.digest == sha256(token.encode()).digest()
    assert (link.made_by, link.user_id) == (as_admin.user_id, as_alice.user_id)
    assert link.expires_at - link.created_at == timedelta(hours=24)
    use(token)
    assert token not in (log_dir / "general.log").read_text()
    assert token not in repr(session.execute(select(AccountEvent.__table__)).all())


def test_both_are_told(session: Session, as_admin: Actor, as_alice: Actor, log_dir: Path) -> None:
    use(make(as_admin, as_alice))
    assert in_short() == [
        ("user.password_link_made", "admin", "alice", {}),
        ("user.password_link_used", "alice", "alice", {"password": ["set", "set"]}),
    ]
    lines = lines_of(log_dir / "general.log")
    assert [line["event"] for line in lines] == ["user.password_link_made", "user.password_link_used"]
    assert lines[1]["changed"] == ["password"]


def test_a_new_link_voids_the_one_before(
    session: Session, as_admin: Actor, as_alice: Actor, as_bob: Actor
) -> None:
    first, of_bob = make(as_admin, as_alice), make(as_admin, as_bob)
    second = make(as_admin, as_alice)
    assert refused(first)
    assert is_good(second)
    assert is_good(of_bob)


@pytest.mark.parametrize("changes", [{"password": "set by an admin"}, {"is_active": False}])
def test_what_ends_log_ins_voids_links(
    session: Session, as_admin: Actor, as_alice: Actor, changes: dict[str, Any]
) -> None:
    token = make(as_admin, as_alice)
    change(as_admin, as_alice, **changes)
    change(as_admin, as_alice, is_active=True)
    assert refused(token)


def test_it_is_good_for_a_day(session: Session, as_admin: Actor, as_alice: Actor) -> None:
    token = make(as_admin, as_alice)
    with time_machine.travel(utcnow() + timedelta(hours=23, minutes=59)):
        assert is_good(token)
    with time_machine.travel(utcnow() + timedelta(hours=24)):
        assert refused(token)


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "\0", "\ud800", "x" * 100_000])
def test_what_was_never_made_is_refused_likewise(session: Session, token: str, log_dir: Path) -> None:
    assert refused(token)
    [line] = lines_of(log_dir / "general.log")
    assert (line["event"], line["reason"]) == ("access.denied", "bad_password_link")


def test_a_disabled_account_has_no_link(
    app: Flask, session: Session, as_admin: Actor, as_alice: Actor
) -> None:
    token = make(as_admin, as_alice)
    factories.change_user(app, "alice", is_active=False)
    assert refused(token)
    with pytest.raises(Conflict) as error:
        make(as_admin, as_alice)
    assert error.value.code == "account_disabled"


def test_there_is_none_for_nobody(session: Session, as_admin: Actor) -> None:
    with unit_of_work() as uow, pytest.raises(NotFound):
        password_links.make_link(uow, actor=as_admin, user_id=uuid4())


def test_of_two_who_use_it_at_once_one_does(app: Flask) -> None:
    with app.app_context():
        token = make(factories.actor("admin"), factories.actor("alice"))
    hashes = [account_changes(password=f"password {number}").password_hash for number in range(4)]

    def use_it(password_hash: str | None) -> Callable[[], None]:
        def work() -> None:
            assert password_hash
            with unit_of_work() as uow:
                password_links.use_link(uow, token=token, password_hash=password_hash)

        return work

    errors = together(app, *map(use_it, hashes))
    assert [type(error) for error in errors] == [NotFound] * 3
    with app.app_context():
        used = [event for event, *_ in in_short() if event == "user.password_link_used"]
    assert len(used) == 1


def test_of_two_that_are_made_at_once_one_is_good(app: Flask) -> None:
    tokens: list[str] = []

    def make_one() -> None:
        tokens.append(make(factories.actor("admin"), factories.actor("alice")))

    assert together(app, make_one, make_one) == []
    with app.app_context():
        assert sorted(is_good(token) for token in tokens) == [False, True]
