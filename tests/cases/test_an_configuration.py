"""What a server refuses to start with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.processes import ServerProcess

pytestmark = pytest.mark.server
GOOD = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY is too short"),
        ({"JWT_SECRET_KEY": "0123456789abcdefghijklmnopqrstu"}, "JWT_SECRET_KEY is too short"),
        ({"JWT_SECRET_KEY": "a" * 64}, "JWT_SECRET_KEY is too short or too simple"),
        ({"SECRET_KEY": "change-me-example-of-a-secret-key-that-is-refused"}, "looks like an example"),
        ({"SECRET_KEY": GOOD, "JWT_SECRET_KEY": GOOD}, "must differ"),
    ],
)
def test_an32_it_refuses_bad_keys_and_says_how_to_make_good_ones(
    tmp_path: Path, settings: dict[str, str], said: str
) -> None:
    """Keys that are missing are refused as well: `tests/unit/test_config.py`."""
    done = ServerProcess(tmp_path, workers=1, **settings).run("serve.py")
    assert done.returncode == 1
    assert said in done.stderr
    assert "make keys" in done.stderr
    assert "Traceback" not in done.stderr
    assert not any(value in done.stderr + done.stdout for value in settings.values() if len(value) > 8)


def test_an32_the_first_admin_gets_no_password_that_everybody_tries(tmp_path: Path) -> None:
    """Neither the server starts with it, nor is the account made, with a real one it is."""
    prepared = ServerProcess(tmp_path, workers=1)
    for password, program in (
        ("admin", ("serve.py",)),
        ("admin", ("-m", "orders_app.first_run")),
        ("Admin123", ("-m", "orders_app.first_run")),
    ):
        prepared.environment["ADMIN_PASSWORD"] = password
        done = prepared.run(*program)
        assert done.returncode == 1
        assert "ADMIN_PASSWORD is too short or among the first" in done.stderr
        assert "Traceback" not in done.stderr
        assert not (tmp_path / "orders.db").exists()
