"""HT: what the server process answers to bytes that no client library would send."""

from __future__ import annotations

import contextlib
import json
import re
import socket
from uuid import uuid4

import pytest

from orders_app.http.problems import PROBLEM_TYPE
from tests.callers import ORDERS
from tests.cases.served import Person, Served, exchange
from tests.factories import body

pytestmark = pytest.mark.server

BODY = json.dumps(body()).encode()
LENGTH = b"%d" % len(BODY)
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
CLOSE = b"Connection: close\r\n"
NEXT = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % CLOSE
"""What comes after another request on the same connection, and ends it."""
PIPELINED = 100


def statuses(received: bytes) -> list[int]:
    """The status of each answer on a connection."""
    return [int(found) for found in re.findall(rb"HTTP/1\.[01] (\d{3}) ", received)]


def post(person: Person, framing: bytes, content: bytes, version: bytes = b"1.1") -> bytes:
    """A request that makes an order, with these fields to say how long it is."""
    return (
        b"POST /api/v1/orders/ HTTP/%s\r\nHost: localhost\r\nAuthorization: %s\r\n"
        b"Content-Type: application/json\r\n%s\r\n\r\n%s" % (version, person.auth.encode(), framing, content)
    )


@pytest.fixture(scope="module")
def a(served: Served) -> Person:
    """Somebody who sends what is to be refused."""
    return served.person()


def made_by(person: Person) -> int:
    return int(json.loads(person.get(ORDERS).headers["X-Pagination"])["total"])


def check_unharmed(person: Person) -> None:
    """The server goes on, for this person too, and so does what is asked on one connection."""
    before = made_by(person)
    good = post(person, b"Content-Length: %s" % LENGTH, BODY) + post(
        person, b"Transfer-Encoding: chunked", CHUNKS
    )
    assert statuses(exchange(person.server, good + NEXT)) == [201, 201, 200]
    assert made_by(person) == before + 2


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"TRACE /api/v1/orders/", 405),
        (b"CONNECT /api/v1/orders/", 501),
        (b"CONNECT localhost:80", 501),
        (b"CONNECT evil.example:443", 501),
        (b"FOO /api/v1/orders/", 405),
        (b"get /api/v1/orders/", 405),
        (b"Get /api/v1/orders/", 405),
        (b"post /api/v1/orders/", 405),
        (b"get /healthz", 405),
        (b"get /admin/login/", 405),
    ],
)
def test_ht04_a_method_that_is_not_served(a: Person, line: bytes, status: int) -> None:
    head = b"%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: %s\r\n%s\r\n"
    received = exchange(a.server, head % (line, a.auth.encode(), CLOSE))
    assert statuses(received) == [status]
    head, _, content = received.partition(b"\r\n\r\n")
    assert (b"\r\nallow: " in head.lower()) is (status == 405)
    if b"/admin/" not in line and content:
        assert PROBLEM_TYPE.encode() in head
        assert json.loads(content)["status"] == status
    assert a.auth.encode() not in received, "nothing is sent back as it came"
    check_unharmed(a)


@pytest.mark.parametrize(
    "head",
    [
        b"Host: evil.example\r\n",
        b"Host: localhost.evil.example\r\n",
        b"Host: evil.example\r\nHost: localhost\r\n",
        b"Host: localhost\r\nHost: evil.example\r\n",
        b"Host: localhost, evil.example\r\n",
        b"Host: evil.example\r\nX-Forwarded-Host: localhost\r\n",
        b"Host:\r\n",
        b"",
    ],
)
@pytest.mark.parametrize("path", [b"/api/v1/orders/?page_size=1", b"/admin/orders/", b"/"])
def test_ht07_another_host_is_refused(served: Served, head: bytes, path: bytes) -> None:
    received = exchange(served.server, b"GET %s HTTP/1.1\r\n%s%s\r\n" % (path, head, CLOSE))
    assert statuses(received) == [400]
    assert b"evil" not in received


def test_ht07_a_host_in_the_request_line_is_not_repeated(served: Served) -> None:
    line = b"GET http://evil.example/admin/orders/ HTTP/1.1\r\n"
    received = exchange(served.server, line + b"Host: localhost\r\n%s\r\n" % CLOSE)
    assert statuses(received) == [302]
    assert b"\r\nlocation: /admin/login/?next=/admin/orders/\r\n" in received
    assert b"evil" not in received


