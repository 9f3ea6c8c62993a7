"""What is stored under which key, and what is taken for an entry of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from orders_app.extensions import cache
from tests.api.test_cache import HIT, STORED, status, warm
from tests.callers import ORDERS, Caller, path_of


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "PUT"])
def test_only_reading_fills(alice: Caller, method: str) -> None:
    order = alice.order()
    extra = [order] if method in {"POST", "PUT"} else []
    alice(method, path_of(order), *extra)
    if method != "HEAD":
        assert status(alice.read(order)) == STORED


def test_an_error_is_never_stored(alice: Caller, bob: Caller, admin: Caller) -> None:
    order = alice.order()
    for _ in range(2):
        assert bob.read(order).status_code == 404
        assert bob.get(f"{ORDERS}?page=0").status_code == 422
    admin.patch(path_of(order), {"user": "bob"})
    assert bob.read(order).status_code == 200


def test_the_same_question_in_other_words_is_one_entry(alice: Caller) -> None:
    alice.order()
    warm(alice, path=f"{ORDERS}?status=pending&min_price=1")
    for same in (
        "min_price=1.00&status=pending",
        "status=pending&min_price=1e0&q=&page=1",
        "page_size=50&min_price=01&status=pending&format=json",
    ):
        assert status(alice.get(f"{ORDERS}?{same}")) == HIT


@pytest.mark.parametrize(
    "other",
    [
        "",
        "status=confirmed",
        "status=pending&status=confirmed",
        "page=2",
        "page_size=49",
        "ordering=created_at",
        "q=a",
        "min_price=2",
        "max_price=1",
    ],
)
def test_another_question_is_another_entry(alice: Caller, other: str) -> None:
    warm(alice, path=f"{ORDERS}?status=pending&min_price=1")
    assert status(alice.get(f"{ORDERS}?{other}")) == STORED


def test_invented_parameters_make_no_entries(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    stored: list[str] = []

    def note(_cache: Any, key: str, *_args: Any, **_more: Any) -> bool:
        stored.append(key)
        return True

    monkeypatch.setattr(cache.__class__, "set", note)
    for number in range(50):
        alice.get(f"{ORDERS}?x{number}=1")
    assert stored == []


class Overwriting:
    """Puts something of its own in the place of whatever is stored next."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, change: Callable[[bytes], Any]) -> None:
        original = cache.__class__.set

        def replaced(this: Any, key: str, value: bytes, *args: Any, **more: Any) -> Any:
            return original(this, key, change(value), *args, **more)

        monkeypatch.setattr(cache.__class__, "set", replaced)


FOREIGN: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _entry: b"",
    "garbage": lambda _entry: b"garbage",
    "a pickle": lambda _entry: (
        b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x04true\x94\x85\x94R\x94."
    ),
    "cut off": lambda entry: entry[:40],
    "a forged body": lambda entry: entry.replace(b"84.00", b"00.01"),
    "another signature": lambda entry: b"\0" * 16 + entry[16:],
    "no signature": lambda entry: entry[16:],
    "only a signature": lambda entry: entry[:16],
}


@pytest.mark.parametrize("change", FOREIGN.values(), ids=FOREIGN.keys())
def test_what_we_did_not_write_is_a_miss(
    alice: Caller, monkeypatch: pytest.MonkeyPatch, change: Callable[[bytes], bytes]
) -> None:
    order = alice.order()
    with monkeypatch.context() as patch:
        Overwriting(patch, change)
        alice.read(order)
    answer = alice.read(order)
    assert (status(answer), answer.get_json()) == (STORED, order)


def test_an_entry_under_another_key_is_a_miss(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = alice.order(), alice.order()
    kept: list[bytes] = []

    def keep(entry: bytes) -> bytes:
        kept.append(entry)
        return kept[0]

    with monkeypatch.context() as patch:
        Overwriting(patch, keep)
        alice.read(one)
        alice.read(other)
    answer = alice.read(other)
    assert (status(answer), answer.get_json()) == (STORED, other)
