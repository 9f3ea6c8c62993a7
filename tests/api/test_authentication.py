"""Who is asking: every protected route, every kind of credential."""

from __future__ import annotations

import base64
import json
import time

import pytest
from flask import Flask

from tests import factories
from tests.callers import ORDERS, USERS, Caller, basic

SOME_ID = "019ab0f2-6f6e-7cc3-9b9e-4f2f3c1d8a55"
PROTECTED = [
    ("GET", ORDERS),
    ("POST", ORDERS),
    ("GET", f"{ORDERS}{SOME_ID}/"),
    ("PUT", f"{ORDERS}{SOME_ID}/"),
    ("PATCH", f"{ORDERS}{SOME_ID}/"),
    ("DELETE", f"{ORDERS}{SOME_ID}/"),
    ("POST", f"{ORDERS}{SOME_ID}/restore/"),
    ("GET", f"{ORDERS}{SOME_ID}/events/"),
    ("GET", f"{USERS}me/"),
    ("GET", USERS),
    ("POST", USERS),
    ("GET", f"{USERS}{SOME_ID}/"),
    ("PATCH", f"{USERS}{SOME_ID}/"),
]
ADMINS_ONLY = [
    ("POST", f"{ORDERS}{SOME_ID}/restore/"),
    ("GET", USERS),
    ("POST", USERS),
    ("GET", f"{USERS}{SOME_ID}/"),
    ("PATCH", f"{USERS}{SOME_ID}/"),
]


def encoded(text: bytes) -> str:
    return base64.b64encode(text).decode()


GOOD = encoded(b"alice:alice-password-1")
BAD_HEADERS = [
    "",
    " ",
    "Basic",
    "Basic ",
    "Basic !!!!",
    "Basic " + encoded(b"no colon"),
    "Basic " + encoded(b":"),
    "Basic " + encoded(b":alice-password-1"),
    "Basic " + encoded(b"alice:"),
    "Basic " + encoded(b"alice:wrong password"),
    "Basic " + encoded(b"nobody:alice-password-1"),
    "Basic " + encoded(b"alice\0:alice-password-1"),
    "Basic " + encoded(b"alice:alice-password-1\0"),
    "Basic " + encoded(b"al\xffice:alice-password-1"),
    "Basic " + encoded(b"alice:" + b"x" * 50_000),
    f"Basic {GOOD[:6]}*{GOOD[6:]}",
    f"Basic {GOOD[:6]} {GOOD[6:]}",
    f"Foo {GOOD}",
    GOOD,
    f"Basic{GOOD}",
    f"Digest {GOOD}",
    "Bearer",
    "Bearer ",
    "Bearer x",
    "Bearer a.b.c",
    "Bearer " + "x" * 50_000,
    f"Bearer {GOOD}",
    "Bearer \u00e4",
    "Token x",
]


@pytest.mark.parametrize(("method", "path"), PROTECTED)
def test_nobody_gets_in_without_credentials(anonymous: Caller, method: str, path: str) -> None:
    answer = anonymous(method, path, {"anything": 1})
    assert answer.status_code == 401
    assert answer.get_json()["code"] == "not_authenticated"


def test_the_refusal_is_the_same_everywhere(anonymous: Caller) -> None:
    bodies = set()
    for method, path in PROTECTED:
        problem = anonymous(method, path, headers={"X-Request-ID": "same"}).get_json()
        del problem["instance"]
        bodies.add(json.dumps(problem, sort_keys=True))
    assert len(bodies) == 1


@pytest.mark.parametrize("header", BAD_HEADERS, ids=lambda header: repr(header[:40]))
def test_bad_credentials_are_refused(anonymous: Caller, header: str) -> None:
    began = time.process_time()
    assert anonymous.get(ORDERS, headers={"Authorization": header}).status_code == 401
    assert time.process_time() - began < 1


@pytest.mark.parametrize(("method", "path"), PROTECTED)
@pytest.mark.parametrize(
    "header", ["Basic " + encoded(b"alice:wrong password"), "Bearer a.b.c", f"Foo {GOOD}"]
)
def test_bad_credentials_are_refused_everywhere(
    anonymous: Caller, method: str, path: str, header: str
) -> None:
    assert anonymous(method, path, {}, headers={"Authorization": header}).status_code == 401


@pytest.mark.parametrize(("method", "path"), PROTECTED)
@pytest.mark.parametrize("name", ["alice", "admin"])
def test_basic_and_bearer_reach_the_same(app: Flask, name: str, method: str, path: str) -> None:
    answers = [
        caller(method, path, headers={"X-Request-ID": "same"})
        for caller in (Caller.by_token(app, name), Caller.by_password(app, name))
    ]
    assert answers[0].status_code == answers[1].status_code != 401
    assert answers[0].data == answers[1].data


@pytest.mark.parametrize(("method", "path"), ADMINS_ONLY)
def test_what_is_for_admins_is_forbidden_to_users(alice: Caller, method: str, path: str) -> None:
    answer = alice(method, path, {"username": "x", "password": "y"})
    assert answer.status_code == 403
    assert answer.get_json()["code"] == "forbidden"


@pytest.mark.parametrize("scheme", ["basic", "BASIC", "bAsIc", "bearer", "BEARER"])
def test_schemes_are_written_as_one_likes(app: Flask, scheme: str) -> None:
    good = GOOD if scheme.lower() == "basic" else factories.logged_in(app, "alice")["access"]
    assert Caller(app, f"{scheme} {good}").get(ORDERS).status_code == 200


@pytest.mark.parametrize(
    "password", ["пароль-1", "with:co:lon", "x" * 64, "y" * 127 + "z", " spaces around "]
)
def test_passwords_are_compared_whole(app: Flask, password: str) -> None:
    hashed = factories.user(password=password).password_hash
    factories.change_user(app, "alice", password_hash=hashed)
    assert Caller.by_password(app, "alice", password).get(ORDERS).status_code == 200
    assert Caller.by_password(app, "alice", password[:-1]).get(ORDERS).status_code == 401


def test_a_password_in_another_encoding_is_another_password(app: Flask) -> None:
    factories.change_user(app, "alice", password_hash=factories.user(password="pässword").password_hash)
    latin = "Basic " + encoded("alice:pässword".encode("latin-1"))
    assert Caller(app, latin).get(ORDERS).status_code == 401


@pytest.mark.parametrize("how", ["token", "password"])
def test_a_disabled_account_is_refused_like_a_wrong_password(app: Flask, how: str) -> None:
    caller = Caller.by_token(app, "alice") if how == "token" else Caller.by_password(app, "alice")
    assert caller.get(ORDERS).status_code == 200
    factories.change_user(app, "alice", is_active=False)
    answer = caller.get(ORDERS, headers={"X-Request-ID": "same"})
    wrong = Caller(app, basic("alice", "wrong password")).get(ORDERS, headers={"X-Request-ID": "same"})
    assert (answer.status_code, answer.data) == (wrong.status_code, wrong.data)


def test_a_new_password_counts_from_the_next_request_on(app: Flask) -> None:
    before = Caller.by_password(app, "alice")
    assert before.get(ORDERS).status_code == 200
    factories.change_user(app, "alice", password_hash=factories.user(password="another one").password_hash)
    assert before.get(ORDERS).status_code == 401
    assert Caller.by_password(app, "alice", "another one").get(ORDERS).status_code == 200