MALFORMED = {
    "two lengths": (b"Content-Length: %s\r\nContent-Length: 3" % LENGTH, BODY),
    "two lengths the other way round": (b"Content-Length: 3\r\nContent-Length: %s" % LENGTH, BODY),
    "a list of lengths": (b"Content-Length: %s, %s" % (LENGTH, LENGTH), BODY),
    "a length with a sign": (b"Content-Length: +%s" % LENGTH, BODY),
    "a negative length": (b"Content-Length: -1", BODY),
    "a length in another base": (b"Content-Length: 0x10", BODY),
    "a length that is no number": (b"Content-Length: many", BODY),
    "a length beyond all measure": (b"Content-Length: " + b"9" * 40, BODY),
    "no length": (b"Content-Length:", BODY),
    "a blank before the colon": (b"Content-Length : %s" % LENGTH, BODY),
    "a chunk of no size": (b"Transfer-Encoding: chunked", b"zz\r\n%s\r\n0\r\n\r\n" % BODY),
    "a chunk of negative size": (b"Transfer-Encoding: chunked", b"-1\r\n%s\r\n0\r\n\r\n" % BODY),
    "a chunk beyond all measure": (b"Transfer-Encoding: chunked", b"%s\r\n%s\r\n" % (b"f" * 20, BODY)),
    "a chunk in the middle of a body": (
        b"Transfer-Encoding: chunked",
        b"5\r\n%s\r\nzz\r\n%s\r\n0\r\n\r\n" % (BODY[:5], BODY[5:]),
    ),
    "a chunk that is longer than it says": (b"Transfer-Encoding: chunked", b"5\r\n%s\r\n0\r\n\r\n" % BODY),
    "an unknown coding": (b"Transfer-Encoding: xchunked", CHUNKS),
    "a coding after chunked": (b"Transfer-Encoding: chunked, identity", CHUNKS),
    "two codings": (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", CHUNKS),
}


@pytest.mark.parametrize(("framing", "content"), MALFORMED.values(), ids=MALFORMED)
def test_ht08_a_body_of_doubtful_length_is_refused(a: Person, framing: bytes, content: bytes) -> None:
    """And the connection is of no more use, for nobody can tell where the next request begins."""
    before = made_by(a)
    received = exchange(a.server, post(a, framing, content) + NEXT)
    assert statuses(received) == [400]
    assert made_by(a) == before
    check_unharmed(a)


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5",
        b"Content-Length: %d\r\nTransfer-Encoding: chunked" % (len(CHUNKS) + len(NEXT)),
    ],
)
def test_ht08_nothing_is_smuggled_behind_a_body_of_two_lengths(a: Person, framing: bytes) -> None:
    """The server reads such a body by its chunks and closes the connection (RFC 9112, section 6.3).

    What stands behind it is never taken for a request, whichever of the two a proxy would have believed.
    """
    before = made_by(a)
    hidden = post(a, b"Content-Length: %s" % LENGTH, BODY)
    received = exchange(a.server, post(a, framing, CHUNKS) + hidden)
    assert statuses(received) == [201]
    assert b"\r\nconnection: close\r\n" in received.lower()
    assert made_by(a) == before + 1
    check_unharmed(a)


def test_ht08_a_length_that_is_given_twice_alike_is_one_length(a: Person) -> None:
    """RFC 9110, section 8.6, leaves it to the server; the next request begins where both say."""
    before = made_by(a)
    sent = post(a, b"Content-Length: %s\r\nContent-Length: %s" % (LENGTH, LENGTH), BODY)
    assert statuses(exchange(a.server, sent + NEXT)) == [201, 200]
    assert made_by(a) == before + 1
    check_unharmed(a)


@pytest.mark.parametrize(
    ("framing", "content"),
    [
        (b"Content-Length: %d" % (len(BODY) + 1), BODY),
        (b"Content-Length: %s" % LENGTH, BODY[:-1]),
        (b"Transfer-Encoding: chunked", b"%x\r\n%s" % (len(BODY), BODY[:-1])),
    ],
)
def test_ht08_a_body_that_ends_too_soon_is_no_order(a: Person, framing: bytes, content: bytes) -> None:
    before = made_by(a)
    with socket.create_connection(("127.0.0.1", a.server.port), timeout=30) as connection:
        connection.sendall(post(a, framing, content))
        connection.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65_536):
                received += piece
    assert statuses(received) == [400]
    assert PROBLEM_TYPE.encode() in received
    assert made_by(a) == before
    check_unharmed(a)


