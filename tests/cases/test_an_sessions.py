"""What ends a log-in, and how soon; and two people who want one name."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from orders_app.auth.domain import username_key
from orders_app.auth.models import User
from orders_app.extensions import db
from tests import factories
from tests.admin.visitor import Visitor, hidden
from tests.callers import ORDERS, USERS, Caller

LOGIN, REFRESH, LOGOUT = "/api/v1/login/", "/api/v1/refresh/", "/api/v1/logout/"


def log_in(anonymous: Caller, name: str = "alice") -> dict[str, str]:
    answer = anonymous.post(LOGIN, {"username": name, "password": factories.password_of(name)})
    assert answer.status_code == 200
    tokens: dict[str, str] = answer.get_json()
    return tokens


def works(app: Flask, tokens: dict[str, str]) -> bool:
    status = Caller(app, f"Bearer {tokens['access']}").get(ORDERS).status_code
    assert status in {200, 401}
    return status == 200


def account(app: Flask, name: str) -> str:
    return f"{USERS}{factories.user_id(app, name)}/"


def by_api(app: Flask, change: dict[str, Any]) -> None:
    assert Caller.by_token(app, "admin").patch(account(app, "alice"), change).status_code == 200


def by_panel(app: Flask, change: dict[str, Any]) -> None:
    panel = Visitor.logged_in(app)
    user_id = str(factories.user_id(app, "alice"))
    page, fields = "password", {"password": change.get("password", ""), "again": change.get("password", "")}
    if "is_active" in change:
        page, fields = "disable", {"id": user_id}
    fields["seen"] = hidden(panel.get(f"/admin/users/edit/?id={user_id}").text, "seen")
    answer = panel.post(f"/admin/users/{page}/?id={user_id}", **fields)
    assert answer.status_code == 302, answer.text


def by_command(app: Flask, change: dict[str, Any]) -> None:
    runner = app.test_cli_runner()
    if "is_active" in change:
        done = runner.invoke(args=["users", "disable", "alice"])
    else:
        done = runner.invoke(args=["users", "passwd", "alice", "--password", change["password"]])
    assert done.exit_code == 0, done.output


DOORS = [by_api, by_panel, by_command]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("change", [{"password": "another password"}, {"is_active": False}], ids=str)
def test_an25_a_new_password_ends_all_tokens(
    app: Flask, anonymous: Caller, door: Callable[[Flask, dict[str, Any]], None], change: dict[str, Any]
) -> None:
    """So does the end of the account, through every door."""
    tokens, other = log_in(anonymous), log_in(anonymous)
    by_password = Caller.by_password(app, "alice")
    assert by_password.get(ORDERS).status_code == 200, "and is remembered as right"
    door(app, change)
    assert not works(app, tokens)
    assert not works(app, other)
    assert anonymous.post(REFRESH, {"refresh": tokens["refresh"]}).status_code == 401
    assert by_password.get(ORDERS).status_code == 401
    if "password" in change:
        assert Caller.by_password(app, "alice", change["password"]).get(ORDERS).status_code == 200


def test_an25_dead_tokens_stay_dead(app: Flask, anonymous: Caller, admin: Caller) -> None:
    """Also when the account is enabled again, or gets its old password back."""
    tokens = log_in(anonymous)
    for change in ({"is_active": False}, {"is_active": True}):
        admin.patch(account(app, "alice"), change)
    assert not works(app, tokens)
    tokens = log_in(anonymous)
    for password in ("another password", "alice-password-1"):
        admin.patch(account(app, "alice"), {"password": password})
    assert not works(app, tokens)


def test_an26_a_demoted_admin_is_a_user_from_the_next_request_on(app: Flask, admin: Caller) -> None:
    """403, as somebody who is known and may not; over several workers it is tested on a server."""
    admin.post(USERS, {"username": "root", "password": "root-password-1", "role": "admin"})
    callers = Caller.by_password(app, "root"), Caller.by_token(app, "root")
    panel = Visitor.logged_in(app, "root")
    assert [caller.get(USERS).status_code for caller in callers] == [200, 200]
    assert panel.get("/admin/orders/").status_code == 200
    admin.patch(account(app, "root"), {"role": "user"})
    assert [caller.get(USERS).status_code for caller in callers] == [403, 403]
    assert panel.get("/admin/orders/").status_code == 302
    assert [caller.get(ORDERS).status_code for caller in callers] == [200, 200]


def test_an28_a_log_out_ends_the_family(
    app: Flask, anonymous: Caller, make_app: Callable[..., Flask]
) -> None:
    """In the database: another process knows of it too, as does this one after a restart."""
    tokens, other = log_in(anonymous), log_in(anonymous)
    assert works(make_app(), tokens)
    answer = anonymous.post(LOGOUT, {"refresh": tokens["refresh"]})
    assert (answer.status_code, answer.data) == (204, b"")
    for application in (app, make_app()):
        assert not works(application, tokens)
        assert works(application, other)
    for path in (LOGOUT, REFRESH):
        assert anonymous.post(path, {"refresh": tokens["refresh"]}).status_code == 401


def test_an29_a_used_refresh_token_ends_the_family(app: Flask, anonymous: Caller) -> None:
    first, other = log_in(anonymous), log_in(anonymous)
    second = anonymous.post(REFRESH, {"refresh": first["refresh"]}).get_json()
    assert works(app, second)
    again = anonymous.post(REFRESH, {"refresh": first["refresh"]})
    assert (again.status_code, again.get_json()["code"]) == (401, "invalid_token")
    assert anonymous.post(REFRESH, {"refresh": second["refresh"]}).status_code == 401
    assert not works(app, first)
    assert not works(app, second)
    assert works(app, other)


def test_an29_of_two_who_use_one_at_once_one_gets_through(app: Flask) -> None:
    tokens = factories.logged_in(app, "alice")
    start = threading.Barrier(2)

    def exchange(_: int) -> int:
        start.wait(10)
        return Caller(app).post(REFRESH, {"refresh": tokens["refresh"]}).status_code

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(exchange, range(2))) == [200, 401]
    assert not works(app, tokens), "one of the two was a thief, so the family is over"


@pytest.mark.parametrize("door", ["/api/v1/register/", USERS])
def test_an34_of_two_who_want_one_name_one_gets_it(
    app: Flask, make_app: Callable[..., Flask], door: str
) -> None:
    open_app = make_app(registration_open=True)
    callers = [
        Caller(open_app) if "register" in door else Caller.by_token(open_app, "admin") for _ in range(2)
    ]
    for number in range(3):
        # The same name by the rules, though not by its bytes.
        names = [f"newcomer-{number}", f"NEWCOMER-{number}"]
        start = threading.Barrier(2)

        def register(caller: Caller, name: str, start: threading.Barrier = start) -> tuple[int, str | None]:
            start.wait(10)
            answer = caller.post(door, {"username": name, "password": "long enough"})
            return answer.status_code, answer.get_json().get("code")

        with ThreadPoolExecutor(2) as threads:
            answers = list(threads.map(register, callers, names))
        assert sorted(answers, key=str) == [(201, None), (409, "name_taken")]
        with app.app_context():
            key = username_key(names[0])
            found = select(func.count()).select_from(User).where(User.username_key == key)
            assert db.session().scalar(found) == 1
