"""`flask orders export`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import click

from orders_app.cli.support import FAILED, app_command
from orders_app.extensions import snapshot_connection
from orders_app.orders.domain import OrderStatus
from orders_app.orders.exporting import export_orders
from orders_app.orders.filters import OrderFilter
from orders_app.orders.importing import values
from orders_app.orders.importing.options import Format
from orders_app.orders.records import OrderRecord
from orders_app.orders.rows import PlainLine
from orders_app.orders.streaming import stream_with_plain_lines
from orders_app.shared.money import parse_money


class Value(click.ParamType):
    """A value by one of the rules of the API."""

    def __init__(self, name: str, rule: Callable[[str], Any]) -> None:
        self.name = name
        self._rule = rule

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return self._rule(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _moment(value: str) -> datetime:
    return values.moment(value, UTC)


AMOUNT = Value("amount", parse_money)
TEXT = Value("text", values.reference)
MOMENT = Value("time", _moment)


@app_command("export")
@click.option(
    "--format",
    "file_format",
    type=click.Choice([choice.value for choice in Format]),
    default=Format.CSV.value,
    show_default=True,
    help="csv: one row a line item; jsonl: one order a line, as the API answers.",
)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file; default: standard output."
)
@click.option(
    "--status",
    "statuses",
    type=click.Choice([s.value for s in OrderStatus]),
    multiple=True,
    help="Repeatable.",
)
@click.option("--min-price", type=AMOUNT, help="Of the order; inclusive.")
@click.option("--max-price", type=AMOUNT, help="Of the order; inclusive.")
@click.option("--user", metavar="NAME", help="The owner.")
@click.option("--created-after", type=MOMENT, help="Inclusive; UTC where no offset is given.")
@click.option("--created-before", type=MOMENT, help="Exclusive.")
@click.option("--updated-after", type=MOMENT, help="Inclusive.")
@click.option("--source", type=TEXT, metavar="NAME", help="Where imported orders came from.")
@click.option("--reference", type=TEXT, metavar="NUMBER", help="The order's number there.")
@click.option("--q", type=TEXT, metavar="TEXT", help="In product names, without regard to case.")
@click.option("--deleted", "is_deleted", is_flag=True, help="Only deleted orders.")
def export_command(file_format: str, output: Path | None, statuses: tuple[str, ...], **given: Any) -> None:
    """Write orders out, oldest first, as `flask orders import` reads them."""
    least, most = given["min_price"], given["max_price"]
    if least is not None and most is not None and least > most:
        raise click.UsageError("--max-price must not be less than --min-price.")
    since, until = given["created_after"], given["created_before"]
    if since is not None and until is not None and since > until:
        raise click.UsageError("--created-before must not be before --created-after.")
    wanted = OrderFilter(statuses=tuple(OrderStatus(status) for status in statuses), **given)
    kind = Format(file_format)
    if output is not None:
        _write_file(output, wanted, kind)
        return
    try:
        _write(sys.stdout.buffer, wanted, kind)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Whoever read has seen enough.  What is left in the buffer must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)


def _write_file(path: Path, wanted: OrderFilter, kind: Format) -> None:
    """Write beside the file and put it in its place when it is complete."""
    part = path.with_name(path.name + ".part")
    try:
        try:
            with part.open("wb") as stream:
                _write(stream, wanted, kind)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror or error}.") from error


def _write(stream: BinaryIO, wanted: OrderFilter, kind: Format) -> None:
    count = 0

    def counted(
        orders: Iterator[tuple[OrderRecord, list[PlainLine]]],
    ) -> Iterator[tuple[OrderRecord, list[PlainLine]]]:
        nonlocal count
        for order in orders:
            count += 1
            yield order

    with snapshot_connection() as connection:
        stream.writelines(export_orders(counted(stream_with_plain_lines(connection, wanted)), kind))
    click.echo(f"{count} orders exported.", err=True)
