"""No secret of the configuration is told: not when all is well, not when all that it opens is gone."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.callers import ORDERS, basic
from tests.factories import body
from tests.server.processes import ADMIN_PASSWORD, Answer, ServerProcess, serving
from tests.servers import free_port

pytestmark = pytest.mark.server

PATHS = (
    "/",
    ORDERS,
    "/metrics/",
    "/healthz",
    "/readyz",
    "/openapi.json",
    "/admin/",
    "/admin/login/",
    "/nothing",
)


def secret_settings() -> dict[str, str]:
    """A value for every setting that holds a secret, each unlike anything else."""
    return {
        name: secrets.token_hex(24) for name in ("SECRET_KEY", "JWT_SECRET_KEY", "METRICS_TOKEN", "PASSWORD")
    }


def everything_said(server: ServerProcess, answers: list[Answer]) -> str:
    logs = [log.read_text() for log in (server.folder / "logs").glob("*.log")]
    bodies = [answer.body.decode(errors="replace") + str(answer.headers) for answer in answers]
    return "\n".join([server.output(), *logs, *bodies])


@pytest.fixture
def cut_off(tmp_path: Path) -> Iterator[tuple[ServerProcess, dict[str, str]]]:
    """A server whose database and Redis, both with passwords, do not answer."""
    known = secret_settings()
    password = known.pop("PASSWORD")
    server = ServerProcess(
        tmp_path,
        1,
        DATABASE_URL=f"postgresql://orders:{password}@127.0.0.1:{free_port()}/orders",
        REDIS_URL=f"redis://:{password}@127.0.0.1:{free_port()}/0",
        **known,
    )
    server.start()
    try:
        yield server, {**known, "PASSWORD": password}
    finally:
        server.kill()


def test_an31_nothing_is_told_while_database_and_redis_are_away(
    cut_off: tuple[ServerProcess, dict[str, str]],
) -> None:
    server, known = cut_off
    login = {"username": "admin", "password": ADMIN_PASSWORD}
    answers = [server.request("GET", path) for path in PATHS]
    answers += [
        server.as_admin("GET", ORDERS),
        server.as_admin("POST", ORDERS, body()),
        server.request("POST", "/api/v1/login/", login),
        server.request("GET", "/metrics/", auth=f"Bearer {known['METRICS_TOKEN']}"),
        server.request("GET", "/metrics/", auth=f"Bearer {known['METRICS_TOKEN']}x"),
    ]
    assert {answer.status for answer in answers} == {200, 302, 401, 404, 503}
    said = everything_said(server, answers)
    assert "The database is in trouble" in said
    for name, value in {**known, "ADMIN_PASSWORD": ADMIN_PASSWORD}.items():
        assert value not in said, name
    assert basic("admin", ADMIN_PASSWORD).split()[1] not in said


def test_an31_commands_that_cannot_reach_the_database_do_not_tell_either(tmp_path: Path) -> None:
    password = secrets.token_hex(24)
    url = f"postgresql://orders:{password}@127.0.0.1:{free_port()}/orders"
    server = ServerProcess(tmp_path, DATABASE_URL=url)
    for command in (
        ["-m", "orders_app.first_run"],
        ["-m", "flask", "--app", "wsgi", "orders", "export"],
    ):
        done = server.run(*command)
        assert done.returncode != 0, command
        assert "127.0.0.1" in done.stderr, command
        assert password not in done.stdout + done.stderr, command


def test_an31_nothing_is_told_of_a_life_with_errors(tmp_path: Path) -> None:
    known = secret_settings()
    user_password, new_password = known.pop("PASSWORD"), secrets.token_hex(24)
    with serving(tmp_path, 1, **known) as server:
        account = {"username": "eve", "password": user_password}
        user = server.as_admin("POST", "/api/v1/users/", account)
        tokens = server.request("POST", "/api/v1/login/", account).json()
        auth = f"Bearer {tokens['access']}"
        answers = [
            user,
            server.as_admin("POST", "/api/v1/users/", account),
            server.request("POST", ORDERS, body(), auth=auth),
            server.request("POST", ORDERS, {"password": user_password}, auth=auth),
            server.request("GET", ORDERS, auth=auth + "x"),
            server.request("GET", ORDERS, auth=basic("eve", user_password + "x")),
            server.request("GET", ORDERS, auth=f"Token {tokens['access']}"),
            server.request("POST", "/api/v1/refresh/", {"refresh": tokens["access"]}),
            server.request("POST", "/api/v1/logout/", {"refresh": tokens["refresh"] + "x"}),
            server.as_admin("PATCH", f"/api/v1/users/{user.json()['user_id']}/", {"password": new_password}),
            server.as_admin(
                "PATCH", f"/api/v1/users/{user.json()['user_id']}/", {"password": new_password[:3]}
            ),
            server.request("GET", ORDERS, auth=auth),
            server.request("GET", "/metrics/", auth=f"Bearer {known['METRICS_TOKEN']}"),
            server.request("GET", "/admin/", Cookie=f"orders_session={tokens['access']}"),
        ]
        assert not [answer for answer in answers if answer.status >= 500]
        cookie = server.request("GET", "/admin/login/").headers["Set-Cookie"].partition(";")[0]
        said = everything_said(server, answers)
    told = {**known, **tokens, "user": user_password, "new": new_password, "cookie": cookie.partition("=")[2]}
    for name, value in told.items():
        assert value not in said, name
    assert "$argon2" not in said
