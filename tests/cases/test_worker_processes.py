"""Cases that need the production server as it is started, with several workers, on both back ends."""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import os
import random
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from uuid import uuid4

import psutil  # type: ignore[import-untyped]  # it has no types, and little is used of it
import pytest

from tests.callers import ORDERS, USERS, basic
from tests.factories import body
from tests.server.processes import ADMIN_PASSWORD, BACKENDS, ServerProcess, serving_on
from tests.servers import wait_until

pytestmark = pytest.mark.server

logger = logging.getLogger(__name__)

LOGIN, LOGOUT = "/api/v1/login/", "/api/v1/logout/"
MEGABYTE = 1024 * 1024
WORKERS = 2
KILLS = 5
MANY = 12
"""So many connections reach both workers, but for once in two thousand times."""


@pytest.fixture(scope="module", params=BACKENDS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("cases")
    with serving_on(request, folder, WORKERS) as running:
        yield running


def account(server: ServerProcess, **others: str) -> tuple[str, str]:
    """A new account: its name and its id."""
    name = f"user-{uuid4().hex[:8]}"
    answer = server.as_admin("POST", USERS, {"username": name, "password": "first password", **others})
    assert answer.status == 201
    return name, answer.json()["user_id"]


def log_in(server: ServerProcess, name: str) -> dict[str, str]:
    answer = server.request("POST", LOGIN, {"username": name, "password": "first password"})
    assert answer.status == 200
    tokens: dict[str, str] = answer.json()
    return tokens


def statuses(server: ServerProcess, path: str, auth: str) -> set[int]:
    """What all workers answer."""
    return {server.request("GET", path, auth=auth).status for _ in range(MANY)}


def raw(server: ServerProcess, request: bytes, *, rest: Iterator[bytes] | None = None) -> bytes:
    """What is answered to these bytes, until the server closes the connection or says no more."""
    answer = bytearray()
    with socket.create_connection(("127.0.0.1", server.port), 30) as connection:
        # The server may answer and close before it has read all of it; its answer is still there.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(request)
            for piece in rest or ():
                connection.sendall(piece)
        connection.settimeout(10)
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            while piece := connection.recv(65_536):
                answer += piece
                if b"Connection: close" not in request:
                    connection.settimeout(1)
    return bytes(answer)


def status_of(answer: bytes) -> int:
    match = re.match(rb"HTTP/1\.[01] (\d{3})", answer)
    assert match, answer[:200]
    return int(match[1])


def memory(server: ServerProcess) -> int:
    """Bytes that all processes of the server hold."""
    assert server.process is not None
    parent = psutil.Process(server.process.pid)
    return sum(process.memory_info().rss for process in [parent, *parent.children(recursive=True)])


@pytest.mark.parametrize("size", [65_536, MEGABYTE, 10 * MEGABYTE])
def test_an11_huge_headers_are_refused_at_the_door(server: ServerProcess, size: int) -> None:
    for header in (b"Authorization: Basic ", b"Authorization: Bearer ", b"X-Anything: "):
        head = b"GET " + ORDERS.encode() + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        assert status_of(raw(server, head + header + b"A" * size + b"\r\n\r\n")) in {400, 401, 431}
    assert server.request("GET", "/healthz/").status == 200


def test_an26_a_demoted_admin_is_a_user_on_every_worker(server: ServerProcess) -> None:
    name, user_id = account(server, role="admin")
    callers = [f"Bearer {log_in(server, name)['access']}", basic(name, "first password")]
    for auth in callers:
        assert statuses(server, USERS, auth) == {200}
    server.as_admin("PATCH", f"{USERS}{user_id}/", {"role": "user"})
    for auth in callers:
        assert statuses(server, USERS, auth) == {403}
        assert statuses(server, ORDERS, auth) == {200}


def test_an28_a_log_out_survives_a_restart(server: ServerProcess) -> None:
    name, _ = account(server)
    ended, standing = log_in(server, name), log_in(server, name)
    assert server.request("POST", LOGOUT, {"refresh": ended["refresh"]}).status == 204
    for restart in (False, True):
        if restart:
            assert server.stop() == 0
            server.start()
        assert statuses(server, ORDERS, f"Bearer {ended['access']}") == {401}
        assert statuses(server, ORDERS, f"Bearer {standing['access']}") == {200}
        assert server.request("POST", "/api/v1/refresh/", {"refresh": ended["refresh"]}).status == 401


def addresses_with(token: str) -> list[str]:
    """Where somebody may put a token who does not know how to send it.

    The answer names the address (`instance`, RFC 9457) to who sent it; nobody else is to be told.
    """
    return [
        f"{ORDERS}?access_token={token}",
        f"{ORDERS}?{token}",
        f"{ORDERS}{token}/",
        f"{ORDERS}{token}/events/",
        f"{USERS}{token}/",
        f"/{token}",
        f"/admin/?token={token}",
        f"/admin/orders/?search={token}",
        f"/admin/{token}/",
        f"/metrics/?token={token}",
        f"/healthz/?token={token}",
        f"/swagger/{token}",
    ]


def test_an31_no_secret_is_told(server: ServerProcess) -> None:
    """After many requests that hold some: logs, what the process says, metrics, and bodies of errors."""
    name, user_id = account(server)
    tokens = log_in(server, name)
    wrong = {"username": name, "password": "Wrong-Secret-1"}
    auth, bearer = basic(name, "first password"), f"Bearer {tokens['access']}"
    forged = tokens["access"][:-4] + "AAAA"
    paths = (ORDERS, f"{ORDERS}{uuid4()}/", f"{USERS}me/", USERS, "/nothing/", "/metrics/", "/admin/")
    headers = (auth, bearer, basic(name, "Wrong-Secret-1"), f"Bearer {forged}", "Basic Wrong-Secret-1")
    answers = [
        server.request(method, path, {"password": "Wrong-Secret-1"}, auth=header)
        for path in paths
        for header in headers
        for method in ("GET", "PUT", "TRACE")
    ]
    asked = {
        server.request(method, address, auth=header).status
        for token in (*tokens.values(), forged)
        for address in addresses_with(token)
        for header in (None, bearer, auth)
        for method in ("GET", "DELETE", "TRACE")
    }
    assert asked >= {200, 302, 401, 404, 405, 422}
    answers += [
        server.request("POST", LOGIN, wrong),
        server.request("POST", LOGIN, {**wrong, "password": ["Wrong-Secret-1"]}),
        server.request("POST", LOGIN, {**wrong, "Wrong": "Wrong-Secret-1"}),
        server.request("POST", "/api/v1/refresh/", {"refresh": forged}),
        server.request("POST", "/api/v1/refresh/", {"refresh": tokens["access"]}),
        server.request("GET", ORDERS, auth=bearer, X_Request_ID=f"{forged}!"),
        server.as_admin("PATCH", f"{USERS}{user_id}/", {"password": "Second-Secret-1"}),
        server.as_admin("PATCH", f"{USERS}{user_id}/", {"password": "short-1"}),
        server.as_admin("PATCH", f"{USERS}{user_id}/", {"password": 12345678}),
    ]
    assert {answer.status for answer in answers} >= {200, 401, 403, 404, 405, 422}
    told = {
        **{path.name: path.read_text() for path in (server.folder / "logs").iterdir()},
        "output": server.output(),
        "metrics": server.request("GET", "/metrics/").body.decode(),
        "counters": "".join(path.read_bytes().decode("latin-1") for path in server.folder.glob("metrics/*")),
        "bodies": "".join(answer.body.decode() for answer in answers),
        "headers": "".join(str(answer.headers) for answer in answers),
    }
    signatures = [token.rpartition(".")[2] for token in (*tokens.values(), forged)]
    secrets = [
        *("first password", "Wrong-Secret-1", "Second-Secret-1", ADMIN_PASSWORD, "argon2id", "$argon2"),
        *(value for key, value in server.environment.items() if key.endswith("SECRET_KEY")),
        *(header.partition(" ")[2] for header in (auth, basic("admin", ADMIN_PASSWORD))),
        *signatures,
    ]
    assert name in told["general.log"]
    found = [(place, secret) for place, text in told.items() for secret in secrets if secret in text]
    assert found == []


def posting(*headers: str) -> bytes:
    """The head of a request that makes an order."""
    lines = (
        f"POST {ORDERS} HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Authorization: {basic('admin', ADMIN_PASSWORD)}",
        *headers,
    )
    return "\r\n".join([*lines, "", ""]).encode()


def number_of_orders(server: ServerProcess) -> int:
    described = json.loads(server.as_admin("GET", f"{ORDERS}?page_size=1").headers["X-Pagination"])
    return int(described["total"])


def test_in10_a_body_that_is_too_large_is_not_kept(server: ServerProcess) -> None:
    """10 MB, and chunks without an end; the memory of all processes together stays what it was."""

    def large() -> None:
        declared = posting(f"Content-Length: {10 * MEGABYTE}")
        assert status_of(raw(server, declared, rest=iter([b" " * MEGABYTE] * 10))) == 413

    def endless() -> None:
        chunks = (b"10000\r\n" + b" " * 65_536 + b"\r\n" for _ in range(1600))
        answer = raw(server, posting("Transfer-Encoding: chunked"), rest=chunks)
        assert status_of(answer) == 413
        assert b"too_large" in answer

    before = number_of_orders(server)
    for _ in range(6 * WORKERS):  # so that each thread of each process has had its turn
        large()
        endless()
    held = memory(server)
    for _ in range(12):
        large()
        endless()
    assert memory(server) - held < 48 * MEGABYTE, "of more than 150 that were sent and read"
    assert number_of_orders(server) == before


def test_in10_a_wrong_length_is_malformed(server: ServerProcess) -> None:
    before = number_of_orders(server)
    content = json.dumps(body()).encode()
    for length in ("x", "-5", f"+{len(content)}", "9" * 25, f"{len(content)}, 5", "1e2", "0x10"):
        assert status_of(raw(server, posting(f"Content-Length: {length}") + content)) == 400, length
    for short in (0, 1, len(content) - 1):
        assert status_of(raw(server, posting(f"Content-Length: {short}") + content)) == 400, short
    twice = posting("Content-Length: 5", f"Content-Length: {len(content)}")
    assert status_of(raw(server, twice + content)) == 400
    # Valid JSON, but the client went away before it had sent all that it meant to.
    with socket.create_connection(("127.0.0.1", server.port), 30) as connection:
        connection.sendall(posting(f"Content-Length: {len(content) + 50}") + content)
        connection.shutdown(socket.SHUT_WR)
        assert status_of(connection.recv(1000)) == 400
    assert number_of_orders(server) == before


@pytest.mark.parametrize("order_id", ["x" * 5000, "%00", "a%00b", "%FF", "%0d%0a", "..%2f..%2f", "'"])
def test_in26_what_is_no_id_names_nothing(server: ServerProcess, order_id: str) -> None:
    for method in ("GET", "DELETE"):
        for path in (f"{ORDERS}{order_id}/", f"{ORDERS}{order_id}/events/", f"{USERS}{order_id}/"):
            assert server.as_admin(method, path).status in {404, 405, 414}


def test_in38_a_header_of_64_kb_is_too_large(server: ServerProcess) -> None:
    for size in (64_000, 65_536):
        head = b"GET /healthz/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Large: " + b"a" * size
        assert status_of(raw(server, head + b"\r\n\r\n")) in {400, 431}
    many = "".join(f"X-{number}: {'a' * 1000}\r\n" for number in range(80))
    head = b"GET /healthz/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + many.encode()
    assert status_of(raw(server, head + b"\r\n")) in {400, 431}


def test_lo01_nothing_forges_a_line(server: ServerProcess) -> None:
    """Over the wire: in the path, the name, the header; each log line and each line that is said is whole."""
    evil = 'x\r\n{"event": "forged"}\x1b[31m\u2028{"event": "forged"}'
    quoted = "x%0d%0a%7B%22event%22:%22forged%22%7D%1b%5B31m%E2%80%A8"
    for path in (f"{ORDERS}{quoted}/", f"/{quoted}", f"{ORDERS}?q={quoted}", f"/admin/{quoted}"):
        assert server.as_admin("GET", path).status in {302, 400, 404, 422}
    server.request("POST", LOGIN, {"username": evil, "password": evil})
    server.as_admin("POST", ORDERS, body(products=[{"name": evil, "price": 1, "quantity": 1}]))
    server.request("GET", ORDERS, auth="Basic x\u00a0\x85", X_Request_ID="\x85forged")
    for name in ("general.log", "events.log"):
        log = server.folder / "logs" / name
        text = log.read_text() if log.exists() else ""
        assert text.splitlines() == text.split("\n")[:-1], "no character in it ends a line to anybody"
        assert "forged" not in [json.loads(line)["event"] for line in text.splitlines()]
        assert "\x1b" not in text
    said = [line for line in server.output().split("\n") if "forged" in line]
    assert all(json.loads(line)["message"] for line in said)


def test_lo04_a_bad_request_id_is_replaced(server: ServerProcess) -> None:
    for bad in (b"a" * 10_000, b"a b", b"<script>", b"a/b", b"\xc3\xa4", b"\x85"):
        head = b"GET /healthz/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Request-ID: " + bad
        answer = raw(server, head + b"\r\n\r\n")
        assert status_of(answer) == 200
        sent_back = re.search(rb"(?i)x-request-id: (.*)\r\n", answer)
        assert sent_back
        assert re.fullmatch(rb"[0-9a-f-]{36}", sent_back[1])
    folded = b"GET /healthz/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Request-ID: a\n b\r\n\r\n"
    answer = raw(server, folded)
    assert status_of(answer) == 400 or b"a\n b" not in answer


DELETIONS = rb'orders_http_requests_total\{endpoint="/api/v1/orders/\{order_id\}/",method="DELETE"\} (\S+)'


def scrape(server: ServerProcess) -> tuple[float, float]:
    """The number of DELETEs of orders, and the seconds it took to be told it.

    Only where the connection broke, because its worker was killed, is another one asked; an answer that
    came counts, however late.
    """
    for _ in range(20):
        began = time.monotonic()
        try:
            answer = server.request("GET", "/metrics/")
        except (ConnectionError, http.client.HTTPException):
            continue
        seconds = time.monotonic() - began
        assert answer.status == 200
        found = re.search(DELETIONS, answer.body)
        return (float(found[1]) if found else 0.0), seconds
    raise AssertionError("no connection lasted")


@pytest.mark.timeout(300)  # each new worker loads the application, on a machine that is busy
def test_me05_killed_workers_slow_no_scrape_and_lose_no_count(server: ServerProcess) -> None:
    """One scrape after the other while workers are killed, and each that is answered is judged.

    Of a hundred 99 take less than a second, and the rest, for which the machine itself had no time, less
    than five.
    """
    sent, answered, done = [0], [0], threading.Event()
    before, _ = scrape(server)

    def load() -> None:
        while not done.is_set():
            sent[0] += 1
            with contextlib.suppress(OSError, http.client.HTTPException):
                if server.request("DELETE", f"{ORDERS}{uuid4()}/").status == 401:
                    answered[0] += 1

    def started() -> int:
        return server.output().count("Started worker")

    wait_until(lambda: started() >= WORKERS, what="both workers", seconds=60)
    loading = threading.Thread(target=load)
    loading.start()
    scrapes = []
    try:
        for _ in range(KILLS):
            goal = started() + 1
            os.kill(random.choice(sorted(server.workers())), signal.SIGKILL)
            deadline = time.monotonic() + 60
            while started() < goal:
                assert time.monotonic() < deadline, "no new worker"
                scrapes.append(scrape(server))
                time.sleep(0.02)  # starting a worker needs some of the machine too
            scrapes.append(scrape(server))
    finally:
        done.set()
        loading.join()
    total, _ = scrape(server)
    counts = [count for count, _ in scrapes]
    assert counts == sorted(counts), "a count that was told once is never taken back"
    assert answered[0] <= total - before <= sent[0]
    assert answered[0] > 20
    seconds = sorted(seconds for _, seconds in scrapes)
    logger.info("%d scrapes; the slowest took %s s.", len(scrapes), [round(each, 3) for each in seconds[-5:]])
    assert len(seconds) > 2 * KILLS
    assert seconds[int(len(seconds) * 0.99)] < 1
    assert seconds[-1] < 5
    living = {f"{kind}_{pid}.db" for pid in server.workers() for kind in ("counter", "histogram")}
    left = {path.name for path in (server.folder / "metrics").glob("*.db")}
    assert left - living <= {"counter_ended.db", "histogram_ended.db"}
    assert "counter_ended.db" in left
