"""The history of accounts: what was done to whom, by whom and from where, in the same commit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from orders_app.auth.models import AccountEvent, User
from orders_app.auth.queries import AccountEventRecord, count_account_events, latest_account_events
from orders_app.auth.services import sessions
from orders_app.extensions import db, read_connection, unit_of_work
from orders_app.shared.errors import NotFound
from orders_app.shared.identity import Actor, Role, command_line_actor
from orders_app.shared.view_versions import ViewVersion
from tests import factories
from tests.admin.visitor import Visitor
from tests.callers import ORDERS, USERS, Caller
from tests.services.test_accounts import change, create, open_log_ins
from tests.services.test_import_costs import statements
from tests.services.test_plans import explained
from tests.services.test_sessions import log_in, log_out, rotate
from tests.services.test_unit_of_work import lines_of, versions

REFUSED = "the history of accounts is only added to"
LOGIN = "/api/v1/login/"


def told(**wanted: Any) -> list[AccountEventRecord]:
    """What the history of accounts says, oldest first."""
    with read_connection() as connection:
        return latest_account_events(connection, offset=0, limit=100, **wanted)[::-1]


def in_short(**wanted: Any) -> list[tuple[str, str, str, dict[str, Any]]]:
    return [(one.event, one.actor, one.user, one.changes) for one in told(**wanted)]


def test_every_change_is_told_with_what_it_was_before(
    session: Session, as_admin: Actor, as_alice: Actor
) -> None:
    change(as_admin, as_alice, username="alicia", role=Role.ADMIN)
    change(as_admin, as_alice, is_active=False)
    change(command_line_actor(), as_alice, is_active=True)
    change(as_admin, as_alice, username="alicia")
    assert in_short() == [
        ("user.updated", "admin", "alicia", {"username": ["alice", "alicia"], "role": ["user", "admin"]}),
        ("user.updated", "admin", "alicia", {"is_active": [True, False]}),
        ("user.updated", "command line", "alicia", {"is_active": [False, True]}),
    ]
    assert [one.actor_id for one in told()] == [as_admin.user_id, as_admin.user_id, None]
    assert {one.user_id for one in told()} == {as_alice.user_id}


def test_a_new_account_is_told(session: Session, as_admin: Actor) -> None:
    create(as_admin, username="carol", role=Role.ADMIN)
    create(None, username="dora", password="long enough")
    assert in_short() == [
        ("user.created", "admin", "carol", {"role": [None, "admin"], "password": [None, "none"]}),
        ("user.created", "dora", "dora", {"role": [None, "user"], "password": [None, "set"]}),
    ]


def test_no_password_is_told(session: Session, as_admin: Actor, as_alice: Actor) -> None:
    change(as_admin, as_alice, password="a new secret")
    assert in_short() == [("user.updated", "admin", "alice", {"password": ["set", "set"]})]
    row = session.execute(select(AccountEvent.__table__)).mappings().one()
    assert "secret" not in json.dumps(dict(row), default=str)
    assert "argon2" not in json.dumps(dict(row), default=str)


def test_logging_in_and_out_is_told(session: Session) -> None:
    opened = log_in()
    log_out(opened)
    other = log_in()
    rotate(other)
    rotate(other)
    assert [event for event, *_ in in_short()] == [
        "user.logged_in",
        "user.logged_out",
        "user.logged_in",
        "user.refresh_token_reused",
    ]
    assert {(actor, user) for _, actor, user, _ in in_short()} == {("alice", "alice")}


def test_the_request_and_the_address_are_told(app: Flask, admin: Caller, anonymous: Caller) -> None:
    bob = factories.user_id(app, "bob")
    admin.patch(f"{USERS}{bob}/", {"role": "admin"}, headers={"X-Request-ID": "promote-bob"})
    anonymous.post(LOGIN, {"username": "bob", "password": factories.password_of("bob")})
    Visitor(app).log_in("admin", factories.password_of("admin"))
    with app.app_context():
        promoted, *log_ins = told()
    assert (promoted.request_id, promoted.address) == ("promote-bob", "127.0.0.1")
    assert [(one.event, one.user, one.address) for one in log_ins] == [
        ("user.logged_in", "bob", "127.0.0.1"),
        ("user.logged_in", "admin", "127.0.0.1"),
    ]


def test_what_is_undone_is_not_told(session: Session, as_admin: Actor, as_alice: Actor) -> None:
    def fail() -> None:
        with unit_of_work() as uow:
            assert as_alice.user_id
            sessions.end_all_sessions(uow, actor=as_admin, user_id=as_alice.user_id)
            raise RuntimeError

    log_in()
    with pytest.raises(RuntimeError):
        fail()
    assert [event for event, *_ in in_short()] == ["user.logged_in"]
    assert open_log_ins(session, as_alice) == 1


def test_the_last_log_in_is_the_one_with_a_password(app: Flask, anonymous: Caller) -> None:
    """A log-in by the API or the panel; Basic credentials and refreshed tokens are none."""

    def last(name: str) -> Any:
        with app.app_context():
            found = db.session().execute(
                select(User.last_login_at, User.updated_at).where(User.username == name)
            )
            return found.one()

    untouched = last("alice").updated_at
    assert last("alice").last_login_at is None
    Caller.by_password(app, "alice", factories.password_of("alice")).get(ORDERS)
    assert last("alice").last_login_at is None
    tokens = anonymous.post(
        LOGIN, {"username": "alice", "password": factories.password_of("alice")}
    ).get_json()
    first = last("alice").last_login_at
    assert first is not None
    anonymous.post("/api/v1/refresh/", {"refresh": tokens["refresh"]})
    anonymous.post(LOGIN, {"username": "alice", "password": "wrong password"})
    assert last("alice") == (first, untouched)
    Visitor(app).log_in("admin", factories.password_of("admin"))
    assert last("admin").last_login_at >= first


def test_all_log_ins_of_somebody_are_ended(
    session: Session, as_admin: Actor, as_alice: Actor, as_bob: Actor, log_dir: Path
) -> None:
    assert as_alice.user_id
    for name in ("alice", "alice", "bob"):
        log_in(name)
    log_out(log_in())
    before = versions(session)
    for ended in (2, 0):
        with unit_of_work() as uow:
            assert sessions.end_all_sessions(uow, actor=as_admin, user_id=as_alice.user_id) == ended
    assert (open_log_ins(session, as_alice), open_log_ins(session, as_bob)) == (0, 1)
    assert in_short(actor_id=as_admin.user_id) == [
        ("user.sessions_ended", "admin", "alice", {"sessions": [2, 0]})
    ]
    *_, line = lines_of(log_dir / "general.log")
    assert (line["event"], line["subject"]) == ("user.sessions_ended", "alice")
    assert versions(session) == before
    with unit_of_work() as uow, pytest.raises(NotFound):
        sessions.end_all_sessions(uow, actor=as_admin, user_id=uuid4())


def test_they_are_read_by_pages_and_by_who_did_what_to_whom(
    session: Session, as_admin: Actor, as_alice: Actor, as_bob: Actor
) -> None:
    for number in range(3):
        change(as_admin, as_alice, username=f"alice{number}")
        change(as_alice, as_bob, username=f"bob{number}")
    log_in("admin")
    with read_connection() as connection:
        with statements() as asked:
            page = latest_account_events(connection, offset=1, limit=3)
        assert [one.user for one in page] == ["bob2", "alice2", "bob1"]
        assert len(asked) == 1
        by_admin = latest_account_events(connection, offset=0, limit=9, actor_id=as_admin.user_id)
        assert [one.user for one in by_admin] == ["admin", "alice2", "alice1", "alice0"]
        of_bob = latest_account_events(connection, offset=2, limit=9, user_id=as_bob.user_id)
        assert [one.user for one in of_bob] == ["bob0"]
        both = {"actor_id": as_alice.user_id, "user_id": as_alice.user_id}
        assert latest_account_events(connection, offset=0, limit=9, **both) == []
        assert count_account_events(connection, most=7) == 7
        assert count_account_events(connection, most=6) is None
        assert count_account_events(connection, most=6, actor_id=as_admin.user_id) == 4
        assert count_account_events(connection, most=3, user_id=as_bob.user_id) == 3


@pytest.mark.parametrize(
    ("given", "index"),
    [
        ((), "ix_account_events_at_id"),
        (("actor_id",), "ix_account_events_actor_id_at_id"),
        (("user_id",), "ix_account_events_user_id_at_id"),
    ],
)
def test_they_are_found_by_an_index(session: Session, given: tuple[str, ...], index: str) -> None:
    connection = session.connection()
    wanted = {name: uuid4() for name in given}
    with explained(connection) as plans:
        latest_account_events(connection, offset=0, limit=5, **wanted)
        count_account_events(connection, most=5, **wanted)
    page, count = plans
    assert index in page, page
    assert "ix_account_events_" in count, count
    assert "Seq Scan on account_events" not in page, page


def test_nothing_is_changed_removed_or_replaced(session: Session, as_admin: Actor) -> None:
    create(as_admin)
    sqlite = db.engine.dialect.name == "sqlite"
    columns = AccountEvent.__table__.columns
    stored = session.execute(select(*columns)).mappings().one()
    forged = insert(AccountEvent).values({**stored, "actor_name": "mallory"})
    tries: list[Any] = [
        update(AccountEvent).values(actor_name="mallory"),
        delete(AccountEvent),
        delete(User).where(User.username == "carol"),
        text("DELETE FROM account_events" if sqlite else "TRUNCATE account_events"),
    ]
    for statement in tries:
        with pytest.raises(IntegrityError, match=REFUSED):
            session.execute(statement)
        session.rollback()
    with pytest.raises(IntegrityError):
        session.execute(forged.prefix_with("OR REPLACE") if sqlite else forged)
    session.rollback()
    assert in_short()[0][1] == "admin"


def test_a_log_in_makes_no_cached_answer_stale(session: Session) -> None:
    before = session.scalars(select(ViewVersion.version)).all()
    log_in()
    assert session.scalars(select(ViewVersion.version)).all() == before
