"""`flask orders recount`."""

from __future__ import annotations

import click

from orders_app.cli.support import app_command
from orders_app.extensions import take_your_time, unit_of_work
from orders_app.orders.recounting import recount


@app_command("recount")
def recount_command() -> None:
    """Count and sum up all orders anew, where `verify` says that it is wrong.

    Orders can be read meanwhile, and not changed.
    """
    with unit_of_work() as uow:
        take_your_time(uow.session.connection())
        recount(uow.session)
    click.echo("All orders are counted.")
