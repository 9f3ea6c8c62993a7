"""One event is one line, whatever is in it."""

from __future__ import annotations

import json
import logging
import resource
from pathlib import Path
from uuid import uuid4

import pytest

from orders_app.http.log_files import (
    EVENTS,
    GENERAL,
    BusinessFormatter,
    ProcessFormatter,
    open_log_files,
    write_line,
)
from orders_app.shared.clock import utcnow
from orders_app.shared.correlation import begin, current_request_id


@pytest.mark.parametrize(
    "text",
    [
        'alice\n{"event": "forged"}',
        "a\r\nb",
        "a\x1b[2Jb",
        "a\u2028b",
        "a\u2029b",
        "a\x85b",
        "a\0b",
        "a\x0bb\x0cb\x1cb\x1eb",
        '"quoted" \\ slashed',
        "Кофе 🎉",
        "a\x7fb\x9bb",
    ],
)
def test_nothing_breaks_or_forges_a_line(text: str) -> None:
    record = logging.makeLogRecord({"msg": {"event": "x", "user": text}})
    line = BusinessFormatter().format(record)
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line
    assert json.loads(line)["user"] == text


def test_what_json_does_not_know_is_written_as_text() -> None:
    number = uuid4()
    record = logging.makeLogRecord({"msg": {"id": number, "at": utcnow(), "path": Path("/x")}})
    assert json.loads(BusinessFormatter().format(record))["id"] == str(number)


def test_what_the_process_says_is_one_line_with_the_request_and_the_traceback() -> None:
    begin("abc-123")
    said = {"name": "orders_app.x", "msg": "It\nfailed: %s", "args": ("\u2028",), "levelname": "ERROR"}
    error = ValueError("two\nlines")
    record = logging.makeLogRecord({**said, "exc_info": (type(error), error, None)})
    line = ProcessFormatter().format(record)
    assert len(line.splitlines()) == 1
    fields = json.loads(line)
    assert (fields["level"], fields["logger"], fields["request_id"]) == ("error", "orders_app.x", "abc-123")
    assert fields["message"] == "It\nfailed: \u2028"
    assert "ValueError: two\nlines" in fields["exception"]


def test_a_line_that_cannot_be_written_is_no_secret(tmp_path: Path) -> None:
    open_log_files(tmp_path / "nowhere")
    with pytest.raises(OSError, match="nowhere"):
        write_line(GENERAL, {"event": "lost"})


@pytest.mark.parametrize("how", ["renamed", "truncated", "removed"])
def test_lines_go_on_after_a_rotation(tmp_path: Path, how: str) -> None:
    open_log_files(tmp_path)
    current, rotated = tmp_path / "general.log", tmp_path / "general.log.1"
    write_line(GENERAL, {"event": "before"})
    if how == "renamed":
        current.rename(rotated)
    elif how == "truncated":
        rotated.write_bytes(current.read_bytes())
        current.write_bytes(b"")
    else:
        rotated.write_bytes(current.read_bytes())
        current.unlink()
    write_line(GENERAL, {"event": "after"})
    assert [json.loads(line)["event"] for line in rotated.read_text().splitlines()] == ["before"]
    assert [json.loads(line)["event"] for line in current.read_text().splitlines()] == ["after"]


def test_a_line_after_a_torn_one_is_whole(tmp_path: Path) -> None:
    """Whoever wrote the torn one: a process that died, or this one, on a full disk."""
    log = tmp_path / "general.log"
    log.write_text('{"event": "to')
    open_log_files(tmp_path)
    write_line(GENERAL, {"event": "first"})
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size + 5, limit[1]))
    try:
        with pytest.raises(OSError, match="part of a line"):
            write_line(GENERAL, {"event": "second"})
        with pytest.raises(OSError, match="large"):
            write_line(GENERAL, {"event": "third"})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    write_line(GENERAL, {"event": "fourth"})
    assert log.read_text().splitlines() == [
        '{"event": "to',
        '{"event":"first"}',
        '{"eve',
        '{"event":"fourth"}',
    ]


def test_a_line_after_one_that_another_process_tore_is_whole(tmp_path: Path) -> None:
    open_log_files(tmp_path)
    write_line(GENERAL, {"event": "first"})
    log = tmp_path / "general.log"
    with log.open("a") as another:
        another.write('{"event": "to')
    write_line(GENERAL, {"event": "second"})
    assert log.read_text().splitlines() == ['{"event":"first"}', '{"event": "to', '{"event":"second"}']


def test_a_log_that_was_full_is_written_again_once_it_is_another_file(tmp_path: Path) -> None:
    log = tmp_path / "general.log"
    log.symlink_to("/dev/full")
    open_log_files(tmp_path)
    for _ in range(3):
        with pytest.raises(OSError, match="space"):
            write_line(GENERAL, {"event": "lost"})
    log.unlink()
    write_line(GENERAL, {"event": "written"})
    assert log.read_text() == '{"event":"written"}\n'


def test_the_two_logs_are_two_files(tmp_path: Path) -> None:
    open_log_files(tmp_path)
    open_log_files(tmp_path)
    write_line(EVENTS, {"event": "one"})
    assert (tmp_path / "events.log").read_text().count("\n") == 1, "opened twice, written once"
    assert not (tmp_path / "general.log").exists()


@pytest.mark.parametrize("offered", ["abc-123", "A.b_c-9", "x" * 128])
def test_a_good_request_id_is_kept(offered: str) -> None:
    assert begin(offered) == offered == current_request_id()


@pytest.mark.parametrize(
    "offered", [None, "", "x" * 129, "a b", "a\nb", "<script>", "ä", "a\n", "x" * 10_000, "a/b", "１"]
)
def test_a_bad_request_id_is_replaced(offered: str | None) -> None:
    made = begin(offered)
    assert made != offered
    assert len(made) == 36
    assert current_request_id() == made


def test_the_files_are_not_for_everybody(tmp_path: Path) -> None:
    open_log_files(tmp_path)
    write_line(GENERAL, {"event": "x"})
    assert (tmp_path / "general.log").stat().st_mode & 0o007 == 0
