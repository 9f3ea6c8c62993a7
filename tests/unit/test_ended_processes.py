"""The counters of processes that have ended."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.mmap_dict import MmapedDict, mmap_key

from config import ROOT
from orders_app.http import ended_processes
from orders_app.http.ended_processes import files_at_rest, merge_ended
from tests.disks import full, small_disk

KEY = mmap_key("requests", "requests_total", ["method"], ["GET"], "Requests.")
OTHER = mmap_key("requests", "requests_total", ["method"], ["PUT"], "Requests.")
DAMAGED = b"\x40" + bytes(7) + b"\x7f" * 100
"""Says that its first key is longer than the file."""


@pytest.fixture
def ended() -> int:
    """The id of a process that has ended."""
    done = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    return int(done.stdout)


def write(path: Path, **values: float) -> None:
    file = MmapedDict(str(path))
    for key, value in {KEY: values.get("get", 0), OTHER: values.get("put", 0)}.items():
        if value:
            file.write_value(key, value, 0.0)
    file.close()


def read(path: Path) -> dict[str, float]:
    return {key: value for key, value, *_ in MmapedDict.read_all_values_from_file(path)}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.db")}


def test_they_are_added_up_in_one_file_of_each_kind(tmp_path: Path, ended: int) -> None:
    write(tmp_path / f"counter_{ended}.db", get=3, put=1)
    write(tmp_path / f"histogram_{ended}.db", get=5)
    merge_ended(tmp_path)
    assert names(tmp_path) == {"counter_ended.db", "histogram_ended.db"}
    write(tmp_path / f"counter_{ended}.db", get=4)
    for _ in range(2):
        merge_ended(tmp_path)
    assert names(tmp_path) == {"counter_ended.db", "histogram_ended.db"}
    assert read(tmp_path / "counter_ended.db") == {KEY: 7, OTHER: 1}
    assert read(tmp_path / "histogram_ended.db") == {KEY: 5}
    assert not list(tmp_path.glob("*.new"))


def test_the_files_of_the_living_stay(tmp_path: Path, ended: int) -> None:
    living = {f"counter_{os.getpid()}.db", "counter_1.db", f"histogram_{os.getppid()}.db"}
    for name in living | {f"counter_{ended}.db"}:
        write(tmp_path / name, get=1)
    merge_ended(tmp_path)
    assert names(tmp_path) == living | {"counter_ended.db"}


def test_a_process_that_ended_at_its_start_leaves_nothing(tmp_path: Path, ended: int) -> None:
    (tmp_path / f"counter_{ended}.db").touch()
    (tmp_path / f"histogram_{ended}.db").write_bytes(bytes(65_536))
    merge_ended(tmp_path)
    assert read(tmp_path / "counter_ended.db") == {} == read(tmp_path / "histogram_ended.db")
    assert len(names(tmp_path)) == 2


def test_what_cannot_be_read_is_left_where_it_is(tmp_path: Path, ended: int) -> None:
    damaged = tmp_path / f"counter_{ended}.db"
    damaged.write_bytes(DAMAGED)
    merge_ended(tmp_path)
    assert names(tmp_path) == {damaged.name}


def test_nothing_is_moved_into_what_cannot_be_read(tmp_path: Path, ended: int) -> None:
    (tmp_path / "counter_ended.db").write_bytes(DAMAGED)
    write(tmp_path / f"counter_{ended}.db", get=2)
    merge_ended(tmp_path)
    assert names(tmp_path) == {"counter_ended.db", f"counter_{ended}.db"}
    assert read(tmp_path / f"counter_{ended}.db") == {KEY: 2}


def test_on_a_full_disk_they_stay_in_their_files(tmp_path: Path, ended: int) -> None:
    """In a process of its own: a page that the disk has no room for would end whoever writes to it."""
    with small_disk("1m") as disk:
        if disk is None:
            pytest.skip("mounting a disk is not allowed here")
        write(disk / f"counter_{ended}.db", get=3)
        program = (
            "import sys, pathlib; from orders_app.http.ended_processes import merge_ended\n"
            "merge_ended(pathlib.Path(sys.argv[1]))"
        )
        merge = [sys.executable, "-c", program, str(disk)]
        (disk / "ended.lock").touch()
        with full(disk):
            subprocess.run(merge, check=True, cwd=ROOT)
            assert {path.name for path in disk.iterdir()} == {f"counter_{ended}.db", "ended.lock", "filler"}
        subprocess.run(merge, check=True, cwd=ROOT)
        assert read(disk / "counter_ended.db") == {KEY: 3}


def test_nothing_is_moved_while_somebody_reads(
    tmp_path: Path, ended: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ended_processes, "_PATIENCE_SECONDS", 0.1)
    write(tmp_path / f"counter_{ended}.db", get=3)
    with files_at_rest(tmp_path):
        with files_at_rest(tmp_path):
            merge_ended(tmp_path)
        assert names(tmp_path) == {f"counter_{ended}.db"}
    merge_ended(tmp_path)
    assert names(tmp_path) == {"counter_ended.db"}


def test_nobody_reads_while_something_is_moved(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from orders_app.http.ended_processes import files_at_rest\n"
        "with files_at_rest(pathlib.Path(sys.argv[1])): print('read')"
    )
    with (tmp_path / "ended.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        reader = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE)
        with pytest.raises(subprocess.TimeoutExpired):
            reader.wait(1)
    output, _ = reader.communicate(timeout=30)
    assert output == b"read\n"
