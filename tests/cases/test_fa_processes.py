"""FA15, FA17, FA18, FA20: workers are killed, stopped and restarted, and logs rotated, under load."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it has no types, and little is used of it
import pytest
from sqlalchemy import create_engine, text

from tests.cases.fa_clients import Writers
from tests.server.processes import BACKENDS, ServerProcess, serving_on
from tests.servers import wait_until

pytestmark = [pytest.mark.server, pytest.mark.alone]

KILLS = int(os.environ.get("FA15_KILLS", "8"))
GRACE_SECONDS = 15
VERSIONS_WITHOUT_EVENTS = """
    SELECT count(*) FROM orders o
    WHERE o.version <> (SELECT count(*) FROM order_events e WHERE e.order_id = o.id)
"""


@pytest.fixture(scope="module", params=BACKENDS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("processes")
    with serving_on(request, folder) as running:
        yield running


def wait_for_writes(writers: Writers, number: int) -> None:
    goal = len(writers.confirmed) + number
    wait_until(lambda: len(writers.confirmed) >= goal, what="writes", seconds=60)


@pytest.mark.timeout(600)
def test_fa15_workers_are_killed_in_a_loop(server: ServerProcess) -> None:
    """Every confirmed order is there, with one event for each version and no line without an order.

    Eight times here; `FA15_KILLS=50` for the whole case (`make soak`).
    """
    writers = Writers(server)
    chance = random.Random(15)
    with writers.at_work():
        for _ in range(KILLS):
            wait_for_writes(writers, 2)
            victims = server.workers()
            os.kill(chance.choice(sorted(victims)), signal.SIGKILL)
            time.sleep(chance.random() * 0.2)
        wait_for_writes(writers, 5)
    wait_until(lambda: len(server.workers()) == 2, what="both workers", seconds=60)
    assert set(writers.statuses) <= {200, 201, 503}, writers.statuses
    assert len(writers.confirmed) >= KILLS
    writers.check()
    assert orphans(server) == (0, 0, 0)


def orphans(server: ServerProcess) -> tuple[int, int, int]:
    """Lines without an order, orders without lines, and orders without as many events as versions."""
    engine = create_engine(server.environment["DATABASE_URL"])
    with engine.connect() as connection:
        counts = [
            connection.execute(text(statement)).scalar_one()
            for statement in (
                "SELECT count(*) FROM order_lines WHERE order_id NOT IN (SELECT id FROM orders)",
                "SELECT count(*) FROM orders WHERE id NOT IN (SELECT order_id FROM order_lines)",
                VERSIONS_WITHOUT_EVENTS,
            )
        ]
    engine.dispose()
    return counts[0], counts[1], counts[2]


def test_fa17_the_server_is_stopped_under_load(server: ServerProcess) -> None:
    """Every request that got in is answered, the server is gone in time, and nothing confirmed is lost."""
    writers = Writers(server)
    with writers.at_work():
        wait_for_writes(writers, 10)
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < GRACE_SECONDS
    assert writers.broken == []
    assert set(writers.statuses) == {200, 201}
    server.start()
    writers.check()


@pytest.mark.timeout(300)
def test_fa18_a_rolling_restart(server: ServerProcess) -> None:
    """SIGHUP replaces one worker after the other; no request fails, and no connection is refused."""
    before = server.workers()
    writers = Writers(server)
    assert server.process is not None
    with writers.at_work():
        wait_for_writes(writers, 5)
        server.process.send_signal(signal.SIGHUP)
        wait_until(
            lambda: len(server.workers()) == 2 and not server.workers() & before,
            what="new workers",
            seconds=200,
        )
        wait_for_writes(writers, 5)
    assert (writers.broken, writers.refused) == ([], 0)
    assert set(writers.statuses) == {200, 201}
    writers.check()


def test_fa18_told_to_stop_in_the_middle_of_a_rolling_restart(server: ServerProcess) -> None:
    """It does not finish the restart first, and a worker that just starts is told too."""
    started = server.output().count("Spawning worker")
    assert server.process is not None
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: server.output().count("Spawning worker") > started, what="a new worker", seconds=60)
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < GRACE_SECONDS
    assert "Killing" not in server.output()
    server.start()


@pytest.mark.parametrize("how", ["rename", "copytruncate"])
def test_fa20_logs_are_rotated_under_load(server: ServerProcess, how: str) -> None:
    """Three times: no line is lost, none is torn, none is there twice.

    What is written between copying and truncating is lost by the nature of copytruncate, not ours; the
    workers stand still for that moment here.
    """
    writers = Writers(server)
    folder = server.folder / "logs"
    for log in folder.glob("*.log*"):
        log.unlink()
    logs = [folder / "general.log", folder / "events.log"]
    with writers.at_work():
        for turn in range(3):
            wait_for_writes(writers, 5)
            rotate(server, logs, f".{turn}", how)
        wait_for_writes(writers, 5)
    assert (writers.broken, set(writers.statuses)) == ([], {200, 201})
    general, events = ([json.loads(line) for line in lines_of(log)] for log in logs)
    told = {
        name: sorted(line["order_id"] for line in general if line["event"] == name)
        for name in ("order.created", "order.updated", "order.status_changed")
    }
    assert sum(map(len, told.values())) == len(general)
    versions = writers.confirmed.items()
    assert told["order.created"] == sorted(order_id for order_id, _ in versions)
    assert told["order.updated"] == sorted(order_id for order_id, version in versions if version > 1)
    assert told["order.status_changed"] == sorted(order_id for order_id, version in versions if version > 2)
    assert sorted(line["order_id"] for line in events) == told["order.status_changed"]
    assert {line["event"] for line in events} == {"order.status_changed"}


def lines_of(log: Path) -> list[bytes]:
    """What stands in a log and in what has become of it; every line is whole."""
    files = sorted(log.parent.glob(f"{log.name}*"))
    assert len(files) == 4
    contents = [file.read_bytes() for file in files]
    assert all(content.endswith(b"\n") for content in contents), "something in each, and no half of a line"
    return b"".join(contents).splitlines()


def stands_still(number: int) -> bool:
    """Whether every thread of a process is stopped (proc_pid_stat(5): the state follows the name)."""
    states = [path.read_text().rpartition(") ")[2][0] for path in Path(f"/proc/{number}/task").glob("*/stat")]
    return set(states) <= {"T"}


def rotate(server: ServerProcess, logs: list[Path], suffix: str, how: str) -> None:
    if how == "rename":
        for log in logs:
            log.rename(f"{log}{suffix}")
        return
    workers = [psutil.Process(number) for number in server.workers()]
    for worker in workers:
        worker.suspend()
    try:
        # The signal takes a moment to arrive, thread by thread; a line may be written until then.
        wait_until(lambda: all(stands_still(worker.pid) for worker in workers), what="standstill")
        for log in logs:
            Path(f"{log}{suffix}").write_bytes(log.read_bytes())
            os.truncate(log, 0)
    finally:
        for worker in workers:
            worker.resume()
