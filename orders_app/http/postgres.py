"""A PostgreSQL that does not answer costs a known time, and not every request.

The server's own time-outs need a server that runs.  One that was stopped in the middle, or whose machine
is gone, says nothing at all, and as long as a kernel at its end acknowledges packets, TCP sees nothing
wrong either.  So every wait has an end on this side too; and once one was used up, nobody waits for a
connection again until somebody has found that there is one to be had.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DisconnectionError

from config import Config
from orders_app.http.breaker import Breaker
from orders_app.http.single_statements import SingleStatements

PING_SECONDS = 2.0
TRUSTED_SECONDS = 1.0
"""How long after it was used a connection need not be asked whether somebody is there, if it is quiet."""
BREAK_SECONDS = 2.0
GRACE_SECONDS = 1.0
"""How much longer than the server this side waits: its own word comes first, where it has one."""


class ServerSilent(psycopg.OperationalError):
    """Nothing came for as long as anybody waits: who asks again would wait again."""

    was_waited_for = True


class PatientConnection(psycopg.Connection[Any]):
    """A connection that waits for an answer as long as its patience lasts, and ends itself then."""

    patience: float | None = None
    on_silence: Callable[[], object] | None = None
    used_at: float = 0.0

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
            raise ServerSilent(f"the server said nothing for {limit:g} seconds") from None


def _ran_out(error: psycopg.Error) -> bool:
    return type(error) is psycopg.errors._WaitTimeout  # noqa: SLF001  # psycopg has no public name for it


def wait_without_end(connection: Connection) -> None:
    """Let what runs on this connection take as long as it takes, as migrations may."""
    driver = connection.connection.driver_connection
    if isinstance(driver, PatientConnection):
        driver.patience = None


def prepare_postgres(engine: Engine, config: Config) -> SingleStatements:
    """Make the engine's connections patient, and spare requests the wait for a server that hangs.

    Returns where single statements take their connections from.
    """
    breaker = Breaker(BREAK_SECONDS)

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
        connection.patience = config.database_timeout_seconds + GRACE_SECONDS
        connection.on_silence = breaker.trip
        return connection

    @event.listens_for(engine, "checkout")
    def look_first(connection: PatientConnection, _record: Any, _proxy: Any) -> None:
        if not _answers(connection):
            raise DisconnectionError("the server is gone, or another one")  # the pool opens a new one

    @event.listens_for(engine, "checkin")
    def note_the_time(connection: PatientConnection | None, _record: Any) -> None:
        if connection is not None:
            connection.used_at = time.monotonic()

    # Half of the pool: the rest is for transactions.
    return SingleStatements(engine, kept=config.database_pool_size // 2, is_alive=_is_alive)


def _is_alive(connection: Connection) -> bool:
    """Whether a connection that was kept can be used."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, PatientConnection) or not _answers(driver):
        return False
    driver.used_at = time.monotonic()
    return True


def _answers(connection: PatientConnection) -> bool:
    """Whether somebody is at the other end.

    A server that ends or cuts a connection says so, and what it said waits to be read: to look for that
    costs no round trip.  Of a machine that is gone nothing comes, so who was not used for a while is asked.
    """
    if connection.closed:
        return False
    if time.monotonic() - connection.used_at < TRUSTED_SECONDS and not _has_something_to_say(connection):
        return True
    try:
        with _patience(connection, PING_SECONDS):
            connection.execute("")
    except psycopg.Error:
        return False
    return True


def _has_something_to_say(connection: PatientConnection) -> bool:
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    return bool(waiting.poll(0))


@contextmanager
def _patience(connection: PatientConnection, seconds: float) -> Iterator[None]:
    usual = connection.patience
    connection.patience = seconds
    try:
        yield
    finally:
        connection.patience = usual
