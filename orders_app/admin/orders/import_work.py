"""What is done with an uploaded file: looked at, checked, brought in a batch at a time, put away."""

from __future__ import annotations

import io
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import IO, Any, Final

from flask_babel import get_timezone, gettext
from werkzeug.exceptions import ServiceUnavailable

from orders_app.admin.frame import access
from orders_app.admin.frame.reading import reading_session
from orders_app.admin.orders.import_form import ImportForm, options_of, reading_options
from orders_app.admin.orders.import_words import reason_in_words
from orders_app.admin.orders.uploads import Upload
from orders_app.extensions import unit_of_work
from orders_app.orders.importing.glance import is_utf_16, likely_columns, look_at
from orders_app.orders.importing.input_files import InputFile
from orders_app.orders.importing.kept import KeptImport, Progress, keep
from orders_app.orders.importing.options import Columns, ImportFailed, WrongEncoding
from orders_app.orders.importing.rejects import write_rejects
from orders_app.shared.errors import Conflict, Invalid

MOST_ORDERS: Final = 200_000
"""Of one file: so many fit into the memory of a process that serves others meanwhile."""
ROWS_SHOWN: Final = 3
ORDERS_SHOWN: Final = 5
LINES_SHOWN: Final = 3
REASONS_SHOWN: Final = 20
_LONGEST_CELL: Final = 80
_PIECE: Final = 64 * 1024


def begin(upload: Upload, user: str) -> None:
    """Find out what a file is that has just come.  Raises `ImportFailed` for what is none to import."""
    asked = ImportForm(formdata=None).asked(())
    asked.update(user=user, time_zone=str(get_timezone()))
    if is_utf_16(upload.content):
        asked["encoding"] = "utf-16"
    upload.asked = asked
    with suppress(WrongEncoding):  # that can be said on the page of the file
        _look(upload)
    check(upload, asked)


def check(upload: Upload, asked: dict[str, Any]) -> None:
    """Read the whole file, and keep what is to be done; nothing is brought in.

    Raises `Invalid` for options that cannot be, and `Conflict` once the import has begun.  Why the file
    cannot be read is noted with it.
    """
    if _has_begun(upload):
        raise Conflict(gettext("The import has begun, so it goes on as it was checked."))
    upload.plan.unlink(missing_ok=True)
    upload.asked, upload.problem = asked, None
    with _room():
        try:
            _look(upload)
            assert upload.seen is not None  # noqa: S101  (just looked at)
            options = options_of(asked, upload.seen)
            keep(upload.plan, _file(upload), options, looking=reading_session, most_orders=MOST_ORDERS)
        except ImportFailed as error:
            upload.problem = str(error)
        finally:
            upload.save()


def _look(upload: Upload) -> None:
    """Note what the file is; its columns are what their names say, unless somebody has said it."""
    before = upload.seen
    upload.seen = None
    glance = look_at(_file(upload), reading_options(upload.asked), rows=ROWS_SHOWN)
    rows = [[cell[:_LONGEST_CELL] for cell in row] for row in glance.rows]
    upload.seen = {**asdict(glance), "columns": list(glance.columns), "rows": rows}
    if before is None or before["columns"] != upload.seen["columns"]:
        likely = likely_columns(glance.columns)
        fields_of = {getattr(likely, item.name): item.name for item in fields(Columns)}
        upload.asked["columns"] = [
            # Where two columns have one name it is the first.
            fields_of.pop(name, "")
            for name in glance.columns
        ]


def go_on(upload: Upload) -> Progress | None:
    """Bring in the next orders, and put the file away after the last of them; None if that was done."""
    if upload.result is not None:
        return None
    with plan_of(upload) as plan:
        plan.go_on(unit_of_work, access.current_actor(), looking=reading_session)
        progress = plan.progress()
        if not progress.left:
            _finish(upload, plan)
    return progress


def _has_begun(upload: Upload) -> bool:
    """Whether anything was brought in from it, or may have been."""
    with suppress(NotChecked), plan_of(upload) as plan:
        return plan.progress().has_begun
    return upload.result is not None


class NotChecked(Conflict):
    """It is not known what is to be done with a file, or no longer."""


@contextmanager
def plan_of(upload: Upload) -> Iterator[KeptImport]:
    """What is to be done with a file.  Raises `NotChecked` where that cannot be read."""
    not_checked = NotChecked(gettext("The file is not checked yet. Check it first."))
    try:
        plan = KeptImport(upload.plan)
    except sqlite3.DatabaseError:
        raise not_checked from None
    with _room(), plan:
        try:
            yield plan
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            raise not_checked from None


def rejects_of(upload: Upload) -> Iterator[bytes]:
    """The rejects file in pieces, of what came in or of what would."""
    if upload.result is not None:
        return _pieces_of(upload.rejects.open("rb") if upload.rejects.exists() else io.BytesIO())
    with plan_of(upload) as plan, ExitStack() as stack:
        file = stack.enter_context(tempfile.TemporaryFile(dir=upload.folder))
        _write_rejects(upload, plan, file)
        file.seek(0)
        stack.pop_all()  # closed with its pieces
    return _pieces_of(file)


def _pieces_of(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece


def _write_rejects(upload: Upload, plan: KeptImport, file: IO[bytes]) -> None:
    text = io.TextIOWrapper(file, "utf-8", newline="")
    write_rejects(text, plan.refused(), [upload.name], [plan.columns], reason_in_words)
    text.detach()


def _finish(upload: Upload, plan: KeptImport) -> None:
    """What remains is how it went, and what was refused."""
    upload.result = {**asdict(plan.progress()), "lines_refused": plan.count_refused()}
    upload.result["reasons"] = plan.reasons(REASONS_SHOWN)
    if upload.result["lines_refused"]:
        unfinished = Path(f"{upload.rejects}.part")
        with unfinished.open("wb") as file:
            _write_rejects(upload, plan, file)
        unfinished.replace(upload.rejects)
    upload.save()
    upload.content.unlink(missing_ok=True)
    upload.plan.unlink(missing_ok=True)


def _file(upload: Upload) -> InputFile:
    return InputFile(str(upload.content), label=upload.name)


def shown(upload: Upload) -> dict[str, Any]:
    """What the page of a file shows beside its form: what would become of it, as far as that is known."""
    with suppress(NotChecked), plan_of(upload) as plan:
        return {
            "progress": plan.progress(),
            "lines_refused": plan.count_refused(),
            "reasons": plan.reasons(REASONS_SHOWN),
            "samples": plan.samples(orders=ORDERS_SHOWN, lines=LINES_SHOWN),
        }
    return {}


def wrong_options(upload: Upload) -> Invalid | None:
    """What keeps a file from being checked."""
    try:
        if upload.seen is not None:
            options_of(upload.asked, upload.seen)
    except Invalid as error:
        return error
    return None


@contextmanager
def _room() -> Iterator[None]:
    """The folder of the uploads has an end, and it may be the disk's."""
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        raise no_room() from error


def no_room() -> ServiceUnavailable:
    """What is said where a file cannot be kept."""
    return ServiceUnavailable(
        gettext(
            "The server has no room for the file at the moment. What was brought in is safe; try again later."
        )
    )
