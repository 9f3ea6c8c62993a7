"""A request that is refused before its body was read, on a connection that is kept open."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator

import pytest

from orders_app.http.unread_bodies import MOST_READ_BYTES
from tests.callers import ORDERS
from tests.server.processes import ServerProcess, serving

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving(tmp_path_factory.mktemp("unread"), workers=1) as running:
        yield running


def refused(connection: socket.socket, size: int) -> http.client.HTTPResponse:
    """What is answered to a request without credentials whose body comes a moment after its head."""
    head = f"POST {ORDERS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    connection.sendall(f"{head}Content-Length: {size}\r\n\r\n".encode())
    time.sleep(0.3)
    connection.sendall(b" " * size)
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    answer.read()
    return answer


def test_after_a_small_body_the_connection_goes_on(server: ServerProcess) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        for _ in range(3):
            answer = refused(connection, 1_000)
            assert answer.status == 401
            assert answer.headers["Connection"] is None
        connection.sendall(b"GET /healthz/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")


def test_requests_without_a_body_say_nothing_of_the_connection(server: ServerProcess) -> None:
    for method, path in (
        ("GET", "/healthz/"),
        ("GET", ORDERS),
        ("DELETE", f"{ORDERS}x/"),
        ("GET", "/nothing"),
    ):
        assert server.request(method, path).headers["Connection"] is None


def test_after_a_large_one_the_client_is_told_that_it_ends(server: ServerProcess) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        answer = refused(connection, MOST_READ_BYTES + 1)
        assert (answer.status, answer.headers["Connection"]) == (401, "close")
