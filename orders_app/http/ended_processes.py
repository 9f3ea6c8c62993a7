"""The counters of worker processes that have ended: kept in the sums, in one file for each kind.

Each process counts in files of its own.  What it counted must stay when it ends, but a worker that dies
every few seconds must not leave more and more files for every scrape to read.  So the process that starts
the workers adds up what ended ones left, and removes their files.

Scrapes and this take turns: while one is made nothing is moved, so nothing is missing or counted twice.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import logging
import os
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict

from orders_app.http.metric_files import space_for

logger = logging.getLogger(__name__)

KINDS = ("counter", "histogram")
_LOCK = "ended.lock"
_PATIENCE_SECONDS = 1.0
_RETRY_SECONDS = 0.02


@contextlib.contextmanager
def files_at_rest(folder: Path) -> Iterator[None]:
    """Keep the files where they are while they are read."""
    with (folder / _LOCK).open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def leave_no_counters() -> None:
    """Remove what this process counted once it ends: it is a command, and nobody asks for its counts."""
    atexit.register(_remove_own, Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]))


def _remove_own(folder: Path) -> None:
    for path in folder.glob(f"*_{os.getpid()}.db"):
        path.unlink(missing_ok=True)


def merge_ended(folder: Path) -> None:
    """Move the counts of all processes that have ended into one file of each kind.

    What cannot be done now is left for the next time; the counts stay where they are until then.
    """
    with (folder / _LOCK).open("ab") as lock:
        if not _locked(lock.fileno()):
            return
        for kind in KINDS:
            left = [path for path in folder.glob(f"{kind}_*.db") if _has_ended(path)]
            try:
                _move(left, folder / f"{kind}_ended.db")
            except OSError as error:
                logger.warning("The counters of ended processes stay in their files: %s", error)


def _locked(descriptor: int) -> bool:
    """Whether the files are this process's alone; a reader that was stopped must not stop it too."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(_RETRY_SECONDS)
        else:
            return True


def _has_ended(path: Path) -> bool:
    """Whether the process whose id is in the name is gone."""
    number = path.stem.rpartition("_")[2]
    if not number.isdecimal():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # somebody else's, so it lives
        return False
    return False


def _move(left: Iterable[Path], target: Path) -> None:
    """Add what these files hold to the target, which is replaced as a whole, and remove them."""
    sums: dict[str, float] = defaultdict(float)
    read = [path for path in left if _add(path, sums)]
    if not read:
        return
    if target.exists() and not _add(target, sums):
        return
    new = target.with_suffix(".new")
    new.unlink(missing_ok=True)
    # Without room for all of it the process that starts the workers would end here, and the service with it.
    space_for(sums, new)
    file = MmapedDict(str(new))
    for key, value in sums.items():
        file.write_value(key, value, 0.0)
    file.close()
    new.replace(target)
    for path in read:
        path.unlink()


def _add(path: Path, sums: dict[str, float]) -> bool:
    """Add the values of one file; False, and nothing added, if it cannot be read."""
    if path.stat().st_size == 0:
        return True  # ended before it had anything to count
    try:
        values = [(key, value) for key, value, *_ in MmapedDict.read_all_values_from_file(path)]
    except Exception:
        logger.warning("A file of the metrics cannot be read: %s", path.name, exc_info=True)
        return False
    for key, value in values:
        sums[key] += value
    return True
