"""Bodies: what is read of them, and what is refused.  Nothing here is a 5xx, and nothing makes an order."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest
from flask import Flask

from tests.callers import ORDERS, USERS, Caller, path_of
from tests.cases.operations import Measured, each, measured, operations
from tests.factories import body, line

MEGABYTE = 1024 * 1024
GOOD = json.dumps(body()).encode()


def malformed(caller: Caller, raw: bytes, method: str = "POST", path: str = ORDERS) -> bool:
    """Whether it is refused as what cannot be read."""
    answer = caller(method, path, raw=raw)
    return (answer.status_code, answer.get_json()["code"]) == (400, "malformed_json")


@pytest.mark.parametrize(
    "content_type",
    [
        *("", "text/plain", "text/html", "text/json", "application/xml", "application/octet-stream", "json"),
        *("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp"),
        *("application/json5", "applicationjson", "application/json/x", "image/json", "*/*", "\u00e4"),
    ],
    ids=ascii,
)
def test_in01_what_is_not_json_is_not_read(app: Flask, admin: Caller, content_type: str) -> None:
    """On every operation that takes a body.  Forms are taken where the original took them: at the log-in."""
    order = admin.order()
    for operation in operations(app):
        if operation.takes_body:
            path = operation.path(order_id=order["order_id"])
            answer = admin(operation.method, path, raw=GOOD, headers={"Content-Type": content_type})
            is_form = "form" in content_type and operation.rule == "/api/v1/login/"
            assert answer.status_code == (422 if is_form else 415), str(operation)
            if not is_form:
                assert answer.get_json()["code"] == "unsupported_media_type"
    assert admin.read(order).get_json() == order
    assert len(admin.orders()) == 1


def test_in01_a_missing_type_is_not_guessed(app: Flask, admin: Caller) -> None:
    answer = app.test_client().post(ORDERS, data=GOOD, headers={"Authorization": admin.authorization or ""})
    assert answer.status_code == 415
    assert admin.orders() == []


@pytest.mark.parametrize(
    ("content_type", "raw", "status"),
    [
        ("application/json; charset=latin-1", GOOD, 415),
        ("application/json; charset=iso-8859-1", '{"products": "\u00e4"}'.encode("latin-1"), 415),
        ("application/json; charset=utf-16", json.dumps(body()).encode("utf-16"), 415),
        ("application/json; charset=utf-7", GOOD, 415),
        ("application/json; charset=nonsense", GOOD, 415),
        ("application/json", json.dumps(body()).encode("utf-16"), 400),
        ("application/json", json.dumps(body()).encode("utf-16-le"), 400),
        ("application/json", json.dumps(body()).encode("utf-32"), 400),
        ("application/json", b"\xef\xbb\xbf" + GOOD, 400),
        ("application/json; charset=utf-8", b"\xef\xbb\xbf" + GOOD, 400),
        ("application/json; charset=UTF-8", GOOD, 201),
        ('application/json; charset="utf-8"', GOOD, 201),
    ],
    ids=ascii,
)
def test_in02_json_is_in_utf_8(alice: Caller, content_type: str, raw: bytes, status: int) -> None:
    assert alice.post(ORDERS, raw=raw, headers={"Content-Type": content_type}).status_code == status


@pytest.mark.parametrize(
    "raw",
    [
        *(
            b"",
            b" ",
            b"{bad",
            b"{'a': 1}",
            b"[1,]",
            b"// note\n{}",
            b"/* note */{}",
            b"{}x",
            b"{} {}",
            b"{}\n{}",
        ),
        *(
            b"[01]",
            b"[.5]",
            b"[+1]",
            b"[0x10]",
            b"tru",
            b"nan",
            b'"a\nb"',
            b'"\\x"',
            b'"\\u12"',
            b"undefined",
        ),
        *(
            GOOD[:-1],
            GOOD + b",",
            GOOD + GOOD,
            GOOD[:-1] + b",}",
            GOOD + b"//",
            b"# note\n" + GOOD,
            b"(" + GOOD,
        ),
        *(
            b'{"products": [],}',
            b'{"a": 1,, "b": 2}',
            b'{"a" 1}',
            b"{a: 1}",
            b'{"a": }',
            b"\x00" + GOOD,
            b"{,}",
        ),
        # A key twice, also written in two ways, also deep inside.
        *(b'{"a": 1, "a": 2}', b'{"a": 1, "\\u0061": 2}', b'{"b": [{"a": 1, "a": 1}]}'),
        # Half of a surrogate pair, as a value and as a key.
        *(b'"\\ud800"', b'["\\udfff"]', b'{"\\ud800": 1}', b'"\\udc00\\ud800"'),
    ],
    ids=repr,
)
def test_in04_what_is_no_json_is_malformed(alice: Caller, raw: bytes) -> None:
    order = alice.order()
    assert malformed(alice, raw)
    assert malformed(alice, raw, "PUT", path_of(order))
    assert malformed(alice, raw, "PATCH", path_of(order))
    assert malformed(alice, raw, path="/api/v1/login/")
    assert alice.orders() == [order]


@each("octets", [b"\xff", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\x80", b"\xe4"])
def test_in05_what_is_no_utf_8_is_malformed(alice: Caller, octets: bytes) -> None:
    for raw in (
        b'{"products": [{"name": "%s", "price": 1, "quantity": 1}]}' % octets,
        b'{"%s": 1}' % octets,
        octets + GOOD,
        GOOD + octets,
    ):
        assert malformed(alice, raw)
    assert alice.orders() == []


def nested(levels: int) -> list[tuple[str, bytes]]:
    """What is nested so deeply, as lists and as objects: as the body, in fields that are known and not."""
    lists = b"[" * levels + b"]" * levels
    objects = b'{"a":' * levels + b"1" + b"}" * levels
    good = b'{"products": [{"name": "a", "price": 1, "quantity": 1}], '
    places = {
        "the body": b"%s",
        "an unknown field": good + b'"x": %s}',
        "a field that is not applied": good + b'"version": %s}',
        "the status": good + b'"status": %s}',
        "the name of a line": b'{"products": [{"name": %s, "price": 1, "quantity": 1}]}',
    }
    if levels > 100_000:
        # Of so many objects fewer fit in a body; one that is not even closed costs no less.
        objects = objects[: 3 * MEGABYTE]
    return [
        (f"{kind} as {place}", form % value)
        for kind, value in (("lists", lists), ("objects", objects))
        for place, form in places.items()
    ]


@pytest.mark.parametrize("levels", [1_000, 20_000, 100_000, 1_000_000])
def test_in08_absurd_nesting_is_malformed_and_quick(app: Flask, alice: Caller, levels: int) -> None:
    """Less than 100 ms of the processor each; measured at the application itself."""
    auth = alice.authorization or ""
    for place, raw in nested(levels):
        answer = measured(app, "POST", ORDERS, raw=raw, authorization=auth)
        assert (answer.status, answer.json()["code"]) == (400, "malformed_json"), place
        assert answer.seconds < 0.1, place
    assert alice.orders() == []


@pytest.mark.parametrize("levels", [1_000, 20_000, 100_000, 1_000_000])
def test_in08_brackets_in_a_string_are_text(app: Flask, alice: Caller, levels: int) -> None:
    """They nest nothing: too long for a name, and unknown as a status; a short name may have some."""

    def ask(sent: dict[str, Any]) -> Measured:
        raw = json.dumps(sent).encode()
        return measured(app, "POST", ORDERS, raw=raw, authorization=alice.authorization or "")

    for text in ("[" * levels, "[" * (levels // 2) + "]" * (levels // 2), '{"a":' * (levels // 5)):
        for sent in (body(products=[line(name=text)]), body(status=text), body(products=text), {text: 1}):
            answer = ask(sent)
            assert answer.status == 422
            assert answer.seconds < 0.1
    assert alice.order(products=[line(name="[" * 255)])["products"][0]["name"] == "[" * 255


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_in10_a_body_that_is_too_large_is_refused(alice: Caller, method: str) -> None:
    """10 MB, which is over the 4 MiB that are taken; over the wire it is tested on a server."""
    order = alice.order()
    path = ORDERS if method == "POST" else path_of(order)
    for raw in (GOOD + b" " * (10 * MEGABYTE), GOOD + b" " * (4 * MEGABYTE), b"x" * (4 * MEGABYTE + 1)):
        answer = alice(method, path, raw=raw)
        assert (answer.status_code, answer.get_json()["code"]) == (413, "too_large")
    assert alice.orders() == [order]


@pytest.mark.parametrize(
    ("encoding", "raw"),
    [
        ("gzip", gzip.compress(GOOD)),
        ("gzip", gzip.compress(b" " * (100 * MEGABYTE))),
        ("GZIP", gzip.compress(GOOD)),
        ("gzip", GOOD),
        ("x-gzip", gzip.compress(GOOD)),
        ("deflate", zlib.compress(GOOD)),
        ("br", GOOD),
        ("zstd", GOOD),
        ("identity, gzip", gzip.compress(GOOD)),
        ("gzip, gzip", gzip.compress(gzip.compress(GOOD))),
    ],
    ids=lambda value: value if isinstance(value, str) else str(len(value)),
)
def test_in11_compressed_bodies_are_not_read(app: Flask, alice: Caller, encoding: str, raw: bytes) -> None:
    for path in (ORDERS, "/api/v1/login/"):
        assert alice.post(path, raw=raw, headers={"Content-Encoding": encoding}).status_code == 415
    order = alice.order()
    assert alice.put(path_of(order), raw=raw, headers={"Content-Encoding": encoding}).status_code == 415
    # And one that is not said to be compressed is no JSON.
    assert raw == GOOD or malformed(alice, raw)


@pytest.mark.parametrize("digits", [5_000, 100_000, 3_000_000])
def test_in13_numbers_of_so_many_digits_are_malformed(app: Flask, alice: Caller, digits: int) -> None:
    number = b"9" * digits
    for raw in (
        b'{"products": [{"name": "a", "price": %s, "quantity": 1}]}' % number,
        b'{"products": [{"name": "a", "price": 1, "quantity": -%s}]}' % number,
        b'{"products": [{"name": "a", "price": 1, "quantity": 1}], "version": %s}' % number,
        b'{"products": [{"name": "a", "price": 1, "quantity": 1}], "x": [%s]}' % number,
        number,
    ):
        answer = measured(app, "POST", ORDERS, raw=raw, authorization=alice.authorization or "")
        assert (answer.status, answer.json()["code"]) == (400, "malformed_json")
        assert len(answer.body) < 1000
        assert answer.seconds < 0.1
    assert alice.orders() == []


def test_in13_a_number_that_is_merely_long_is_a_value_that_no_field_takes(admin: Caller) -> None:
    for digits in (20, 400, 4_000):
        sent = b'{"products": [{"name": "a", "price": 1, "quantity": %s}]}' % (b"9" * digits)
        assert admin.post(ORDERS, raw=sent).status_code == 422
        assert admin.post(USERS, raw=b'{"username": %s}' % (b"9" * digits)).status_code == 422
