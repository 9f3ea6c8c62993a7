"""Keys, fingerprints, and answers that are kept in the transaction of what they tell of."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from orders_app.auth.models import User
from orders_app.extensions import db, unit_of_work
from orders_app.idempotency import services
from orders_app.idempotency.domain import (
    LIFETIME,
    LONGEST_KEY,
    Attempt,
    StoredAnswer,
    checked_key,
    fingerprint_of,
    scope_of,
)
from orders_app.idempotency.models import IdempotencyKey
from orders_app.orders.models import Order
from orders_app.orders.services import create_order
from orders_app.shared.clock import utcnow
from orders_app.shared.errors import Forbidden
from orders_app.shared.identity import Actor, Role
from orders_app.shared.strict_json import loads
from tests import factories
from tests.conftest import Backend

ANSWER = StoredAnswer(201, {"Content-Type": "application/json", "Location": "/somewhere/"}, b'{"a":1}')
USER = UUID(int=7)


def attempt(key: str = "k", body: Any = None, user_id: UUID = USER) -> Attempt:
    scope = scope_of(user_id=user_id, method="POST", path="/api/v1/orders/", key=key)
    return Attempt(scope, fingerprint_of(SECRET, body))


def kept(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(IdempotencyKey)) or 0


def keep(actor: Actor, wanted: Attempt, answer: StoredAnswer = ANSWER) -> None:
    with unit_of_work() as uow:
        assert services.claim(uow, actor=actor, attempt=wanted) is None
        services.keep(uow, actor=actor, attempt=wanted, answer=answer)


def expire(session: Session, ago: timedelta = timedelta()) -> None:
    session.execute(update(IdempotencyKey).values(expires_at=utcnow() - ago))


class TestKeys:
    @pytest.mark.parametrize("key", ["k", " a b ", "~!\"'{},;", "x" * LONGEST_KEY])
    def test_good_ones(self, key: str) -> None:
        assert checked_key(key) == key

    @pytest.mark.parametrize(
        ("key", "message"),
        [
            ("", "Must not be empty."),
            ("x" * (LONGEST_KEY + 1), "Longer than 255 characters."),
            ("schl\u00fcssel", "Only printable ASCII characters are allowed."),
            ("a\tb", "Only printable ASCII characters are allowed."),
            ("a\x7f", "Only printable ASCII characters are allowed."),
        ],
    )
    def test_bad_ones(self, key: str, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            checked_key(key)


class TestScopes:
    def test_each_part_counts(self) -> None:
        asked: dict[str, Any] = {"user_id": USER, "method": "POST", "path": "/a/", "key": "k"}
        others: list[dict[str, Any]] = [
            {"user_id": uuid4()},
            {"method": "PUT"},
            {"path": "/b/"},
            {"key": "K"},
            {"key": "k "},
        ]
        assert len({scope_of(**asked), *(scope_of(**{**asked, **other}) for other in others)}) == 6

    def test_the_trailing_slash_does_not(self) -> None:
        one = scope_of(user_id=USER, method="POST", path="/a/", key="k")
        assert one == scope_of(user_id=USER, method="POST", path="/a", key="k")


SECRET = "a secret of the service"


class TestFingerprints:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (b'{"a": 1, "b": [2]}', b'{"b":[2],"a":1}'),
            (b'{"a": 1.50}', b'{"a": 1.5}'),
            (b'{"a": 100.0}', b'{"a": 1e2}'),
            (b'{"a": "\\u00e9"}', '{"a": "\u00e9"}'.encode()),
        ],
    )
    def test_spelling_does_not_count(self, one: bytes, other: bytes) -> None:
        assert fingerprint_of(SECRET, loads(one)) == fingerprint_of(SECRET, loads(other))

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (b'{"a": [1, 2]}', b'{"a": [2, 1]}'),
            (b'{"a": 1}', b'{"a": true}'),
            (b'{"a": null}', b"{}"),
            (b"{}", b"[]"),
            (b'{"a": 0.1000000000000000000000000000000000001}', b'{"a": 0.1}'),
            (b'{"a": "x"}', b'{"a": "x "}'),
        ],
    )
    def test_meaning_does(self, one: bytes, other: bytes) -> None:
        assert fingerprint_of(SECRET, loads(one)) != fingerprint_of(SECRET, loads(other))

    def test_no_body_is_not_null(self) -> None:
        assert fingerprint_of(SECRET) != fingerprint_of(SECRET, None)

    def test_numbers_beyond_all_measure_cost_nothing(self) -> None:
        assert fingerprint_of(SECRET, Decimal("1e999999999")) != fingerprint_of(SECRET, Decimal("Infinity"))

    def test_nobody_guesses_a_password_from_one(self) -> None:
        body = {"password": "hunter22"}
        assert fingerprint_of("one secret", body) != fingerprint_of("another", body)


class TestClaims:
    def test_the_first_answer_comes_back(self, as_alice: Actor) -> None:
        keep(as_alice, attempt())
        with unit_of_work() as uow:
            assert services.claim(uow, actor=as_alice, attempt=attempt()) == ANSWER

    def test_another_body_is_refused(self, as_alice: Actor) -> None:
        keep(as_alice, attempt(body=1))
        with pytest.raises(services.KeyReused), unit_of_work() as uow:
            services.claim(uow, actor=as_alice, attempt=attempt(body=2))

    def test_what_was_made_for_an_admin_is_not_shown_to_a_user(self, as_admin: Actor) -> None:
        keep(as_admin, attempt())
        with pytest.raises(Forbidden), unit_of_work() as uow:
            services.claim(uow, actor=replace(as_admin, role=Role.USER), attempt=attempt())

    def test_who_rose_meanwhile_gets_it(self, as_alice: Actor) -> None:
        keep(as_alice, attempt())
        with unit_of_work() as uow:
            actor = replace(as_alice, role=Role.ADMIN)
            assert services.claim(uow, actor=actor, attempt=attempt()) == ANSWER

    def test_a_rollback_leaves_nothing(self, as_alice: Actor, session: Session) -> None:
        """As does a process that dies: the database rolls back when its connection is gone."""

        def fail() -> None:
            with unit_of_work() as uow:
                assert services.claim(uow, actor=as_alice, attempt=attempt()) is None
                create_order(uow, actor=as_alice, new=factories.new_order())
                services.keep(uow, actor=as_alice, attempt=attempt(), answer=ANSWER)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert kept(session) == 0
        assert session.scalars(select(Order.id)).all() == []
        keep(as_alice, attempt())

    def test_a_connection_that_breaks_gives_the_claim_back(self, as_alice: Actor, session: Session) -> None:
        uow = unit_of_work()
        uow.__enter__()
        services.claim(uow, actor=as_alice, attempt=attempt())
        services.keep(uow, actor=as_alice, attempt=attempt(), answer=ANSWER)
        uow.session.connection().invalidate()
        uow.session.rollback()
        assert kept(session) == 0
        keep(as_alice, attempt())

    def test_one_that_has_expired_is_replaced(self, as_alice: Actor, session: Session) -> None:
        keep(as_alice, attempt(body=1))
        expire(session)
        keep(as_alice, attempt(body=2), replace(ANSWER, body=b"second"))
        row = session.scalars(select(IdempotencyKey)).one()
        assert row.body == b"second"
        assert row.expires_at - row.created_at == LIFETIME
        assert row.expires_at > utcnow()

    def test_an_answer_that_stands_is_never_overwritten(self, as_alice: Actor, session: Session) -> None:
        """The primary key is the second guard, should the claim ever fail."""
        keep(as_alice, attempt())
        with pytest.raises(services.InProgress), unit_of_work() as uow:
            services.keep(uow, actor=as_alice, attempt=attempt(), answer=replace(ANSWER, body=b"second"))
        assert session.scalars(select(IdempotencyKey.body)).one() == ANSWER.body

    def test_only_successes_can_be_kept(self, as_alice: Actor, session: Session) -> None:
        with pytest.raises(IntegrityError):
            keep(as_alice, attempt(), replace(ANSWER, status=409))
        assert kept(session) == 0

    def test_they_go_with_the_account(self, as_alice: Actor, session: Session) -> None:
        keep(as_alice, attempt())
        with unit_of_work() as uow:
            uow.session.execute(delete(User).where(User.id == as_alice.user_id))
        assert kept(session) == 0


class TestTwoAtOnce:
    def test_the_second_waits_or_is_told_to(self, app: Flask, as_alice: Actor, backend: Backend) -> None:
        claimed, release = threading.Event(), threading.Event()

        def first() -> None:
            with app.app_context(), unit_of_work() as uow:
                services.claim(uow, actor=as_alice, attempt=attempt())
                claimed.set()
                assert release.wait(10)
                services.keep(uow, actor=as_alice, attempt=attempt(), answer=ANSWER)

        def second() -> StoredAnswer | None:
            with app.app_context(), unit_of_work() as uow:
                return services.claim(uow, actor=as_alice, attempt=attempt())

        with ThreadPoolExecutor(2) as threads:
            running = threads.submit(first)
            assert claimed.wait(10)
            waiting = threads.submit(second)
            if backend.name.startswith("sqlite"):
                release.set()
                assert waiting.result(10) == ANSWER
            else:
                with pytest.raises(services.InProgress):
                    waiting.result(10)
                release.set()
            running.result(10)
        assert second() == ANSWER

    @pytest.mark.postgres
    @pytest.mark.parametrize("backend", ["postgresql+redis"], indirect=True)
    def test_other_keys_do_not_wait(self, app: Flask, as_alice: Actor) -> None:
        with unit_of_work() as uow, ThreadPoolExecutor(1) as threads:
            services.claim(uow, actor=as_alice, attempt=attempt("one"))

            def other() -> StoredAnswer | None:
                with app.app_context(), unit_of_work() as other_uow:
                    return services.claim(other_uow, actor=as_alice, attempt=attempt("another"))

            assert threads.submit(other).result(10) is None


class TestPurge:
    def test_only_what_has_expired_goes(
        self, as_alice: Actor, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("orders_app.idempotency.services.secrets.randbelow", lambda _: 1)
        keep(as_alice, attempt("old"))
        expire(session, timedelta(seconds=1))
        keep(as_alice, attempt("new"))
        with unit_of_work() as uow:
            assert services.purge(uow) == 1
        assert kept(session) == 1

    def test_now_and_then_keeping_one_tidies_up(
        self, as_alice: Actor, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for key in "abc":
            keep(as_alice, attempt(key))
        expire(session)
        monkeypatch.setattr("orders_app.idempotency.services.secrets.randbelow", lambda _: 0)
        keep(as_alice, attempt("d"))
        assert kept(session) == 1

    def test_the_command(
        self, app: Flask, as_alice: Actor, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(services, "PURGED_AT_ONCE", 2)
        for key in "abcde":
            keep(as_alice, attempt(key))
        db.session.remove()
        assert _purge(app) == "Deleted 0 expired answers.\n"
        expire(session)
        assert _purge(app) == "Deleted 5 expired answers.\n"
        assert kept(session) == 0


def _purge(app: Flask) -> str:
    result = app.test_cli_runner().invoke(args=["idempotency", "purge"])
    assert result.exit_code == 0, result.output
    return result.output
