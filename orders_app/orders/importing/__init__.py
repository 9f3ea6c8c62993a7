"""Bringing orders in from files.

`import_orders` does it at one go; `kept` stops between units of work and goes on later, in another
process if need be.

Two passes.  The first (`reading`) holds every record against the rules and puts it down in a temporary
file (`spool`), so that rows of one order may stand anywhere; in memory stays one small entry an order
(`register`).  Then it is known which orders are here already and which owners are not (`checking`).
The second pass (`writing`) takes the rest up order by order and sends them through the services.

Nothing is written to the database before all of the input was read, so a file that turns out
unreadable half-way leaves no trace.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from sqlalchemy.orm import Session

from orders_app.orders.importing.input_files import InputFile
from orders_app.orders.importing.options import ImportOptions
from orders_app.orders.importing.planning import check_all, read_all
from orders_app.orders.importing.reading import Reader
from orders_app.orders.importing.register import Register
from orders_app.orders.importing.rejects import RejectsFile, default_path
from orders_app.orders.importing.spool import Spool
from orders_app.orders.importing.writing import Writer
from orders_app.shared.identity import Actor
from orders_app.shared.unit_of_work import UnitOfWork


@dataclass(slots=True)
class Summary:
    """How an import went, or would go if it is dry; `reasons` counts the refused lines by reason."""

    orders_imported: int = 0
    orders_known: int = 0
    orders_refused: int = 0
    lines_imported: int = 0
    lines_refused: int = 0
    seconds: float = 0.0
    orders_left: int = 0
    rejects: Path | None = None
    reasons: Counter[str] = field(default_factory=Counter)
    is_dry: bool = False

    def __str__(self) -> str:
        imported = "to import" if self.is_dry else "imported"
        return (
            f"orders: {self.orders_imported} {imported}, {self.orders_known} known, "
            f"{self.orders_refused} refused; lines: {self.lines_imported} {imported}, "
            f"{self.lines_refused} refused; {self.seconds:.1f} s"
        )


class Watcher(Protocol):
    """Who is told how it goes, and may ask to stop."""

    def reading(self, size: int | None) -> Callable[[int], object]:
        """Reading begins; `size` in bytes where it is known.  What it returns is told the bytes read."""

    def writing(self, orders: int) -> Callable[[int], object]:
        """Writing begins.  What it returns is told the orders that were dealt with."""

    def wants_to_stop(self) -> bool:
        """Asked between units of work while writing."""


def import_orders(
    files: list[InputFile],
    options: ImportOptions,
    *,
    unit_of_work: Callable[[], UnitOfWork],
    actor: Actor,
    watcher: Watcher,
    rejects: Path | None = None,
    dry_run: bool = False,
) -> Summary:
    """Bring in what stands in these files; of a dry run only the rejects remain.

    Raises `ImportFailed` before anything was written.  Whatever happens while writing, the rejects
    file is complete, and a second run with the same files brings in the rest.
    """
    began = time.monotonic()
    register = Register()
    with RejectsFile(rejects or default_path(files[0]), files) as rejects_file, Spool() as spool:
        reader = Reader(options, spool, register)
        sizes = [file.size() for file in files]
        advance = watcher.reading(None if None in sizes else sum(size or 0 for size in sizes))
        read_all(reader, files, advance)
        owners = check_all(reader, partial(_looking, unit_of_work))
        if spool.count_refused():
            rejects_file.open()
        writer = Writer(unit_of_work, actor, spool, owners)
        wanted = list(register.wanted())
        try:
            if not dry_run:
                writer.write(wanted, watcher.writing(len(wanted)), watcher.wants_to_stop)
        finally:
            rejects_file.fill(spool, [file.name for file in files], reader.columns)
        known = register.count_known()
        refused = spool.count_refused()
        still_wanted = sum(entry.is_wanted for entry in wanted)
        return Summary(
            orders_imported=still_wanted if dry_run else writer.orders,
            orders_known=known,
            orders_refused=register.count_refused(),
            lines_imported=sum(entry.lines for entry in wanted) if dry_run else writer.lines,
            lines_refused=refused,
            seconds=time.monotonic() - began,
            orders_left=0 if dry_run else still_wanted - writer.orders,
            rejects=rejects_file.path if refused else None,
            reasons=Counter(spool.reasons()),
            is_dry=dry_run,
        )


@contextmanager
def _looking(unit_of_work: Callable[[], UnitOfWork]) -> Iterator[Session]:
    with unit_of_work() as uow:
        yield uow.session
