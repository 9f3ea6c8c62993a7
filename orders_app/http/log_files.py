"""Log files of JSON lines that several processes append to and that may be rotated at any time."""

from __future__ import annotations

import logging
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any

import orjson

GENERAL = "orders.general"
EVENTS = "orders.events"


class JSONLineFormatter(logging.Formatter):
    """The record's mapping as one line; JSON escapes whatever could break or forge a line."""

    def format(self, record: logging.LogRecord) -> str:
        fields: Any = record.msg
        text = orjson.dumps(fields, default=str).decode("utf-8", "replace")
        # JSON allows these three as they are, and some readers take them for the end of a line.
        return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\x85", "\\u0085")


def open_log_files(folder: Path) -> None:
    """Point the two business logs at `general.log` and `events.log` in this folder."""
    for name, file_name in ((GENERAL, "general.log"), (EVENTS, "events.log")):
        log = logging.getLogger(name)
        for handler in list(log.handlers):
            log.removeHandler(handler)
            handler.close()
        new = WatchedFileHandler(folder / file_name, encoding="utf-8", delay=True)
        new.setFormatter(JSONLineFormatter())
        log.addHandler(new)
        log.setLevel(logging.INFO)
        log.propagate = False


def write_line(log: str, fields: dict[str, Any]) -> None:
    """Append one line."""
    logging.getLogger(log).info(fields)
