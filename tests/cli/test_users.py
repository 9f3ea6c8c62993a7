"""`flask users …`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask import Flask

from tests.callers import Caller
from tests.cli.conftest import Run


def can_log_in(app: Flask, name: str, password: str) -> bool:
    answer = app.test_client().post("/api/v1/login/", json={"username": name, "password": password})
    return answer.status_code == 200


def test_create(run: Run, app: Flask, log_dir: Path) -> None:
    result = run("users", "create", "dora", "--password", "dora-password-1")
    assert (result.exit_code, result.stdout) == (0, "Created the user 'dora'.\n")
    assert can_log_in(app, "dora", "dora-password-1")
    line = json.loads((log_dir / "general.log").read_text().splitlines()[0])
    assert (line["event"], line["user"], line["subject"]) == ("user.created", "command line", "dora")
    assert line["request_id"]
    assert "dora-password-1" not in (log_dir / "general.log").read_text()


def test_create_an_admin(run: Run, app: Flask) -> None:
    assert run("users", "create", "root", "--admin", "--password", "root-password-1").exit_code == 0
    assert Caller.by_token(app, "root").get("/api/v1/users/").status_code == 200


def test_create_takes_the_password_from_a_pipe(run: Run, app: Flask) -> None:
    assert run("users", "create", "dora", stdin="dora password 1\r\n").exit_code == 0
    assert can_log_in(app, "dora", "dora password 1")


def test_create_asks_twice_on_a_terminal(run: Run, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders_app.cli.users.on_terminal", lambda: True)
    result = run(
        "users", "create", "dora", stdin="dora-password-1\nother\ndora-password-1\ndora-password-1\n"
    )
    assert result.exit_code == 0
    assert "dora-password-1" not in result.output
    assert can_log_in(app, "dora", "dora-password-1")


def test_create_without_anybody_to_ask(run: Run) -> None:
    result = run("users", "create", "dora", stdin="")
    assert result.exit_code == 1
    assert "give it with --password" in result.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["create", "alice", "--password", "long-enough-1"], "The name 'alice' is taken."),
        (["create", " ALICE ", "--password", "long-enough-1"], "is taken."),
        (["create", "dora", "--password", "short"], "password: A password has 8 to 128 characters."),
        (["create", "a:b", "--password", "long-enough-1"], "username: A colon is not allowed"),
        (["create", "command line", "--password", "long-enough-1"], "username: This name is reserved."),
        (["create"], "Missing argument"),
        (["passwd", "nobody", "--password", "long-enough-1"], "There is no user 'nobody'."),
        (["passwd", "alice", "--password", "short"], "password: A password has 8 to 128 characters."),
        (["disable", "nobody"], "There is no user 'nobody'."),
        (["disable", "admin"], "This is the last admin"),
        (["enable", "nobody"], "There is no user 'nobody'."),
    ],
)
def test_failures_are_told_on_standard_error(run: Run, args: list[str], message: str) -> None:
    result = run("users", *args)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert message in result.stderr


def test_passwd_ends_all_log_ins(run: Run, app: Flask, alice: Caller) -> None:
    assert alice.get("/api/v1/orders/").status_code == 200
    assert run("users", "passwd", "alice", "--password", "another-password").exit_code == 0
    assert alice.get("/api/v1/orders/").status_code == 401
    assert can_log_in(app, "alice", "another-password")


def test_disable_and_enable(run: Run, app: Flask, alice: Caller) -> None:
    assert run("users", "disable", "alice").exit_code == 0
    assert alice.get("/api/v1/orders/").status_code == 401
    assert not can_log_in(app, "alice", "alice-password-1")
    assert run("users", "disable", "alice").exit_code == 0
    assert run("users", "enable", "alice").exit_code == 0
    assert can_log_in(app, "alice", "alice-password-1")


def test_list(run: Run) -> None:
    run("users", "disable", "bob")
    lines = [line.split() for line in run("users", "list").stdout.splitlines()]
    assert lines[0] == ["NAME", "ROLE", "STATE", "PASSWORD", "CREATED"]
    assert [line[:4] for line in lines[1:]] == [
        ["admin", "admin", "active", "set"],
        ["alice", "user", "active", "set"],
        ["bob", "user", "disabled", "set"],
    ]
