"""Files that were uploaded: each in a folder of its own with a name at random, for whoever sent it.

All worker processes of the machine see the folder.  A lock of the system, which ends with the process that
holds it, lets one at a time work on a file.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from flask_babel import gettext, lazy_gettext
from werkzeug.datastructures import FileStorage

from orders_app.shared.errors import Conflict, NotFound

KEPT_SECONDS: Final = 24 * 3600
"""How long a file is kept that nobody works on."""
MOST_UPLOADS: Final = 5
"""So many files one person may have here."""
LONGEST_NAME: Final = 150
NOT_HERE: Final = lazy_gettext("There is no such file here, or no longer.")
_TOKEN: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
_ABOUT: Final = "about.json"


@dataclass(slots=True, kw_only=True)
class Upload:
    """What is known of one.  `asked` is how it is to be read, as the form says it."""

    folder: Path
    owner: str
    name: str
    size: int
    asked: dict[str, Any] = field(default_factory=dict)
    seen: dict[str, Any] | None = None
    problem: str | None = None
    result: dict[str, Any] | None = None

    @property
    def token(self) -> str:
        return self.folder.name

    @property
    def content(self) -> Path:
        """The file as it came."""
        return self.folder / "content"

    @property
    def plan(self) -> Path:
        """What is to be done with it, once it was read and checked."""
        return self.folder / "plan.db"

    @property
    def rejects(self) -> Path:
        """What was refused, once all else came in."""
        return self.folder / "rejects.csv"

    def save(self) -> None:
        """Note what is known; who reads it meanwhile finds it as it was or as it is."""
        about = {name: value for name, value in asdict(self).items() if name != "folder"}
        _write(self.folder / _ABOUT, json.dumps(about))

    @contextmanager
    def worked_on(self) -> Iterator[None]:
        """Nobody else works on it until the end.  Raises `Conflict` where somebody does already."""
        with ExitStack() as stack:
            try:
                is_ours = stack.enter_context(_locked(self.folder))
            except OSError:
                raise NotFound(str(NOT_HERE)) from None
            if not is_ours:
                raise Conflict(gettext("This file is being worked on. Wait a moment, then go on."))
            fresh = find(self.folder.parent, self.token, UUID(self.owner))
            for name in ("asked", "seen", "problem", "result"):
                setattr(self, name, getattr(fresh, name))
            os.utime(self.folder / _ABOUT)
            yield

    def remove(self) -> None:
        """Take it away, with all that belongs to it."""
        (self.folder / _ABOUT).unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def store(root: Path, owner: UUID, file: FileStorage) -> Upload:
    """Keep what somebody sent.  Raises `OSError` where there is no room, and `Conflict` for too many."""
    if len(list(uploads_of(root, owner))) >= MOST_UPLOADS:
        raise Conflict(
            gettext("You have %(most)d files here already. Finish or remove one first.", most=MOST_UPLOADS)
        )
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = root / secrets.token_hex(16)
    folder.mkdir(mode=0o700)
    upload = Upload(folder=folder, owner=str(owner), name=shown_name(file.filename or ""), size=0)
    try:
        file.save(upload.content)
        upload.size = upload.content.stat().st_size
        upload.save()
    except OSError:
        upload.remove()
        raise
    return upload


def find(root: Path, token: str, owner: UUID) -> Upload:
    """The upload of this name, if it is this person's.  Raises `NotFound`."""
    if _TOKEN.fullmatch(token):
        with suppress(OSError, ValueError, TypeError):
            upload = Upload(folder=root / token, **json.loads((root / token / _ABOUT).read_text("utf-8")))
            if upload.owner == str(owner):
                return upload
    raise NotFound(str(NOT_HERE))


def uploads_of(root: Path, owner: UUID) -> Iterator[Upload]:
    """Those of one person, the newest first."""
    for _, folder in sorted(_folders(root), reverse=True):
        with suppress(NotFound):
            yield find(root, folder.name, owner)


def sweep(root: Path) -> None:
    """Remove what nobody has touched for a day."""
    for touched, folder in _folders(root):
        if touched < time.time() - KEPT_SECONDS:
            with suppress(OSError), _locked(folder) as is_ours:
                if is_ours:
                    (folder / _ABOUT).unlink(missing_ok=True)
                    shutil.rmtree(folder, ignore_errors=True)


def shown_name(text: str) -> str:
    """The name that a browser gave, to be shown and never to be opened."""
    last = re.split(r"[/\\]", text)[-1]
    return "".join(sign if sign.isprintable() else "?" for sign in last)[-LONGEST_NAME:].strip() or "?"


def _folders(root: Path) -> list[tuple[float, Path]]:
    """When each was touched last."""
    found = []
    with suppress(OSError):
        for folder in root.iterdir():
            about = folder / _ABOUT
            with suppress(OSError):
                if _TOKEN.fullmatch(folder.name):
                    found.append(((about if about.exists() else folder).stat().st_mtime, folder))
    return found


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Whether the lock of this folder was free; it is held until the end."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)


def _write(path: Path, text: str) -> None:
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        fresh.write_text(text, "utf-8")
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
