"""The command line: `flask --app wsgi users …`, `… orders …` and `… idempotency …`."""

from __future__ import annotations

from flask import Flask

from orders_app.cli.export_orders import export_command
from orders_app.cli.idempotency import idempotency_group
from orders_app.cli.import_orders import import_command
from orders_app.cli.recount_orders import recount_command
from orders_app.cli.support import AppGroup
from orders_app.cli.users import users_group
from orders_app.cli.verify_orders import verify_command


def register(app: Flask) -> None:
    """Add the commands to `flask`."""
    orders = AppGroup("orders", help="Bring orders in, write them out, verify their history.")
    orders.add_command(import_command)
    orders.add_command(export_command)
    orders.add_command(verify_command)
    orders.add_command(recount_command)
    app.cli.add_command(orders)
    app.cli.add_command(users_group)
    app.cli.add_command(idempotency_group)
