"""Counting on a disk that is full or damaged."""

from __future__ import annotations

import logging
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.mmap_dict import mmap_key

from orders_app.http.metric_files import FIRST_BYTES, ReservedFile, WholeFiles


def key(number: int) -> str:
    made: str = mmap_key("calls", "calls_total", ["number"], [str(number)], "Calls.")
    return made


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """As on a disk that is full: the system refuses to make a file longer."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limit[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)


def count(file: ReservedFile, number: int) -> None:
    value, _ = file.read_value(key(number))
    file.write_value(key(number), value + 1, 0.0)


def test_the_space_is_taken_before_it_is_used(tmp_path: Path) -> None:
    file = ReservedFile(str(tmp_path / "counter_1.db"))
    assert (tmp_path / "counter_1.db").stat().st_blocks * 512 >= FIRST_BYTES, "no holes"
    count(file, 1)
    count(file, 1)
    assert file.read_value(key(1)) == (2.0, 0.0)
    file.close()


def test_without_space_it_counts_in_memory_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with files_of_at_most(100):
        file = ReservedFile(str(tmp_path / "counter_1.db"))
        count(file, 1)
        count(file, 1)
        assert file.read_value(key(1)) == (2.0, 0.0)
    file.close()
    assert "metrics" in caplog.text


def test_a_file_that_cannot_grow_keeps_what_it_has(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = ReservedFile(str(tmp_path / "counter_1.db"))
    with files_of_at_most(FIRST_BYTES):
        for number in range(1000):
            count(file, number)
            count(file, number)
    assert {file.read_value(key(number)) for number in range(1000)} == {(2.0, 0.0)}
    file.close()
    kept = list(ReservedFile.read_all_values_from_file(str(tmp_path / "counter_1.db")))
    assert 100 < len(kept) < 1000
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1


def test_with_space_it_grows(tmp_path: Path) -> None:
    file = ReservedFile(str(tmp_path / "counter_1.db"))
    for number in range(1000):
        count(file, number)
    file.close()
    assert len(list(ReservedFile.read_all_values_from_file(str(tmp_path / "counter_1.db")))) == 1000


@pytest.mark.parametrize(
    "content", [b"", b"\x40\0\0\0\0\0\0\0\x0c\0\0\0" + b"\xff" * 4096, b"\x40\0\0\0" + b"x" * 4092]
)
def test_a_damaged_file_is_left_out(tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    for process in (1, 2):
        file = ReservedFile(str(tmp_path / f"counter_{process}.db"))
        count(file, 1)
        file.close()
    (tmp_path / "counter_3.db").write_bytes(content)
    metrics: list[Metric] = list(WholeFiles(None, path=str(tmp_path)).collect())
    assert [sample.value for metric in metrics for sample in metric.samples] == [2.0]
    assert "counter_3.db" in caplog.text
