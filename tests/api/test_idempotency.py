"""`Idempotency-Key`: a request that is sent again does nothing twice."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from orders_app.extensions import db
from orders_app.history.models import OrderEventRow
from orders_app.idempotency.domain import fingerprint_of
from orders_app.idempotency.models import IdempotencyKey
from orders_app.orders.models import Order
from orders_app.shared import round_trips
from tests import factories
from tests.callers import ORDERS, USERS, Caller, path_of

REPLAYED = "Idempotent-Replayed"
PARALLEL = 20
BODY = factories.body(total_price="10.50")


def send(caller: Caller, body: Any = BODY, key: str = "k-1", path: str = ORDERS, **more: Any) -> TestResponse:
    return caller.post(path, body, headers={"Idempotency-Key": key}, **more)


def restore(caller: Caller, order: dict[str, Any], key: str = "k-1") -> TestResponse:
    return caller.post(path_of(order, "restore"), headers={"Idempotency-Key": key})


def is_replay(answer: TestResponse, first: TestResponse) -> bool:
    """Whether it is the first answer once more, to the byte."""
    same = all(answer.headers.get(name) == first.headers.get(name) for name in ("Location", "ETag"))
    return (
        answer.headers.get(REPLAYED) == "true"
        and (answer.status_code, answer.data, answer.content_type)
        == (first.status_code, first.data, first.content_type)
        and same
    )


def count(app: Flask, model: type[Any] = Order) -> int:
    with app.app_context():
        return db.session().scalar(select(func.count()).select_from(model)) or 0


class TestAccounts:
    """`POST /api/v1/users/` takes a key as well; its body holds a password."""

    def test_an_account_is_made_once(self, admin: Caller) -> None:
        body = {"username": "dora", "password": "dora-password-1"}
        first = send(admin, body, path=USERS)
        assert first.status_code == 201
        assert is_replay(send(admin, body, path=USERS), first)
        assert admin.post(USERS, body).status_code == 409

    def test_another_password_is_another_body(self, admin: Caller) -> None:
        send(admin, {"username": "dora", "password": "dora-password-1"}, path=USERS)
        answer = send(admin, {"username": "dora", "password": "dora-password-2"}, path=USERS)
        assert (answer.status_code, answer.get_json()["code"]) == (422, "idempotency_key_reused")

    def test_the_password_is_not_kept(self, app: Flask, admin: Caller) -> None:
        send(admin, {"username": "dora", "password": "dora-password-1"}, path=USERS)
        with app.app_context():
            row = db.session().scalars(select(IdempotencyKey)).one()
        assert b"dora-password-1" not in row.body
        assert row.fingerprint != fingerprint_of("", {"username": "dora", "password": "dora-password-1"})

    def test_who_is_no_admin_any_more_is_told_nothing(self, app: Flask, admin: Caller) -> None:
        body = {"username": "dora", "password": "dora-password-1"}
        send(admin, body, path=USERS)
        factories.change_user(app, "admin", role="user")
        assert send(admin, body, path=USERS).status_code == 403


class TestSentAgain:
    def test_without_a_key_each_is_a_new_one(self, app: Flask, alice: Caller) -> None:
        assert alice.order()["order_id"] != alice.order()["order_id"]
        assert count(app, IdempotencyKey) == 0

    def test_another_spelling_is_the_same_body(self, alice: Caller) -> None:
        first = send(alice)
        raw = b'{ "total_price":"10.50",  "products":[{"quantity":2, "price":"42.00", "name":"affe"}] }'
        again = alice.post(ORDERS, raw=raw, headers={"Idempotency-Key": "k-1"})
        assert is_replay(again, first)

    def test_without_the_trailing_slash_it_is_the_same_request(self, alice: Caller) -> None:
        first = send(alice)
        assert is_replay(send(alice, path=ORDERS.rstrip("/")), first)

    def test_another_credential_of_the_same_user(self, app: Flask, alice: Caller) -> None:
        first = send(alice)
        assert is_replay(send(Caller.by_password(app, "alice")), first)

    @pytest.mark.parametrize(
        "body", [factories.body(total_price="10.51"), factories.body(), {**BODY, "version": 3}]
    )
    def test_another_body_is_refused(self, app: Flask, alice: Caller, body: dict[str, Any]) -> None:
        send(alice)
        answer = send(alice, body)
        problem = answer.get_json()
        assert (answer.status_code, problem["code"]) == (422, "idempotency_key_reused")
        assert problem["errors"] == {"header": {"Idempotency-Key": ["Used before with another body."]}}
        assert count(app) == 1

    def test_a_failure_is_not_kept(self, app: Flask, alice: Caller) -> None:
        assert send(alice, {"products": []}).status_code == 422
        first = send(alice)
        assert (first.status_code, REPLAYED in first.headers) == (201, False)

    def test_a_failure_of_the_rules_is_not_kept(self, app: Flask, admin: Caller) -> None:
        """It comes from inside the unit of work, after the key was claimed."""
        assert send(admin, {**BODY, "user": "nobody"}).status_code == 422
        assert count(app, IdempotencyKey) == 0
        assert send(admin, {**BODY, "user": "bob"}).get_json()["user"] == "bob"

    def test_a_crash_before_the_commit_leaves_nothing(self, app: Flask, alice: Caller) -> None:
        # On PostgreSQL the COMMIT is the last of a pipeline, on SQLite the session's.
        with (
            mock.patch.object(round_trips, "send_commit", side_effect=ZeroDivisionError),
            mock.patch.object(Session, "commit", side_effect=ZeroDivisionError),
        ):
            answer = app.test_client().post(
                ORDERS,
                json=BODY,
                headers={"Authorization": alice.authorization or "", "Idempotency-Key": "k-1"},
            )
        assert answer.status_code == 500
        assert (count(app), count(app, IdempotencyKey)) == (0, 0)
        assert REPLAYED not in send(alice).headers


class TestWhoAndWhere:
    def test_restoring_twice(self, app: Flask, admin: Caller) -> None:
        order = admin.order()
        assert restore(admin, order).get_json()["code"] == "order_not_deleted"
        admin.delete(path_of(order))
        first = restore(admin, order)
        assert is_replay(restore(admin, order), first)
        assert restore(admin, order, "k-2").status_code == 409
        path = path_of(order, "restore")
        other = admin.post(path, {"another": "body"}, headers={"Idempotency-Key": "k-1"})
        assert (other.status_code, other.get_json()["code"]) == (422, "idempotency_key_reused")
        assert count(app, OrderEventRow) == 3

    @pytest.mark.parametrize("key", ["k-1", "", "x" * 256])
    def test_who_does_not_make_or_act_may_send_what_they_like(self, alice: Caller, key: str) -> None:
        order = send(alice, key="other").get_json()
        headers = {"Idempotency-Key": key}
        for _ in range(2):
            for answer in (
                alice.get(ORDERS, headers=headers),
                alice.get(path_of(order), headers=headers),
                alice.put(path_of(order), BODY, headers=headers),
                alice.patch(path_of(order), {"total_price": 1}, headers=headers),
            ):
                assert (answer.status_code, REPLAYED in answer.headers) == (200, False)


class TestKeys:
    @pytest.mark.parametrize("key", ["", " ", "x" * 256, "schl\u00fcssel", "a\tb"])
    def test_bad_ones(self, app: Flask, alice: Caller, key: str) -> None:
        answer = send(alice, key=key)
        problem = answer.get_json()
        assert (answer.status_code, problem["code"]) == (422, "validation_error")
        assert list(problem["errors"]["header"]) == ["Idempotency-Key"]
        assert count(app) == 0

    def test_the_longest(self, alice: Caller) -> None:
        first = send(alice, key="~" * 255)
        assert is_replay(send(alice, key="~" * 255), first)

    def test_the_key_itself_is_not_kept(self, app: Flask, alice: Caller) -> None:
        send(alice, key="some-secret-key")
        with app.app_context():
            row = db.session().execute(select(IdempotencyKey.__table__)).one()
        assert "some-secret-key" not in repr(tuple(row))


def test_the_document_names_the_header(app: Flask) -> None:
    paths = app.extensions["orders_document"].content["paths"]
    for path, status in ((ORDERS, "201"), (ORDERS + "{order_id}/restore/", "200")):
        operation = paths[path]["post"]
        (header,) = [p for p in operation["parameters"] if p["name"] == "Idempotency-Key"]
        assert (header["in"], header.get("required", False)) == ("header", False)
        assert REPLAYED in operation["responses"][status]["headers"]
        assert {"409", "422"} <= set(operation["responses"])
