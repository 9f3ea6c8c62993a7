"""CA: what stands in the real Redis and in the real files, whoever wrote it there, and where nobody can."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
import redis
from flask import Flask

from orders_app.orders import cache as orders_cache
from tests.callers import ORDERS, Caller, path_of
from tests.cases.served import Served
from tests.conftest import Backend
from tests.servers import RedisServer

HIT, STORED, MISS = "orders; hit", "orders; fwd=miss; stored", "orders; fwd=miss"
COUNT_FILE = hashlib.sha256(b"__wz_cache_count").hexdigest()
EXPIRY_BYTES = 4
INVENTED = 300


@pytest.fixture(autouse=True)
def nothing_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process keeps answers in its own memory: these cases are about what stands in the common cache."""
    monkeypatch.setattr(orders_cache, "keep_ready", lambda *_: None)


class Store(Protocol):
    """Where entries stand, under the names that they have there."""

    def names(self) -> set[str]: ...
    def read(self, name: str) -> bytes: ...
    def write(self, name: str, value: bytes) -> None: ...
    def clear(self) -> None: ...


class Files:
    """The folder of the file cache; the time at which an entry ends stays as it was written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()} - {COUNT_FILE}

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()[EXPIRY_BYTES:]

    def write(self, name: str, value: bytes) -> None:
        path = self.folder / name
        path.write_bytes(path.read_bytes()[:EXPIRY_BYTES] + value)

    def clear(self) -> None:
        for name in self.names():
            (self.folder / name).unlink()


class Keys:
    """The keys of this service in a Redis."""

    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(url)

    def names(self) -> set[str]:
        return {key.decode() for key in self.client.scan_iter("orders:*")}

    def read(self, name: str) -> bytes:
        value = self.client.get(name)
        assert isinstance(value, bytes)
        return value

    def write(self, name: str, value: bytes) -> None:
        self.client.set(name, value, keepttl=True)

    def clear(self) -> None:
        for name in self.names():
            self.client.delete(name)


@pytest.fixture
def store(app: Flask, backend: Backend) -> Iterator[Store]:
    """What the application of this back end stores in, with nothing in it."""
    if not backend.has_redis:
        files = Files(backend.config.cache_dir)
        files.clear()
        yield files
        return
    keys = Keys(backend.config.redis_url)
    keys.clear()
    yield keys
    keys.client.close()


@pytest.mark.server
def test_ca19_invented_parameters_make_no_keys(served: Served, request: pytest.FixtureRequest) -> None:
    if served.backend == "postgresql+redis":
        keys = Keys(request.getfixturevalue("redis_server").url)
        request.addfinalizer(keys.client.close)
        where: Store = keys
    else:
        where = Files(served.server.folder / "cache")
    a = served.person()
    order = a.order()
    for path in (ORDERS, path_of(order)):
        a.everywhere(path)
    before = where.names()
    assert before
    for number in range(INVENTED):
        path = path_of(order) if number % 3 == 0 else ORDERS
        assert a.get(f"{path}?invented{number}={number}").status == 422
    assert where.names() == before


class Bomb:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self._mark}",)


GARBAGE: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _entry: b"",
    "a word": lambda _entry: b"garbage",
    "a number": lambda _entry: b"12",
    "a number beyond all measure": lambda _entry: b"9" * 5_000,
    "random bytes": lambda _entry: os.urandom(5_000),
    "JSON": lambda _entry: b'{"order_id": "x"}',
    "what the stock backend would have stored": lambda entry: b"!" + pickle.dumps(entry),
    "cut off": lambda entry: entry[:40],
    "a forged body": lambda entry: entry.replace(b"84.00", b"00.01"),
    "another signature": lambda entry: b"\0" * 16 + entry[16:],
    "no signature": lambda entry: entry[16:],
    "only a signature": lambda entry: entry[:16],
    "twice": lambda entry: entry + entry,
}


class TestWhatOthersWrote:
    def check(self, alice: Caller, store: Store, spoil: Callable[[bytes], bytes]) -> None:
        """Whatever is put in the place of an entry is a miss, and gives way to a good one."""
        order = alice.order()
        for path, expected in ((path_of(order), order), (ORDERS, [order])):
            store.clear()
            assert alice.get(path).headers["Cache-Status"] == STORED
            (name,) = store.names()
            store.write(name, spoil(store.read(name)))
            answer = alice.get(path)
            assert (answer.status_code, answer.headers["Cache-Status"]) == (200, STORED)
            assert answer.get_json() == expected
            assert alice.get(path).headers["Cache-Status"] == HIT

    @pytest.mark.parametrize("spoil", GARBAGE.values(), ids=GARBAGE)
    def test_ca21_garbage_under_our_key_is_a_miss(
        self, alice: Caller, store: Store, spoil: Callable[[bytes], bytes]
    ) -> None:
        self.check(alice, store, spoil)

    @pytest.mark.parametrize("first", [b"", b"!"])
    def test_ca21_no_code_is_run(self, alice: Caller, store: Store, tmp_path: Path, first: bytes) -> None:
        mark = tmp_path / "mark"
        bomb = pickle.dumps(Bomb(mark))
        pickle.loads(bomb)  # noqa: S301  (so that it is known to work)
        assert mark.exists()
        mark.unlink()
        self.check(alice, store, lambda _entry: first + bomb)
        assert not mark.exists()

    def test_ca21_the_form_of_another_release_is_a_miss(
        self, alice: Caller, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        order = alice.order()
        with monkeypatch.context() as patch:
            patch.setattr(orders_cache, "_FORM", b"1\0")
            alice.read(order)
        answer = alice.read(order)
        assert (answer.headers["Cache-Status"], answer.get_json()) == (STORED, order)

    def test_ca21_an_entry_under_another_key_is_a_miss(self, alice: Caller, store: Store) -> None:
        one, other = alice.order(), alice.order()
        alice.read(one)
        (first,) = store.names()
        alice.read(other)
        (second,) = store.names() - {first}
        store.write(second, store.read(first))
        answer = alice.read(other)
        assert (answer.headers["Cache-Status"], answer.get_json()) == (STORED, other)

    @pytest.mark.redis
    @pytest.mark.postgres
    @pytest.mark.parametrize("backend", ["postgresql+redis"], indirect=True)
    def test_ca21_a_value_of_another_type_is_a_miss(
        self, app: Flask, make_app: Callable[..., Flask], store: Keys
    ) -> None:
        """Redis calls that an error, so this application asks it nothing more for a while."""
        alice = Caller.by_token(make_app(), "alice")
        order = alice.order()
        alice.read(order)
        (name,) = store.names()
        store.client.delete(name)
        store.client.rpush(name, "one", "two")
        answer = alice.read(order)
        assert (answer.status_code, answer.get_json()) == (200, order)

    @pytest.mark.parametrize("content", [b"", b"\0", b"9" * 5_000, b"\xff" * 4, b"\xff" * 400])
    @pytest.mark.parametrize("backend", ["sqlite+files"], indirect=True)
    def test_ca21_a_file_that_is_no_entry_at_all_is_a_miss(
        self, alice: Caller, store: Files, content: bytes
    ) -> None:
        """Neither in the place of an entry nor in that of the count of entries."""
        order = alice.order()
        for name in ("an entry", COUNT_FILE):
            alice.read(order)
            (entry,) = store.names()
            (store.folder / (entry if name == "an entry" else name)).write_bytes(content)
            if name == COUNT_FILE:
                store.clear()
            answer = alice.read(order)
            assert (answer.status_code, answer.get_json()) == (200, order)
            assert answer.headers["Cache-Status"] == STORED
        assert alice.read(order).headers["Cache-Status"] == HIT


def check_without(app: Flask) -> None:
    """Every request is answered, nothing is stored, and what is read is what stands."""
    alice = Caller.by_token(app, "alice")
    order = alice.order()
    for number in range(1, 4):
        for path in (path_of(order), ORDERS):
            answers = [alice.get(path) for _ in range(2)]
            assert {answer.headers["Cache-Status"] for answer in answers} == {MISS}
        changed = alice.patch(path_of(order), {"total_price": number})
        assert changed.status_code == 200
        assert alice.read(order).get_json() == changed.get_json()
        assert alice.orders() == [changed.get_json()]
    assert alice.get("/readyz/").get_json()["status"] == "degraded"


@pytest.mark.parametrize("backend", ["sqlite+files"], indirect=True)
class TestNowhereToWriteFiles:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path / "cache"

    def test_ca22_the_folder_cannot_be_written(
        self, app: Flask, make_app: Callable[..., Flask], folder: Path
    ) -> None:
        """Root may write to every folder, so it becomes a file: nobody can write into that."""
        without = make_app(cache_dir=folder)
        shutil.rmtree(folder)
        folder.write_bytes(b"")
        check_without(without)

    def test_ca22_the_disk_is_full(
        self, app: Flask, make_app: Callable[..., Flask], folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Files that are made open, and then the system refuses every byte, as on a full disk."""
        without = make_app(cache_dir=folder)
        make = tempfile.mkstemp

        def make_full(suffix: str, dir: str) -> tuple[int, str]:  # noqa: A002  (the library's name)
            descriptor, name = make(suffix=suffix, dir=dir)
            os.close(descriptor)
            return os.open("/dev/full", os.O_WRONLY), name

        monkeypatch.setattr(tempfile, "mkstemp", make_full)
        check_without(without)


@pytest.mark.redis
@pytest.mark.postgres
@pytest.mark.parametrize("backend", ["postgresql+redis"], indirect=True)
@pytest.mark.parametrize("setting", [("maxmemory", "1", "0"), ("min-replicas-to-write", "1", "0")])
def test_ca22_redis_takes_nothing(
    app: Flask,
    backend: Backend,
    make_app: Callable[..., Flask],
    redis_server: RedisServer,
    setting: tuple[str, str, str],
) -> None:
    """It is full, or may not write; the folder for files plays no part where there is a Redis."""
    name, full, usual = setting
    with redis.Redis.from_url(redis_server.url) as client:
        client.config_set(name, full)
        try:
            without = make_app()
            alice = Caller.by_token(without, "alice")
            order = alice.order()
            for number in range(1, 4):
                assert {alice.get(ORDERS).headers["Cache-Status"] for _ in range(2)} == {MISS}
                changed = alice.patch(path_of(order), {"total_price": number})
                assert alice.read(order).get_json() == changed.get_json()
        finally:
            client.config_set(name, usual)
