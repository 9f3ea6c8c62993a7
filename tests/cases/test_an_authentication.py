"""Who is asking: every protected route, every kind of credential."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from orders_app.auth.passwords import hash_password
from tests import factories
from tests.callers import ORDERS, USERS, Caller, basic
from tests.cases.operations import each, measured, protected, send, without

LOGIN = "/api/v1/login/"
MEGABYTE = 1024 * 1024


def encoded(text: bytes) -> str:
    return base64.b64encode(text).decode()


GOOD = encoded(b"alice:alice-password-1")


def as_alice(app: Flask, header: str) -> int:
    """The status for somebody with this `Authorization`, both at a list and at an account."""
    statuses = {Caller(app, header).get(path).status_code for path in (ORDERS, f"{USERS}me/")}
    (status,) = statuses
    return status


def give_password(app: Flask, name: str, password: str) -> None:
    factories.change_user(app, name, password_hash=factories.user(password=password).password_hash)


def test_an01_nobody_gets_in_without_credentials(app: Flask, anonymous: Caller) -> None:
    """On any protected route of the API: 401, both challenges (each call checks them), one body."""
    bodies = set()
    for operation in protected(app):
        for body in (None, {}, {"anything": 1}):
            answer = send(anonymous, operation, operation.path(), body)
            assert answer.status_code == 401, operation
            assert answer.headers.getlist("WWW-Authenticate") == [
                'Bearer realm="orders"',
                'Basic realm="orders", charset="UTF-8"',
            ]
            assert answer.mimetype == "application/problem+json"
            if operation.method != "HEAD":
                problem = answer.get_json()
                assert problem.pop("instance") == operation.path()
                bodies.add(json.dumps(problem, sort_keys=True))
    assert len(bodies) == 1
    assert json.loads(bodies.pop())["code"] == "not_authenticated"


@each(
    "header",
    [
        *(
            "",
            " ",
            "Basic",
            "Basic ",
            "Basic !!!!",
            "Basic =",
            "Basic ====",
            "Basic \u00e4",
            "Basic\t" + GOOD,
        ),
        *(
            "Basic " + encoded(text)
            for text in (b"no colon", b":", b"::", b"", b"alice:", b":alice-password-1")
        ),
        *("Basic " + encoded(text) for text in (b"alice:wrong password", b"nobody:alice-password-1")),
        *(GOOD, f"Basic{GOOD}", f"Foo {GOOD}", f"Digest {GOOD}", f"Bearer {GOOD}", f"Basic Basic {GOOD}"),
        *("Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Bearer ..", "Bearer \u00e4", "Token x", "\x80"),
    ],
)
def test_an02_what_is_no_credential(app: Flask, header: str) -> None:
    assert as_alice(app, header) == 401


def test_an02_no_name_and_no_password_are_nobody(app: Flask) -> None:
    """Not even where an empty password is right; an account without a name the database would not take."""
    factories.change_user(app, "alice", password_hash=hash_password(""))
    for header in (None, "Basic " + encoded(b":"), "Basic " + encoded(b"alice"), "Basic", "Basic "):
        assert Caller(app, header).get(ORDERS).status_code == 401


def test_an02_refusals_are_the_same_on_every_route(app: Flask) -> None:
    for header in ("Basic !!!!", "Basic " + encoded(b"no colon"), "Bearer a.b.c", f"Foo {GOOD}"):
        for operation in protected(app):
            answer = send(Caller(app, header), operation, operation.path(), operation.good_body())
            assert answer.status_code == 401, (header, str(operation))


@pytest.mark.parametrize(
    "password",
    [
        *(
            "with:co:lon",
            ":::::::::",
            "пароль-пароль",
            " spaces around ",
            "日本語のパスワード",
            "p\u00e4ssword",
        ),
        *("x" * 64, "x" * 72 + "tail of it", "y" * 127 + "z", "\u00e4" * 128),
    ],
    ids=lambda password: f"{len(password)}-{password[:12]!a}",
)
def test_an04_passwords_are_compared_whole(app: Flask, anonymous: Caller, password: str) -> None:
    """bcrypt would stop at 72 bytes."""
    give_password(app, "alice", password)
    assert as_alice(app, basic("alice", password)) == 200
    assert anonymous.post(LOGIN, {"username": "alice", "password": password}).status_code == 200
    for other in (password[:-1], password[:72], password + "x", password[:-1] + "\u00df"):
        if other != password:
            assert as_alice(app, basic("alice", other)) == 401
            assert anonymous.post(LOGIN, {"username": "alice", "password": other}).status_code == 401


@each("password", ["p\u00e4ssw\u00f6rd", "caf\u00e9 caf\u00e9"])
def test_an05_a_password_in_another_encoding_is_another(app: Flask, password: str) -> None:
    give_password(app, "alice", password)
    assert as_alice(app, "Basic " + encoded(f"alice:{password}".encode("latin-1"))) == 401
    assert as_alice(app, "Basic " + encoded(f"alice:{password}".encode("utf-16"))) == 401
    assert as_alice(app, "Basic " + encoded(f"alice:{password}".encode())) == 200


@each(
    "text",
    [
        *(f"{GOOD[:6]}{junk}{GOOD[6:]}" for junk in ("*", " ", "\t", "!", "-", "_", "=", "\u00e4", "\x00")),
        *(GOOD.rstrip("="), GOOD + "=", GOOD + GOOD, GOOD + "*", "*" + GOOD, GOOD[:-1]),
    ],
)
def test_an07_junk_in_base64_is_not_overlooked(app: Flask, text: str) -> None:
    assert as_alice(app, f"Basic {text}") == 401


@each("scheme", ["basic", "BASIC", "bAsIc", "Basic", "bearer", "BEARER", "BeArEr"])
def test_an08_schemes_are_written_as_one_likes(app: Flask, scheme: str) -> None:
    good = GOOD if scheme.lower() == "basic" else factories.logged_in(app, "alice")["access"]
    assert as_alice(app, f"{scheme} {good}") == 200


@pytest.mark.parametrize("character", ["\0", "\x01", "\n", "\r", "\x1b", "\x7f", "\x85"], ids=ascii)
def test_an10_control_characters_are_nobodys(app: Flask, anonymous: Caller, character: str) -> None:
    for name, password in (
        (f"alice{character}", "alice-password-1"),
        (f"{character}alice", "alice-password-1"),
        ("alice", f"alice-password-1{character}"),
    ):
        assert Caller(app, basic(name, password)).get(ORDERS).status_code == 401
        assert anonymous.post(LOGIN, {"username": name, "password": password}).status_code == 401


@pytest.mark.parametrize("name", ["alice", "nobody"])
@pytest.mark.parametrize("size", [MEGABYTE - 1024, MEGABYTE, 10 * MEGABYTE])
def test_an11_huge_credentials_cost_nothing(app: Flask, name: str, size: int) -> None:
    """The application itself; servers refuse headers of 64 kB before it (`test_an11_…` of the processes)."""
    headers = [
        "Basic " + encoded(f"{name}:".encode() + b"x" * size),
        "Basic " + encoded(b"x" * size + b":x"),
        "Basic " + "!" * size,
        "Bearer " + "x" * size,
        "Bearer " + ".".join(["x" * (size // 3)] * 3),
        "x" * size,
    ]
    for header in headers:
        answer = measured(app, "GET", ORDERS, authorization=header)
        assert answer.status == 401
        assert answer.seconds < 0.05, header[:20]
    raw = json.dumps({"username": name, "password": "x" * size}).encode()
    answer = measured(app, "POST", LOGIN, raw=raw)
    # A body over 4 MiB and a string over 1 MiB are refused as what they are.
    assert answer.status == (401 if size < MEGABYTE else 413 if size > MEGABYTE else answer.status)
    assert answer.status in {401, 413}
    assert answer.seconds < 0.05


@pytest.mark.parametrize("how", ["password", "log-in", "token", "refresh"])
def test_an13_a_disabled_account_is_refused_like_any_other(app: Flask, anonymous: Caller, how: str) -> None:
    tokens = factories.logged_in(app, "alice")

    def ask(good: bool) -> TestResponse:
        same = {"X-Request-ID": "same"}
        password = "alice-password-1" if good else "wrong password"
        if how == "password":
            return Caller(app, basic("alice", password)).get(ORDERS, headers=same)
        if how == "log-in":
            return anonymous.post(LOGIN, {"username": "alice", "password": password}, headers=same)
        if how == "token":
            token = tokens["access"] if good else "a.b.c"
            return Caller(app, f"Bearer {token}").get(ORDERS, headers=same)
        return anonymous.post(
            "/api/v1/refresh/", {"refresh": tokens["refresh"] if good else "a.b.c"}, headers=same
        )

    if how != "refresh":  # which would use it up
        assert ask(good=True).status_code == 200
    factories.change_user(app, "alice", is_active=False)
    refused = ask(good=True)
    assert refused.status_code == 401
    assert without(refused) == without(ask(good=False))


def expected_of(name: str, operation: Any) -> set[int]:
    """What this person may expect there of a good request."""
    admins_only = operation.rule.startswith(USERS) and "me/" not in operation.rule
    if name != "admin" and (admins_only or "restore" in operation.rule):
        return {403}
    return {200, 201, 204}


def shape(answer: TestResponse) -> list[str]:
    """The keys of an answer, or of what it lists."""
    content = json.loads(answer.data or b"null")
    return sorted(content[0] if isinstance(content, list) else content or [])


@pytest.mark.parametrize("name", ["alice", "admin"])
def test_an35_basic_and_bearer_reach_the_same(app: Flask, name: str) -> None:
    """Every operation of the API, by both schemes, by a user and by an admin."""
    owner = Caller.by_token(app, name)
    owner.order()  # for the lists
    callers = {"Basic": Caller.by_password(app, name), "Bearer": Caller.by_token(app, name)}
    assert {caller.authorization.split()[0] for caller in callers.values() if caller.authorization} == {
        "Basic",
        "Bearer",
    }
    bob = str(factories.user_id(app, "bob"))
    for operation in protected(app):
        answers = {}
        for scheme, caller in callers.items():
            order_id = owner.order()["order_id"] if "order_id" in operation.arguments else ""
            if "restore" in operation.rule:
                owner.delete(f"{ORDERS}{order_id}/")
            path = operation.path(order_id=order_id, user_id=bob)
            answer = send(caller, operation, path, operation.good_body(name=f"zoe by {scheme}"))
            answers[scheme] = answer
            assert answer.status_code in expected_of(name, operation), (scheme, str(operation), answer.text)
            if operation.arguments:
                missing = send(caller, operation, operation.path(), operation.good_body())
                answers[f"{scheme}, no such thing"] = missing
        for described, basically in answers.items():
            by_token = answers[described.replace("Basic", "Bearer")]
            assert basically.status_code == by_token.status_code, str(operation)
            assert set(basically.headers.keys()) == set(by_token.headers.keys()), str(operation)
            assert shape(basically) == shape(by_token), str(operation)
