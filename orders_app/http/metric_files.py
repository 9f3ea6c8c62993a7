"""The files that worker processes count in, made safe against a disk that is full or damaged.

prometheus_client maps them into memory, and leaves two things to chance: a page that the disk has no
room for ends the process when it is first written to (SIGBUS), and one damaged file of one worker makes
every scrape fail.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Metric, values
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

logger = logging.getLogger(__name__)

FIRST_BYTES = 1 << 16
ENTRY_BYTES = 64
"""More than an entry needs beyond its key."""


class ReservedFile(MmapedDict):
    """A file whose pages are all on the disk before one is written to.

    What there is no room for is counted in memory, where no scrape sees it, and the log says so.
    """

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        self._in_memory: dict[str, tuple[float, float]] = {}
        self._positions: dict[str, int] = {}
        self._f: Any = None
        try:
            if not read_mode:
                with Path(filename).open("ab") as file:
                    _reserve(file.fileno(), os.fstat(file.fileno()).st_size or FIRST_BYTES)
            super().__init__(filename, read_mode)
        except OSError as error:
            self._tell(error)

    def read_value(self, key: str) -> tuple[float, float]:
        if key in self._in_memory:
            return self._in_memory[key]
        try:
            known: tuple[float, float] = super().read_value(key)
        except OSError as error:
            self._tell(error)
            return self._in_memory.setdefault(key, (0.0, 0.0))
        return known

    def write_value(self, key: str, value: float, timestamp: float) -> None:
        if key in self._in_memory:
            self._in_memory[key] = (value, timestamp)
        else:
            super().write_value(key, value, timestamp)

    def _init_value(self, key: str) -> None:
        if self._f is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if self._used + len(key.encode()) + ENTRY_BYTES > self._capacity:
            _reserve(self._f.fileno(), self._capacity * 2)
        super()._init_value(key)

    def _tell(self, error: OSError) -> None:
        if not self._in_memory:
            logger.error("The metrics will lack what this process counts from now on: %s", error)


def reserve_space() -> None:
    """Have all metrics that are declared from now on counted in such files."""
    values.MmapedDict = ReservedFile  # type: ignore[attr-defined]  # it offers no other way


def space_for(keys: Collection[str], path: Path) -> None:
    """Make a file that has room for these keys; where the disk has none, leave no file and raise OSError."""
    size = sum(len(key.encode()) + ENTRY_BYTES for key in keys)
    try:
        with path.open("xb") as file:
            _reserve(file.fileno(), max(size, FIRST_BYTES))
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _reserve(descriptor: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)


class WholeFiles(MultiProcessCollector):
    """Sums up the files of all processes, without those that cannot be read."""

    def collect(self) -> Iterable[Metric]:
        files = [str(path) for path in Path(self._path).glob("*.db")]
        try:
            return self.merge(files)
        except Exception:  # noqa: BLE001  # a damaged file makes the library raise anything
            return self.merge([file for file in files if self._is_whole(file)])

    def _is_whole(self, file: str) -> bool:
        try:
            self.merge([file])
        except Exception as error:  # noqa: BLE001  # as above
            logger.warning("A file of the metrics is left out: %s: %s", Path(file).name, error)
            return False
        return True


class WholeFilesRegistry(CollectorRegistry):
    """A registry that reads the files of several processes in this way, whoever adds them to it."""

    def register(self, collector: Collector) -> None:
        tolerant = isinstance(collector, MultiProcessCollector) and not isinstance(collector, WholeFiles)
        super().register(WholeFiles(None) if tolerant else collector)
