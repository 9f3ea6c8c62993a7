"""What is refused or doubted before serving."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import Config, UnsafeConfiguration, make_keys
from safety import doubts, is_readable
from tests.server.processes import ServerProcess

PASSWORD = "hunter2-of-the-database"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://orders@postgres:5432/orders?passfile=/app/instance/pgpass",
        "postgresql+psycopg://postgres:@/test?host=/tmp/pg",
        "postgresql+psycopg://u:p%40%2F%3A@[2001:db8::1]:5432/orders",
        "redis://:secret@cache:6379/0",
        "rediss://user:secret@cache/0?ssl_cert_reqs=required",
    ],
)
def test_urls_that_everybody_reads_alike(url: str) -> None:
    assert is_readable(url)


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
@pytest.mark.parametrize("character", ["@", "/", "?", "#", "@h:", "[", "/1:2@"])
def test_a_password_that_would_be_misread_is_refused_unseen(
    tmp_path: Path, name: str, character: str
) -> None:
    scheme = "postgresql" if name == "DATABASE_URL" else "redis"
    url = f"{scheme}://user:{PASSWORD}{character}rest-of-it@host:1234/0"
    with pytest.raises(UnsafeConfiguration, match=name) as refused:
        Config.from_env({name: url}, instance=tmp_path)
    assert PASSWORD not in str(refused.value)
    assert "rest-of-it" not in str(refused.value)


@pytest.mark.parametrize("port", ["abc", "99999", "0", "-1"])
def test_a_port_that_is_none(tmp_path: Path, port: str) -> None:
    with pytest.raises(UnsafeConfiguration, match="REDIS_URL"):
        Config.from_env({"REDIS_URL": f"redis://cache:{port}/0"}, instance=tmp_path)


def test_no_url_is_printed_with_the_settings() -> None:
    config = Config(database_url=f"postgresql+psycopg://u:{PASSWORD}@h/d", redis_url=f"redis://:{PASSWORD}@h")
    assert PASSWORD not in repr(config)


@pytest.mark.parametrize("word", ["1", "true", "YES", "anything"])
def test_debug_mode_is_not_served(word: str) -> None:
    config = Config(secret_key="0123456789abcdef" * 4, jwt_secret_key="fedcba9876543210" * 4)
    with pytest.raises(UnsafeConfiguration, match="FLASK_DEBUG"):
        config.check_serving({"FLASK_DEBUG": word})
    for off in ("", "0", "false", "No"):
        config.check_serving({"FLASK_DEBUG": off})


def test_what_should_be_looked_at(tmp_path: Path) -> None:
    keys = make_keys(tmp_path)
    assert doubts("", keys) == []
    assert doubts("x" * 16, keys) == []
    keys[0].chmod(0o644)
    found = doubts("short-token", keys)
    assert len(found) == 2
    assert "METRICS_TOKEN" in found[0]
    assert "short-token" not in found[0]
    assert str(keys[0]) in found[1]


def test_a_folder_of_keys_is_its_owners(tmp_path: Path) -> None:
    make_keys(tmp_path / "instance")
    assert (tmp_path / "instance").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY is too short"),
        ({"FLASK_DEBUG": "1"}, "FLASK_DEBUG is for development"),
    ],
)
@pytest.mark.parametrize(
    "way",
    [
        ["-c", "import wsgi"],
        ["-m", "flask", "--app", "wsgi", "run", "--port", "0"],
        ["-c", "import click; click.command('granian')(lambda: __import__('wsgi'))([])"],
    ],
)
def test_another_server_does_not_get_the_application_either(
    tmp_path: Path, settings: dict[str, str], said: str, way: list[str]
) -> None:
    done = ServerProcess(tmp_path, 1, **settings).run(*way)
    assert done.returncode != 0
    assert said in done.stderr


def test_commands_need_no_keys(tmp_path: Path) -> None:
    done = ServerProcess(tmp_path, 1, SECRET_KEY="short").run(
        "-m", "flask", "--app", "wsgi", "users", "--help"
    )
    assert (done.returncode, done.stderr) == (0, "")
