"""Logs of JSON lines: two files that several processes append to and that may be rotated at any time,
and what the process itself has to say, on standard error."""

from __future__ import annotations

import errno
import logging
import os
import stat
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any

import orjson

from orders_app.shared.clock import rfc3339
from orders_app.shared.correlation import current_request_id

GENERAL = "orders.general"
EVENTS = "orders.events"


# JSON allows these as they are.  Some readers take a few of them for the end of a line, terminals obey
# others (\x9b is what ESC [ is), and the last turn the text around them about.
_ESCAPED = {
    code: f"\\u{code:04x}"
    for code in (*range(0x7F, 0xA0), *range(0x2028, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F)
}


def _line(fields: Any) -> str:
    """One line of JSON, which escapes whatever could break or forge a line, or mislead who reads it."""
    return orjson.dumps(fields, default=str).decode("utf-8", "replace").translate(_ESCAPED)


class BusinessFormatter(logging.Formatter):
    """The record's mapping as it is."""

    def format(self, record: logging.LogRecord) -> str:
        return _line(record.msg)


class ProcessFormatter(logging.Formatter):
    """What the process itself has to say, with the request it was busy with."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "at": rfc3339(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": current_request_id(),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return _line(fields)


class _LineFile(WatchedFileHandler):
    """A file that may be rotated under its writers, and that says so when it cannot be written.

    Each line is one write, so lines of several processes never mix.  A line that only began to be
    written, because the disk was full or a process died, stands alone: the next one begins anew.
    """

    stream: Any  # bytes, not text

    def _open(self) -> Any:
        return open(self.baseFilename, "a+b", buffering=0, opener=_private)

    def emit(self, record: logging.LogRecord) -> None:
        self.reopenIfNeeded()
        if self.stream is None:
            self.stream = self._open()
            self._statstream()
        line = self.format(record).encode() + b"\n"
        if _ends_within_a_line(self.stream.fileno()):
            line = b"\n" + line
        if self.stream.write(line) != len(line):
            raise OSError(errno.ENOSPC, "Only a part of a line could be written", self.baseFilename)


def _private(path: str, flags: int) -> int:
    """Not for everybody: the lines hold names and addresses."""
    return os.open(path, flags, 0o640)


def _ends_within_a_line(descriptor: int) -> bool:
    """Whether somebody, this process or another, wrote a part of a line last."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_size == 0:
        return False  # a pipe or a device has no end
    return os.pread(descriptor, 1, status.st_size - 1) not in (b"\n", b"")


def log_to_stderr() -> None:
    """Send what the process has to say to standard error, as JSON lines."""
    log = logging.getLogger("orders_app")
    log.setLevel(logging.INFO)
    if not any(isinstance(handler.formatter, ProcessFormatter) for handler in log.handlers):
        handler = logging.StreamHandler()
        handler.setFormatter(ProcessFormatter())
        log.addHandler(handler)


def open_log_files(folder: Path) -> None:
    """Point the two business logs at `general.log` and `events.log` in this folder."""
    for name, file_name in ((GENERAL, "general.log"), (EVENTS, "events.log")):
        log = logging.getLogger(name)
        for handler in list(log.handlers):
            log.removeHandler(handler)
            handler.close()
        new = _LineFile(folder / file_name, delay=True)
        new.setFormatter(BusinessFormatter())
        log.addHandler(new)
        log.setLevel(logging.INFO)
        log.propagate = False


def write_line(log: str, fields: dict[str, Any]) -> None:
    """Append one line.

    The lines do not say where in the code they were written, so nobody has to look for that.
    """
    logging.getLogger(log).handle(logging.LogRecord(log, logging.INFO, "", 0, fields, None, None))
