"""The production server, of which a worker can be made to die between a commit and all that follows it.

`python -m tests.cases.mortal_server` starts it.  It is `serve.py` but for the application that its
workers load: this module's, which kills its process (as `kill -9` does) right after the next commit
once the file that `DIE_AFTER_COMMIT` names is there.  The file is removed first, so one process dies of it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.orm import Session

import serve

MARK = "DIE_AFTER_COMMIT"


def load() -> object:
    """The application, made mortal; runs in a worker."""
    from wsgi import app

    mark = Path(os.environ[MARK])

    @event.listens_for(Session, "after_commit")
    def die_if_told(_session: Session) -> None:
        with contextlib.suppress(FileNotFoundError):
            mark.unlink()
            os.kill(os.getpid(), signal.SIGKILL)

    return app


def __getattr__(name: str) -> object:
    if name == "app":
        return load()
    raise AttributeError(name)


if __name__ == "__main__":
    sys.exit(serve.main("tests.cases.mortal_server:app"))
