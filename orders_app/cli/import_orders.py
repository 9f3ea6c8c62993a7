"""`flask orders import`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TextIO

import click
from flask import current_app
from tqdm import tqdm

from orders_app.auth.domain import clean_username
from orders_app.cli.interrupts import Interruptible
from orders_app.cli.support import FAILED, app_command
from orders_app.extensions import read_connection, unit_of_work
from orders_app.history.domain import sealing_key
from orders_app.history.repository import newest_is_sealed_with
from orders_app.orders.domain import OrderStatus
from orders_app.orders.importing import Summary, given, import_orders, values
from orders_app.orders.importing.input_files import STANDARD_INPUT, InputFile
from orders_app.orders.importing.options import Columns, Format, ImportOptions, NegativeQuantity
from orders_app.shared.identity import command_line_actor

SOME_REFUSED = 3
MOST_REASONS = 10
STATUSES = click.Choice([status.value for status in OrderStatus])


def _checked(rule: Callable[[str], Any]) -> Callable[..., Any]:
    """A callback for an option whose value a rule may refuse with `ValueError`."""

    def callback(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> Any:
        try:
            return None if value is None else rule(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return callback


def _prefixes(
    _ctx: click.Context, _parameter: click.Parameter, written: tuple[str, ...]
) -> tuple[tuple[str, OrderStatus], ...]:
    try:
        return tuple(given.status_prefix(item) for item in written)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@app_command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--order-column", metavar="NAME", help="The order's number; rows that share it are one order.")
@click.option("--name-column", metavar="NAME", help="What was ordered.")
@click.option("--price-column", metavar="NAME", help="The price of one.")
@click.option("--quantity-column", metavar="NAME", help="How many.")
@click.option("--created-column", metavar="NAME", help="When; the order's first row counts.")
@click.option(
    "--created-format",
    metavar="FORMAT",
    help="How dates are written, as strptime has it: '%m/%d/%Y %H:%M'.  ISO and day.month.year need none.",
)
@click.option(
    "--timezone",
    default="UTC",
    show_default=True,
    callback=_checked(given.time_zone),
    help="Of times that come without an offset.",
)
@click.option("--user-column", metavar="NAME", help="Whose the order is; the order's first row counts.")
@click.option("--status-column", metavar="NAME", help="Its status; the order's first row counts.")
@click.option(
    "--status",
    type=STATUSES,
    default=OrderStatus.CONFIRMED.value,
    show_default=True,
    help="For orders that the input gives none.",
)
@click.option(
    "--status-prefix",
    "status_prefixes",
    metavar="PREFIX=STATUS",
    multiple=True,
    callback=_prefixes,
    help="For orders whose number starts so, whatever else is said: C=cancelled.  Repeatable.",
)
@click.option(
    "--negative-quantity",
    type=click.Choice([choice.value for choice in NegativeQuantity]),
    default=NegativeQuantity.REFUSE.value,
    show_default=True,
    help="Refuse such a row, or take the number without its sign.",
)
@click.option(
    "--user",
    metavar="NAME",
    callback=_checked(clean_username),
    help="Whose the orders are that name nobody.",
)
@click.option("--create-users", is_flag=True, help="Make the users who are missing, without a password.")
@click.option(
    "--source",
    metavar="NAME",
    callback=_checked(values.source),
    help="Where the orders come from: one that was imported from there under the same number is left "
    "alone.  Default: what an exported order says itself, else 'import'.",
)
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to put what was refused.  Default: <first file>.rejects.csv.",
)
@click.option(
    "--encoding", default="utf-8", show_default=True, callback=_checked(given.encoding), help="Of the files."
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice([choice.value for choice in Format]),
    help="Default: by the name (.jsonl, .ndjson, .csv), else by the first character.",
)
@click.option("--dry-run", is_flag=True, help="Read, check and write the rejects, but bring nothing in.")
def import_command(files: tuple[str, ...], rejects: Path | None, dry_run: bool, **options: Any) -> None:
    """Bring orders in from CSV, one row a line item, or from JSON Lines, one order a line.

    FILE… are one or more files; - is standard input.  An export of this service needs no columns.
    Safe to interrupt and to run again: what is here already is left alone.

    Exit status: 0 when everything came in or was known, 3 when something was refused, 1 on failure.
    """
    _check_given_once(files)
    _check_key()
    stdin = sys.stdin.buffer if STANDARD_INPUT in files else None
    inputs = [InputFile(path, stdin if path == STANDARD_INPUT else None) for path in files]
    with Interruptible() as interruptible, _Progress(interruptible, sys.stderr) as progress:
        try:
            summary = import_orders(
                inputs,
                _options(options),
                unit_of_work=unit_of_work,
                actor=command_line_actor(),
                watcher=progress,
                rejects=rejects,
                dry_run=dry_run,
            )
        except KeyboardInterrupt:
            done = "What was finished stays; " if interruptible.deferred else "Nothing was brought in; "
            raise click.ClickException(f"Interrupted.  {done}run the same command again.") from None
    _report(summary)
    click.echo(str(summary))
    if summary.orders_left:
        sys.exit(FAILED)
    if summary.lines_refused:
        sys.exit(SOME_REFUSED)


def _check_key() -> None:
    """Under another key than the server's, all that is brought in would be taken for tampering, for good."""
    key = sealing_key(current_app.config["ORDERS"].history_secret)
    with read_connection() as connection:
        if newest_is_sealed_with(connection, key):
            return
    raise click.ClickException(
        "The newest event of the history is not sealed with the key of this command. Give it the "
        "HISTORY_KEY or SECRET_KEY that the server has; if they are the same, `orders verify` says "
        "what was tampered with."
    )


