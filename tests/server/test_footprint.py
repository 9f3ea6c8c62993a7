"""What a worker process loads and keeps: only what serving needs, on the back end that it has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.processes import BACKENDS, ServerProcess, prepared_server

pytestmark = pytest.mark.server

FOR_COMMANDS = {"alembic", "flask_migrate", "mako", "orders_app.cli", "orders_app.first_run", "tqdm"}
FOR_FILES = {"PIL", "reportlab", "xlsxwriter"}
FOR_POSTGRES = {"orders_app.http.postgres", "psycopg", "sqlalchemy.dialects.postgresql"}
FOR_SQLITE = {"orders_app.http.sqlite", "sqlite3", "sqlalchemy.dialects.sqlite"}
FOR_REDIS = {"orders_app.http.redis_cache", "redis"}
MEBIBYTE = 1024 * 1024


@pytest.fixture(params=BACKENDS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServerProcess]:
    with prepared_server(request, tmp_path) as prepared:
        yield prepared


def printed(server: ServerProcess, *command: str) -> Any:
    """What a Python command with the server's settings prints as JSON."""
    done = server.run(*command)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_worker_loads_nothing_but_what_serves(server: ServerProcess) -> None:
    worker = printed(server, "-m", "tests.server.loaded_worker")
    assert worker["statuses"] == [201, 200, 404, 200, 200, 200]
    on_sqlite = server.environment["DATABASE_URL"].startswith("sqlite")
    needed, others = FOR_SQLITE, FOR_POSTGRES | FOR_REDIS
    if not on_sqlite:
        needed, others = FOR_POSTGRES | FOR_REDIS, FOR_SQLITE
    loaded = set(worker["modules"])
    assert needed <= loaded, "the names are those of modules that there are"
    assert loaded & (FOR_COMMANDS | FOR_FILES | others) == set()


def test_the_garbage_collector_passes_over_what_was_loaded(server: ServerProcess) -> None:
    worker = printed(server, "-m", "tests.server.loaded_worker")
    assert worker["frozen"] > 100_000
    assert worker["collects"]


PASSWORD_CHECKS = """
import json, psutil
from orders_app.auth.passwords import verify_password
from orders_app.http.worker import give_large_blocks_back
give_large_blocks_back()
before = psutil.Process().memory_info().rss
for number in range(5):
    verify_password(None, str(number))
print(json.dumps(psutil.Process().memory_info().rss - before))
"""


def test_the_memory_of_a_password_check_is_given_back(tmp_path: Path) -> None:
    """Each takes 19 MiB for as long as it lasts."""
    assert printed(ServerProcess(tmp_path), "-c", PASSWORD_CHECKS) < 6 * MEBIBYTE