def test_ht14_no_version_of_anything_is_told(a: Person) -> None:
    requests = [
        NEXT,
        b"GET /api/v1/nothing/ HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % CLOSE,
        b"GET /admin/ HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % CLOSE,
        b"GET /swagger/ HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % CLOSE,
        b"GET /metrics/ HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % CLOSE,
        b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n%s\r\n" % CLOSE,
        b"garbage\r\n\r\n",
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        post(a, b"Content-Length: +1", b"x"),
        post(a, b"%sContent-Length: %s" % (CLOSE, LENGTH), BODY),
    ]
    for sent in requests:
        head = exchange(a.server, sent).partition(b"\r\n\r\n")[0].lower()
        assert head
        assert b"x-powered-by" not in head
        servers = re.findall(rb"^server: (.*?)\r?$", head, re.MULTILINE)
        assert set(servers) <= {b"granian"}
        for name in (b"python", b"werkzeug", b"flask", b"hyper", b"rust", b"gunicorn"):
            assert name not in head


def test_ht16_a_hundred_pipelined_requests_keep_their_own_answers(served: Served) -> None:
    """All are sent before one answer is read; reads, writes, refusals and absences among them."""
    a, b = served.person(), served.person()
    orders = [a.order(total_price=number) for number in range(5)]
    sent, expected = [], []
    for number in range(PIPELINED):
        name, order = f"r-{number}-{uuid4().hex[:6]}", orders[number % 5]
        kind = number % 4
        who = b if kind == 1 else a
        path = f"{ORDERS}{order['order_id']}/"
        more = b""
        if kind == 2:
            more = b"Content-Type: application/json\r\nContent-Length: %s\r\n" % LENGTH
        line = f"POST {ORDERS}" if kind == 2 else f"GET {path}{'?page=0' if kind == 3 else ''}"
        last = b"Connection: close\r\n" if number == PIPELINED - 1 else b""
        head = f"{line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {who.auth}\r\nX-Request-ID: {name}\r\n"
        sent.append(head.encode() + more + last + b"\r\n" + (BODY if kind == 2 else b""))
        expected.append((name, {0: 200, 1: 404, 2: 201, 3: 422}[kind], order["order_id"]))
    received = exchange(served.server, b"".join(sent))
    answers = split_answers(received)
    assert [(head["x-request-id"], status) for status, head, _ in answers] == [
        (name, status) for name, status, _ in expected
    ]
    for (status, _, content), (name, _, order_id) in zip(answers, expected, strict=True):
        found = json.loads(content)
        if status == 200:
            assert found["order_id"] == order_id
        elif status != 201:
            assert (found["request_id"], found["status"]) == (name, status)
    made = [json.loads(content)["order_id"] for status, _, content in answers if status == 201]
    assert len(set(made)) == PIPELINED // 4
    assert {order["order_id"] for order in a.get(f"{ORDERS}?page_size=200").json()} >= set(made)


def split_answers(received: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    """The answers on a connection, each with its status, its headers and its body."""
    answers = []
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        size = int(headers["content-length"])
        answers.append((int(first.split()[1]), headers, received[:size]))
        received = received[size:]
    return answers


def test_ht16_requests_on_connections_that_are_kept_open_keep_their_own_answers(served: Served) -> None:
    """One after the other on each of ten connections, with the other connections in between."""
    people = [served.person() for _ in range(3)]
    orders = [person.order(total_price=number) for number, person in enumerate(people)]
    connections = [socket.create_connection(("127.0.0.1", served.server.port), timeout=10) for _ in range(10)]
    try:
        for turn in range(10):
            for number, connection in enumerate(connections):
                whose = (turn + number) % 3
                head = f"GET {ORDERS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {people[whose].auth}\r\n"
                connection.sendall(f"{head}X-Request-ID: t-{turn}-{number}\r\n\r\n".encode())
            for number, connection in enumerate(connections):
                received = b""
                while b"\r\n\r\n" not in received or not received.endswith(b"]"):
                    received += connection.recv(65_536)
                ((status, headers, content),) = split_answers(received)
                assert (status, headers["x-request-id"]) == (200, f"t-{turn}-{number}")
                assert json.loads(content) == [orders[(turn + number) % 3]]
    finally:
        for connection in connections:
            connection.close()