def _check_given_once(files: tuple[str, ...]) -> None:
    """A file that was read twice would give every order its lines twice."""
    seen = set()
    for path in files:
        place = path if path == STANDARD_INPUT else Path(path).resolve()
        if place in seen:
            raise click.UsageError(f"{path} is given twice.")
        seen.add(place)


def _options(chosen: dict[str, Any]) -> ImportOptions:
    columns = Columns(
        **{
            name: chosen[f"{name}_column"]
            for name in ("order", "name", "price", "quantity", "created", "user", "status")
        }
    )
    return ImportOptions(
        columns=columns,
        format=Format(chosen["file_format"]) if chosen["file_format"] else None,
        status=OrderStatus(chosen["status"]),
        negative_quantity=NegativeQuantity(chosen["negative_quantity"]),
        **{
            name: chosen[name]
            for name in (
                "encoding",
                "timezone",
                "created_format",
                "status_prefixes",
                "user",
                "create_users",
                "source",
            )
        },
    )


def _report(summary: Summary) -> None:
    """What a person wants to know beyond the numbers, on standard error."""
    if summary.rejects is not None:
        click.echo(f"Refused, see {summary.rejects}:", err=True)
        for reason, lines in summary.reasons.most_common(MOST_REASONS):
            click.echo(f"  {lines} × {reason}", err=True)
        if len(summary.reasons) > MOST_REASONS:
            click.echo(f"  … and {len(summary.reasons) - MOST_REASONS} more reasons", err=True)
    if summary.orders_left:
        click.echo(
            f"Interrupted: {summary.orders_left} orders are still to come in; run the same command again.",
            err=True,
        )


class _Progress:
    """Bars on standard error, and the wish to stop."""

    def __init__(self, interruptible: Interruptible, stream: TextIO) -> None:
        self._interruptible = interruptible
        self._stream = stream
        self._bar: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def reading(self, size: int | None) -> Callable[[int], object]:
        return self._show("Reading", size, unit="B", unit_scale=True, unit_divisor=1024)

    def writing(self, orders: int) -> Callable[[int], object]:
        # From here on a signal waits for the end of the unit of work.
        self._interruptible.deferred = True
        if not orders:
            return lambda _orders: None
        return self._show("Importing", orders, unit=" orders")

    def wants_to_stop(self) -> bool:
        return self._interruptible.requested

    def _show(self, what: str, total: int | None, **kwargs: Any) -> Callable[[int], object]:
        self._close()
        # A log gets a line now and then, a terminal a moving bar.
        seconds = 0.2 if self._stream.isatty() else 10
        bar = self._bar = tqdm(desc=what, total=total, file=self._stream, mininterval=seconds, **kwargs)
        return bar.update

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
