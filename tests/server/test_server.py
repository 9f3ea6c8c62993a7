"""Two worker processes: what they share, and what becomes of them."""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import psutil  # type: ignore[import-untyped]  # it has no types, and little is used of it
import pytest

from tests.callers import ORDERS, basic, path_of
from tests.factories import body
from tests.server.processes import ADMIN_PASSWORD, BACKENDS, ServerProcess, serving, serving_on
from tests.servers import wait_until

pytestmark = pytest.mark.server


@pytest.fixture(scope="module", params=BACKENDS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("server")
    with serving_on(request, folder) as running:
        yield running


def deletions(server: ServerProcess) -> dict[str, float]:
    """The counters of DELETE on an order, as every scrape of any worker must show them."""
    text = server.request("GET", "/metrics/").body.decode()
    wanted = 'method="DELETE"'
    lines = [line.rsplit(" ", 1) for line in text.splitlines() if wanted in line and "_bucket" not in line]
    return {name.partition("{")[0]: float(value) for name, value in lines}


def test_metrics_are_exact_over_all_workers(server: ServerProcess) -> None:
    before = deletions(server)
    orders = [server.as_admin("POST", ORDERS, body()).json() for _ in range(5)]
    paths = [path_of(order) for order in orders] + [f"{ORDERS}{uuid4()}/" for _ in range(55)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda path: server.as_admin("DELETE", path), paths))
    for _ in range(5):
        grown = {name: value - before.get(name, 0) for name, value in deletions(server).items()}
        assert grown["orders_http_requests_total"] == 60
        assert grown["orders_http_requests_success_total"] == 5
        assert grown["orders_http_requests_failure_total"] == 55
        assert grown["orders_http_request_duration_seconds_count"] == 60


def test_the_json_form_is_summed_too(server: ServerProcess) -> None:
    def calls() -> int:
        answer = server.request("GET", "/metrics/", Accept="application/json").json()
        return int(answer.get("/api/v1/users/me/", {"total_calls": 0})["total_calls"])

    before = calls()
    for _ in range(20):
        server.as_admin("GET", "/api/v1/users/me/")
    assert {calls() for _ in range(5)} == {before + 20}


def test_the_cache_is_fresh_on_every_worker(server: ServerProcess) -> None:
    order = server.as_admin("POST", ORDERS, body()).json()
    path = path_of(order)
    acknowledged, done = [1], threading.Event()
    statuses: set[str] = set()
    stale: list[tuple[int, int]] = []

    def read() -> None:
        while not done.is_set():
            least = acknowledged[0]
            answer = server.as_admin("GET", path)
            listed = server.as_admin("GET", f"{ORDERS}?page_size=1").json()[0]
            seen = min(answer.json()["version"], listed["version"])
            statuses.add(answer.headers["Cache-Status"])
            if seen < least:
                stale.append((least, seen))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for thread in readers:
        thread.start()
    for number in range(1, 31):
        answer = server.as_admin("PATCH", path, {"total_price": number})
        acknowledged[0] = answer.json()["version"]
        time.sleep(0.02)
    done.set()
    for thread in readers:
        thread.join()
    assert stale == []
    assert acknowledged == [31]
    assert statuses == {"orders; hit", "orders; fwd=miss; stored"}


def test_a_new_password_counts_on_every_worker(server: ServerProcess) -> None:
    name = f"user-{uuid4().hex[:8]}"
    account = {"username": name, "password": "first password"}
    user_id = server.as_admin("POST", "/api/v1/users/", account).json()["user_id"]
    tokens = [server.request("POST", "/api/v1/login/", account).json() for _ in range(4)]
    auths = [f"Bearer {pair['access']}" for pair in tokens]
    assert {server.request("GET", ORDERS, auth=auth).status for auth in auths * 3} == {200}
    server.as_admin("PATCH", f"/api/v1/users/{user_id}/", {"password": "second password"})
    assert {server.request("GET", ORDERS, auth=auth).status for auth in auths * 3} == {401}


def test_every_line_of_the_logs_is_whole(server: ServerProcess) -> None:
    with ThreadPoolExecutor(8) as threads:
        orders = list(threads.map(lambda _: server.as_admin("POST", ORDERS, body()).json(), range(40)))
    lines = [json.loads(line) for line in (server.folder / "logs/general.log").read_text().splitlines()]
    logged = [line["order_id"] for line in lines if line["event"] == "order.created"]
    assert {order["order_id"] for order in orders} <= set(logged)
    assert len(logged) == len(set(logged))


def test_a_worker_that_was_killed_is_replaced(server: ServerProcess) -> None:
    order = server.as_admin("POST", ORDERS, body()).json()
    before = server.workers()
    assert len(before) == 2
    victim, started = min(before), server.output().count("Started worker")
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: server.output().count("Started worker") > started, what="a new worker")
    assert len(server.workers() - {victim}) == 2
    assert {server.as_admin("GET", path_of(order)).json()["version"] for _ in range(20)} == {1}


