"""A Flask-Caching backend that stores bytes as they are, and whose absence nobody notices.

The stock one pickles values, so whoever can write to the folder could run code here.  `Cache` finds this by
its dotted path (`CACHE_TYPE`); the one for Redis is in `redis_cache.py`.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import struct
import tempfile
import time
from array import array
from collections.abc import Callable, Generator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

from flask import Flask
from flask_caching.backends.filesystemcache import FileSystemCache

from orders_app.http.metrics import CACHE_FAILURES

logger = logging.getLogger(__name__)

_EXPIRES = struct.Struct("I")
"""How a file of the cache begins: until when it is good, in seconds of the epoch; 0 is for ever."""
_LONGEST_COUNT = 18


class BytesSerializer:
    """Bytes in, the same bytes out; numbers as ASCII, for the file cache's own count of its files."""

    def dumps(self, value: bytes | int) -> bytes:
        return value if isinstance(value, bytes) else b"%d" % value

    def loads(self, value: bytes | None) -> bytes | None:
        return value

    def dump(self, value: bytes | int, file: IO[bytes]) -> None:
        file.write(self.dumps(value))

    def load(self, file: IO[bytes]) -> bytes:
        return file.read()


class SharedFileCache(FileSystemCache):
    """Files that all worker processes of the machine share; a full or read-only disk is a miss."""

    serializer = BytesSerializer()  # type: ignore[assignment]  # no common base is declared
    _is_failing = False

    @classmethod
    def factory(
        cls, app: Flask, config: dict[str, Any], args: list[Any], kwargs: dict[str, Any]
    ) -> FileSystemCache:
        return cls(
            cache_dir=config["CACHE_DIR"],
            threshold=config["CACHE_THRESHOLD"],
            default_timeout=config["CACHE_DEFAULT_TIMEOUT"],
        )

    def get(self, key: str) -> Any:
        try:
            with Path(self._get_filename(key)).open("rb") as file:
                (expires,) = _EXPIRES.unpack(file.read(_EXPIRES.size))
                return self.serializer.load(file) if expires == 0 or expires >= time.time() else None
        except FileNotFoundError:
            return None
        except (OSError, ValueError, struct.error) as error:
            self._fail(error)
            return None

    @property
    def _file_count(self) -> int:
        """How many entries there are; counted anew where the file that says so says no number."""
        said = self.get(self._fs_count_file)
        if isinstance(said, bytes) and said.isdigit() and len(said) <= _LONGEST_COUNT:
            return int(said)
        return sum(1 for _ in self._list_dir())

    def _prune(self) -> None:
        """Make room for many entries at once: to look at all files is nothing for every new one."""
        if not self._over_threshold():
            return
        folder = os.open(self._path, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # somebody else is at it
        else:
            self._remove_oldest()
        finally:
            os.close(folder)

    def _remove_oldest(self) -> None:
        """All entries are good for the same time, so the oldest are the first to expire.

        The folder is looked through twice, rather than that its thousands of names are kept in memory.
        """
        ages = array("d", (age for _, age in self._entries()))
        kept = self._threshold * 4 // 5
        excess = max(len(ages) - kept, 0)
        if excess:
            limit = sorted(ages)[excess - 1]
            for path, age in self._entries():
                if age <= limit:
                    Path(path).unlink(missing_ok=True)
        self._update_count(value=len(ages) - excess)

    def _entries(self) -> Iterator[tuple[str, float]]:
        """The path of each entry, and when it was written."""
        with os.scandir(self._path) as found:
            for entry in found:
                if not self._is_mgmt(entry.name):
                    with contextlib.suppress(FileNotFoundError):
                        yield entry.path, entry.stat().st_mtime

    def _list_dir(self) -> Generator[str]:
        return (path for path, _ in self._entries())

    def set(
        self, key: str, value: Any, timeout: int | timedelta | None = None, mgmt_element: bool = False
    ) -> bool:
        try:
            if not mgmt_element:
                self._prune()
            path = Path(self._get_filename(key))
            is_new = not path.exists()
            self._write(path, _EXPIRES.pack(0 if mgmt_element else self._normalize_timeout(timeout)), value)
            if is_new and not mgmt_element:
                self._update_count(delta=1)
        except OSError as error:
            self._fail(error)
            return False
        self._is_failing = False
        return True

    def _write(self, path: Path, head: bytes, value: Any) -> None:
        """Put the whole file in its place or nothing, and leave nothing beside it."""
        descriptor, temporary = tempfile.mkstemp(suffix=self._fs_transaction_suffix, dir=self._path)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(head)
                self.serializer.dump(value, file)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def _run_safely(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        # By itself it tries for ten seconds what it may not do; a request would wait for that.
        return fn(*args, **kwargs)

    def _fail(self, error: Exception) -> None:
        CACHE_FAILURES.inc()
        if not self._is_failing:
            self._is_failing = True
            logger.warning("The cache folder cannot be used (%s); going on without it.", error)

    def is_reachable(self) -> bool:
        """Whether a file can be written now; asked by the readiness check."""
        return self.set("readiness", b"-", 60)
