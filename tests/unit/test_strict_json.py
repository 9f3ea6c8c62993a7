"""The one reader of JSON bodies."""

from __future__ import annotations

import contextlib
import time
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask, request

from orders_app.http.bodies import read_json
from orders_app.shared.errors import Malformed, TooLarge, UnsupportedMediaType
from orders_app.shared.strict_json import LONGEST_STRING, MOST_LEVELS, loads


@pytest.mark.parametrize("around", ["%s", "[%s]", '{"a": [[%s]]}', "{%s: 1}"])
def test_no_string_is_longer_than_it_may_be(around: str) -> None:
    assert loads((around % f'"{"x" * LONGEST_STRING}"').encode())
    with pytest.raises(TooLarge):
        loads((around % f'"{"x" * (LONGEST_STRING + 1)}"').encode())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"{}", {}),
        (b" [1, 2.50, 1e2, -0] ", [1, Decimal("2.50"), Decimal("1e2"), 0]),
        (b'{"a": {"a": 1}}', {"a": {"a": 1}}),
        ('"Кофе"'.encode(), "Кофе"),
        (b'"\\ud83c\\udf89"', "🎉"),
        (b"null", None),
        (b"[" * 64 + b"]" * 64, None),
        (b"1" * 4000, int("1" * 4000)),
    ],
)
def test_good_json_is_read(text: bytes, expected: Any) -> None:
    value = loads(text)
    assert expected is None or value == expected


def test_numbers_with_a_point_keep_their_digits() -> None:
    assert str(loads(b"0.10000000000000000001")) == "0.10000000000000000001"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"{bad",
        b"{'a': 1}",
        b"[1,]",
        b'{"a": 1,}',
        b"{} {}",
        b"{}x",
        b"// note\n{}",
        b"[01]",
        b"[.5]",
        b"[+1]",
        b'"a\nb"',
        b'"\\x"',
        b'"\\u12"',
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"\\ud800"',
        b'["\\udfff"]',
        b'{"\\ud800": 1}',
        b'"\\uD800"',
        b'"\\udc00\\ud800"',
        b'{"a": 1, "a": 2}',
        b'{"a": 1, "\\u0061": 2}',
        b'[{"b": {"a": 1, "a": 1}}]',
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b"1" * 5000,
        b"-" + b"9" * 5000,
        b"tru",
        b"nan",
    ],
    ids=lambda text: repr(text[:24]),
)
def test_anything_else_is_malformed(text: bytes) -> None:
    with pytest.raises(Malformed):
        loads(text)


@pytest.mark.parametrize("text", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"1e999999999999999999999"])
def test_numbers_that_are_none_become_values_that_every_field_refuses(text: bytes) -> None:
    value = loads(text)
    assert isinstance(value, Decimal)
    assert not value.is_finite() or value.adjusted() >= 400


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 1_000_000,
        b'{"a":' * 700_000,
        b'{"a": "' + b"[" * 1_000_000 + b'"}',
        b"[" + b"1," * 500_000 + b"1]",
        b"9" * 4_000_000,
    ],
    ids=["nested lists", "nested objects", "brackets in a string", "many numbers", "many digits"],
)
def test_hostile_documents_are_quick(text: bytes) -> None:
    began = time.process_time()
    with contextlib.suppress(Malformed):
        loads(text)
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")], ids=["lists", "objects"])
def test_nesting_goes_so_far(opening: bytes, closing: bytes) -> None:
    def nested(levels: int) -> bytes:
        return opening * levels + b"1" + closing * levels

    assert loads(nested(MOST_LEVELS))
    with pytest.raises(Malformed, match="nested too deeply"):
        loads(nested(MOST_LEVELS + 1))


def test_many_side_by_side_are_not_deep() -> None:
    assert len(loads(b"[" + b"[]," * 1000 + b"{}]")) == 1001


@pytest.mark.parametrize("wrap", [b'{"a": %s}', b'[{"a": %s}]', b'{"a": {"a": %s}}'])
def test_no_string_is_longer_than_any_value_means_to_be(wrap: bytes) -> None:
    text = b'"' + b"x" * (LONGEST_STRING + 1) + b'"'
    with pytest.raises(TooLarge):
        loads(wrap % text)


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/JSON; charset=UTF-8", "application/merge-patch+json"]
)
def test_declared_as_json(content_type: str) -> None:
    assert _read(b"{}", content_type) == {}


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        (None, None),
        ("", None),
        ("text/plain", None),
        ("application/xml", None),
        ("application/x-www-form-urlencoded", None),
        ("application/jsonp", None),
        ("text/json", None),
        ("application/json; charset=latin-1", None),
        ("application/json; charset=utf-16", None),
        ("application/json", "gzip"),
    ],
)
def test_declared_as_something_else(content_type: str | None, encoding: str | None) -> None:
    with pytest.raises(UnsupportedMediaType):
        _read(b"{}", content_type, encoding)


def _read(data: bytes, content_type: str | None, encoding: str | None = None) -> Any:
    headers = {"Content-Encoding": encoding} if encoding else {}
    with Flask("bare").test_request_context(
        method="POST", data=data, content_type=content_type, headers=headers
    ):
        return read_json(request)
