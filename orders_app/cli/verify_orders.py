"""`flask orders verify`."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO
from uuid import UUID

import click
from flask import current_app
from sqlalchemy import Connection
from tqdm import tqdm

from orders_app.cli.support import app_command
from orders_app.events_log.verification import Finding, Head, Report, Verification
from orders_app.extensions import snapshot_connection
from orders_app.history.domain import SEAL_BYTES, sealing_key

FOUND = 3
"""The exit status where something was found; 1 is for a verification that could not be done."""


@app_command("verify")
@click.option(
    "--checkpoint",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where the last verification left how far each history had come; it is compared, and written anew "
    "when all is well.  Keep it where nobody who can write to the database can.",
)
def verify_command(checkpoint: Path | None) -> None:
    """Look whether any order or its history was changed past this service, and all orders are counted.

    Exit status 0 when all is well, 3 when something was found, 1 when it could not be looked.
    """
    started = time.monotonic()
    with _heads(checkpoint) as heads, _writing(checkpoint) as (keep, accept):
        verification = Verification(
            key=sealing_key(current_app.config["ORDERS"].history_secret), tell=_tell, keep=keep, heads=heads
        )
        with (
            snapshot_connection() as connection,
            tqdm(desc="verifying", unit=" orders", file=sys.stderr, mininterval=0.5) as bar,
        ):
            report = _run(verification, connection, bar.update)
        if not report.findings:
            accept()
    click.echo(_summary(report, time.monotonic() - started))
    if report.findings:
        sys.exit(FOUND)


def _run(verification: Verification, connection: Connection, progress: Callable[[], object]) -> Report:
    try:
        return verification.run(connection, progress)
    except (ValueError, TypeError) as error:
        # SQLite takes any text for a date, an id or JSON; this service never wrote what is none.
        after = f" after order {verification.at}" if verification.at else ""
        click.echo(
            f"A value{after} cannot be read ({error}): it was written past this service, "
            "and nothing behind it was looked at. Mend it, and verify again."
        )
        sys.exit(FOUND)


def _tell(finding: Finding) -> None:
    event = f", event {finding.sequence}," if finding.sequence is not None else ""
    about = f"order {finding.order_id}{event} " if finding.order_id is not None else ""
    with tqdm.external_write_mode(file=sys.stdout):
        click.echo(f"{about}{finding.problem}")


def _summary(report: Report, seconds: float) -> str:
    if report.events and report.unsealed == report.events:
        click.echo(
            "No seal at all is good.  If SECRET_KEY was changed, set HISTORY_KEY to the old one.", err=True
        )
    looked_at = f"{report.orders} orders, {report.events} events"
    return f"history: {looked_at}; {report.findings} findings; {seconds:.1f} s"


@contextmanager
def _heads(checkpoint: Path | None) -> Iterator[Iterator[Head]]:
    """What the last verification left; nothing the first time, which is said."""
    if checkpoint and not checkpoint.exists():
        click.echo(f"There is no {checkpoint} yet: nothing to compare with this time.", err=True)
    try:
        file = (
            checkpoint.open(encoding="ascii", errors="replace")
            if checkpoint and checkpoint.exists()
            else nullcontext()
        )
    except OSError as error:
        raise click.ClickException(f"{checkpoint} cannot be read: {error.strerror}.") from error
    with file as lines:
        yield _read(lines) if lines is not None else iter(())


def _read(lines: IO[str]) -> Iterator[Head]:
    for number, line in enumerate(lines, start=1):
        try:
            order_id, sequence, seal = line.split()
            head = Head(UUID(order_id), int(sequence), bytes.fromhex(seal))
        except ValueError:
            head = None
        if head is None or len(head.seal) != SEAL_BYTES:
            raise click.ClickException(f"{lines.name}, line {number}: this is no checkpoint.")
        yield head


@contextmanager
def _writing(checkpoint: Path | None) -> Iterator[tuple[Callable[[Head], None], Callable[[], None]]]:
    """How to write down a head, and how to put all of them in the place of the old checkpoint."""
    if checkpoint is None:
        yield lambda _head: None, lambda: None
        return
    part = checkpoint.with_name(checkpoint.name + ".part")
    with _written(checkpoint):
        file = part.open("w", encoding="ascii")

    def keep(head: Head) -> None:
        with _written(checkpoint):
            print(head.order_id, head.sequence, head.seal.hex(), file=file)

    def accept() -> None:
        with _written(checkpoint):
            file.close()
            part.replace(checkpoint)

    try:
        yield keep, accept
    finally:
        with contextlib.suppress(OSError):
            file.close()
        part.unlink(missing_ok=True)


@contextmanager
def _written(checkpoint: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise click.ClickException(f"{checkpoint} cannot be written: {error.strerror or error}.") from error
