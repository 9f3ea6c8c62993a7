"""`flask idempotency …`: what is kept for requests that are sent again."""

from __future__ import annotations

import click

from orders_app.cli.support import AppGroup
from orders_app.extensions import unit_of_work
from orders_app.idempotency import services

idempotency_group = AppGroup("idempotency", help="Look after the answers kept for Idempotency-Key.")


@idempotency_group.command("purge")
def purge() -> None:
    """Delete the answers that are older than 24 hours."""
    total = 0
    while True:
        # In steps, each a transaction of its own: no request waits long for the write lock.
        with unit_of_work() as uow:
            deleted = services.purge(uow)
        total += deleted
        if deleted < services.PURGED_AT_ONCE:
            break
    click.echo(f"Deleted {total} expired {'answer' if total == 1 else 'answers'}.")
