"""A PostgreSQL that does not answer costs a known time, and not every request.

The server's own time-outs need a server that runs.  One that was stopped in the middle, or whose machine
is gone, says nothing at all, and as long as a kernel at its end acknowledges packets, TCP sees nothing
wrong either.  So every wait has an end on this side too; and once one was used up, nobody waits for a
connection again until somebody has found that there is one to be had.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import Connection, Engine, event

from orders_app.http.breaker import Breaker

PING_SECONDS = 2.0
BREAK_SECONDS = 2.0
GRACE_SECONDS = 1.0
"""How much longer than the server this side waits: its own word comes first, where it has one."""


class PatientConnection(psycopg.Connection[Any]):
    """A connection that waits for an answer as long as its patience lasts, and ends itself then."""

    patience: float | None = None
    on_silence: Callable[[], object] | None = None

    def wait(self, gen: PQGen[Any], interval: float = 0.1, timeout: float | None = None) -> Any:
        limit = self.patience if timeout is None else timeout
        try:
            return super().wait(gen, interval, limit)
        except psycopg.errors.OperationalError as error:
            if timeout is not None or self.closed or not _ran_out(error):
                raise
            # What it was asked may still be done; what it would say to that is nobody's answer any more.
            self.close()
            if self.on_silence is not None:
                self.on_silence()
            raise psycopg.OperationalError(f"the server said nothing for {limit:g} seconds") from None


def _ran_out(error: psycopg.Error) -> bool:
    return type(error) is psycopg.errors._WaitTimeout  # noqa: SLF001  # psycopg has no public name for it


def wait_without_end(connection: Connection) -> None:
    """Let what runs on this connection take as long as it takes, as migrations may."""
    driver = connection.connection.driver_connection
    if isinstance(driver, PatientConnection):
        driver.patience = None


def prepare_postgres(engine: Engine, statement_seconds: float) -> None:
    """Make the engine's connections patient, and spare requests the wait for a server that hangs."""
    breaker = Breaker(BREAK_SECONDS)
    ping = engine.dialect.do_ping

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, args: list[Any], parameters: dict[str, Any]) -> Any:
        if breaker.is_open and not breaker.may_try():
            raise psycopg.OperationalError("the server did not answer a moment ago")
        try:
            connection = PatientConnection.connect(*args, **parameters)
        except psycopg.errors.ConnectionTimeout:
            breaker.trip()
            raise
        except psycopg.Error:
            breaker.close()  # it says no, but it does so at once
            raise
        breaker.close()
        connection.patience = statement_seconds + GRACE_SECONDS
        connection.on_silence = breaker.trip
        return connection

    def quick_ping(connection: Any) -> bool:
        with _patience(connection, PING_SECONDS):
            return ping(connection)

    # There is no event for it; a ping is one round trip, and needs no more patience than that.
    engine.dialect.do_ping = quick_ping  # type: ignore[assignment,method-assign]


@contextmanager
def _patience(connection: PatientConnection, seconds: float) -> Iterator[None]:
    usual = connection.patience
    connection.patience = seconds
    try:
        yield
    finally:
        connection.patience = usual
