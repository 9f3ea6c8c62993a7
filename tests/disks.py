"""A small disk of the tests' own, which may be filled to the last byte."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def small_disk(size: str) -> Iterator[Path | None]:
    """Mount a disk of this size, `24m` for example; None where this user may not mount one."""
    folder = Path(tempfile.mkdtemp(prefix="orders-disk-"))
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "orders-test", str(folder)]
    mounted = (
        shutil.which("mount") and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )
    try:
        yield folder if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


@contextlib.contextmanager
def full(disk: Path) -> Iterator[None]:
    """Not one more byte fits on it."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    yield
    filler.unlink()