def test_it_stops_when_asked_and_starts_again_with_its_data(server: ServerProcess) -> None:
    order = server.as_admin("POST", ORDERS, body()).json()
    server.request("GET", "/api/v1/nothing/")
    assert server.stop() == 0
    server.start()
    assert server.as_admin("GET", path_of(order)).json() == order
    counts = server.request("GET", "/metrics/", Accept="application/json").json()
    assert "unmatched" not in counts, "the counters of the last run are gone"


def test_it_stops_whichever_of_its_threads_gets_the_signal(tmp_path: Path) -> None:
    with serving(tmp_path) as stopping:
        assert stopping.process is not None
        main = stopping.process.pid
        watcher = next(thread.id for thread in psutil.Process(main).threads() if thread.id != main)
        assert ctypes.CDLL(None).tgkill(main, watcher, signal.SIGTERM) == 0
        assert stopping.process.wait(30) == 0
        assert "refused to gracefully stop" not in stopping.output()


@pytest.mark.parametrize("milliseconds", [0, 50, 100, 200, 400])
def test_it_stops_when_asked_while_workers_are_still_loading(tmp_path: Path, milliseconds: int) -> None:
    stopping = ServerProcess(tmp_path, workers=4)
    try:
        stopping.spawn()
        wait_until(lambda: "Spawning worker-4" in stopping.output(), what="the last worker")
        time.sleep(milliseconds / 1000)
        assert stopping.stop() == 0
    finally:
        stopping.kill()
    assert "refused to gracefully stop" not in stopping.output()


def test_a_body_that_comes_in_chunks_is_measured_too(server: ServerProcess) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    headers = {"Authorization": basic("admin", ADMIN_PASSWORD), "Content-Type": "application/json"}
    chunks = (b" " * 65_536 for _ in range(80))
    # The server may answer and close before it has read all of it; its answer is still there.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.request("POST", ORDERS, chunks, headers, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_it_says_what_to_open(server: ServerProcess) -> None:
    base = f"http://127.0.0.1:{server.port}"
    assert all(
        f"{base}{path}" in server.output()
        for path in ("/api/v1/orders/", "/swagger/", "/admin/", "/metrics/")
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"PORT": "many"}, "PORT must be a whole number"),
        ({"WORKERS": "0"}, "WORKERS must be between"),
        ({"CACHE_ENABLED": "perhaps"}, "CACHE_ENABLED must be true or false"),
        ({"TRUSTED_PROXIES": "everybody"}, "TRUSTED_PROXIES"),
        ({"HOST": "no.such.host.invalid"}, "HOST"),
        ({"LOG_DIR": "/dev/null/logs"}, "cannot"),
    ],
)
def test_it_refuses_settings_that_make_no_sense(tmp_path: Path, settings: dict[str, str], said: str) -> None:
    done = ServerProcess(tmp_path, workers=1, **settings).run("serve.py")
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_it_refuses_a_port_that_is_taken(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path)
    with socket.create_server(("127.0.0.1", server.port)):
        done = server.run("serve.py")
    assert done.returncode == 1
    assert "choose another one" in done.stderr


def test_a_worker_that_is_killed_right_after_a_rolling_restart_is_replaced(tmp_path: Path) -> None:
    """It is no crash loop, which would end the healthy workers too."""
    with serving(tmp_path) as restarted:
        assert restarted.process is not None
        before = restarted.workers()
        restarted.process.send_signal(signal.SIGHUP)
        wait_until(
            lambda: len(restarted.workers()) == 2 and not restarted.workers() & before,
            what="new workers",
            seconds=60,
        )
        for _ in range(2):
            victim = max(restarted.workers())
            os.kill(victim, signal.SIGKILL)
            wait_until(
                lambda victim=victim: len(restarted.workers() - {victim}) == 2,  # type: ignore[misc]
                what="another worker",
                seconds=30,
            )
        wait_until(lambda: is_up(restarted), what="an answer", seconds=30)


def test_it_starts_where_nothing_can_be_said(tmp_path: Path) -> None:
    """Standard output and error are on a disk that is full."""
    (tmp_path / "output").symlink_to("/dev/full")
    with serving(tmp_path) as silent:
        victim = min(silent.workers())
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: len(silent.workers() - {victim}) == 2, what="another worker", seconds=30)
        wait_until(lambda: is_up(silent), what="an answer", seconds=30)
        assert silent.stop() == 0


def is_up(server: ServerProcess) -> bool:
    """Whether a worker listens and answers; another one may still be loading."""
    try:
        return server.request("GET", "/healthz").status == 200
    except OSError:
        return False
