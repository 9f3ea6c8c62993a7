"""What takes a process of its own: pipes, signals, and a database that is not ready."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from config import ROOT
from tests.servers import wait_until

ROWS = 5000
"""Of an import that is interrupted: enough not to be over before the signal arrives."""
COLUMNS = [
    *("--order-column", "No", "--name-column", "Item"),
    *("--price-column", "Each", "--quantity-column", "Qty"),
]
Environment = dict[str, str]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """Settings for processes, with a database that is not there yet."""
    return {
        **{name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}},
        "DATABASE_URL": f"sqlite:///{tmp_path}/orders.db",
        "SECRET_KEY": "k3y-for-sessions-" + "0123456789abcdef" * 2,
        "JWT_SECRET_KEY": "k3y-for-tokens-" + "fedcba9876543210" * 2,
        "LOG_DIR": str(tmp_path / "logs"),
        "CACHE_DIR": str(tmp_path / "cache"),
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics"),
    }


@pytest.fixture
def start(environment: Environment) -> Start:
    """Start a command of the project."""

    def begin(*args: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "wsgi", *map(str, args)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return begin


@pytest.fixture
def finish(start: Start) -> Callable[..., tuple[int, str, str]]:
    """Run one to its end: the exit status, standard output, standard error."""

    def run(*args: object, stdin: str = "") -> tuple[int, str, str]:
        with start(*args) as process:
            out, err = process.communicate(stdin, timeout=60)
        return process.returncode, out, err

    return run


Finish = Callable[..., tuple[int, str, str]]


def test_a_database_without_tables(finish: Finish) -> None:
    for args in (["users", "list"], ["orders", "export"], ["orders", "import", "-"]):
        status, _, err = finish(*args, stdin='{"products": [{"name": "a", "price": 1, "quantity": 1}]}')
        assert status == 1
        assert "flask --app wsgi db upgrade" in err
        assert "Traceback" not in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_import(start: Start, finish: Finish, tmp_path: Path, number: signal.Signals) -> None:
    assert finish("db", "upgrade")[0] == 0
    assert finish("users", "create", "alice", "--password", "alice-password-1")[0] == 0
    path = tmp_path / "shop.csv"
    rows = "".join(f"{order},Lamp {order},1,1\n" for order in range(ROWS))
    path.write_text("No,Item,Each,Qty\n" + rows)
    log = tmp_path / "logs" / "general.log"
    with start("orders", "import", path, *COLUMNS, "--user", "alice") as process:
        wait_until(lambda: log.exists() and "order.created" in log.read_text(), what="the first order")
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in err
    assert "run the same command again" in err
    first = int(out.split()[1])
    assert 0 < first < ROWS
    assert first % 100 == 0
    status, out, _ = finish("orders", "import", path, *COLUMNS, "--user", "alice")
    assert status == 0
    assert out.startswith(f"orders: {ROWS - first} imported, {first} known, 0 refused;")
    assert log.read_text().count("order.created") == ROWS


def test_interrupted_while_waiting_for_input(start: Start, finish: Finish) -> None:
    assert finish("db", "upgrade")[0] == 0
    with start("orders", "import", "-") as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write('{"products": [{"name": "a", "price": 1, "quantity": 1}]}\n')
        process.stdin.flush()
        assert "Reading" in process.stderr.read(20)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
        err = process.stderr.read()
    assert process.returncode == 1
    assert "Nothing was brought in" in err
    assert "Traceback" not in err


def test_a_reader_who_has_seen_enough(start: Start, finish: Finish) -> None:
    assert finish("db", "upgrade")[0] == 0
    line = '{"products": [{"name": "a", "price": 1, "quantity": 1}], "user": "alice"}\n'
    assert finish("orders", "import", "-", "--create-users", stdin=line * 2000)[0] == 0
    with start("orders", "export") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("order_id,")
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_commands_leave_no_counters(finish: Finish, tmp_path: Path) -> None:
    """Every scrape would read them, and a timer runs a command every minute."""
    assert finish("db", "upgrade")[0] == 0
    assert finish("orders", "verify")[0] == 0
    assert list((tmp_path / "metrics").glob("*.db")) == []
