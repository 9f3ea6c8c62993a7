"""An import that stops after each unit of work, and goes on when somebody asks, in whatever process.

What was read and checked stays in the file of its spool, beside which orders are still to come in.  That
one is begun is noted before it is written, and that it came in after that: so an order that is begun and
here was brought in by this import, though whoever did it ended before noting it; and one that is begun
and not here is simply brought in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from orders_app.orders.domain import OrderStatus
from orders_app.orders.importing.checking import find_owners, mark_there, no_such_user
from orders_app.orders.importing.input_files import InputFile
from orders_app.orders.importing.options import ImportOptions
from orders_app.orders.importing.planning import Looking, check_all, read_all
from orders_app.orders.importing.reading import Reader
from orders_app.orders.importing.register import Entry, Heading, Register
from orders_app.orders.importing.spool import Refused, Spool, SpooledLine
from orders_app.orders.importing.values import user_key
from orders_app.orders.importing.writing import ORDERS_AT_ONCE, Writer, batches, heading_of
from orders_app.shared.identity import Actor
from orders_app.shared.unit_of_work import UnitOfWork

LONGEST_SHOWN: Final = 300
_SCHEMA: Final = """
CREATE TABLE orders (
    number INTEGER PRIMARY KEY, source TEXT NOT NULL, reference TEXT NOT NULL, owner TEXT NOT NULL,
    status TEXT NOT NULL, created_at TEXT, given_cents INTEGER, is_deleted INTEGER NOT NULL,
    lines INTEGER NOT NULL, sum_cents INTEGER NOT NULL, fate TEXT NOT NULL
);
CREATE INDEX orders_by_fate ON orders (fate, number);
CREATE TABLE facts (known INTEGER, refused INTEGER, creates_users INTEGER, columns TEXT);
"""
_OF_AN_ORDER: Final = (
    "number, source, reference, owner, status, created_at, given_cents, is_deleted, lines, sum_cents, fate"
)


class Fate(StrEnum):
    """What became of an order that was to come in."""

    WAITING = "waiting"
    BEGUN = "begun"
    IMPORTED = "imported"
    KNOWN = "known"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is, in orders; `wanted` are those that were to come in when the file was read."""

    wanted: int
    imported: int
    lines_imported: int
    lines_left: int
    known: int
    refused: int
    begun: int
    left: int

    @property
    def done(self) -> int:
        return self.wanted - self.left

    @property
    def has_begun(self) -> bool:
        """Whether any may have come in already."""
        return self.done + self.begun > 0


@dataclass(frozen=True, slots=True)
class Sample:
    """An order as it would come in, with its first lines."""

    entry: Entry
    heading: Heading
    lines: list[SpooledLine]

    @property
    def total_cents(self) -> int:
        given = self.heading.total_cents
        return given if given is not None else self.entry.total_cents


def keep(
    path: Path,
    file: InputFile,
    options: ImportOptions,
    *,
    looking: Looking,
    most_orders: int | None = None,
) -> None:
    """Read and check this file, and keep at `path` what is to be done.  Raises `ImportFailed`.

    Whatever ends it half-way leaves nothing at `path`, or what was there before.
    """
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.unlink(missing_ok=True)
    register = Register(most_orders)
    try:
        with Spool(unfinished) as spool:
            reader = Reader(options, spool, register)
            read_all(reader, [file], lambda _count: None)
            check_all(reader, looking)
            _note_all(spool, reader)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _note_all(spool: Spool, reader: Reader) -> None:
    register, connection = reader.register, spool.connection
    connection.executescript(_SCHEMA)
    connection.execute("BEGIN").close()
    connection.executemany(
        f"INSERT INTO orders ({_OF_AN_ORDER}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  (our own names)
        (_row(entry, entry.heading) for entry in register.wanted() if entry.heading is not None),
    ).close()
    facts = (register.count_known(), register.count_refused(), reader.options.create_users)
    columns = json.dumps(reader.columns[0])
    connection.execute("INSERT INTO facts VALUES (?, ?, ?, ?)", (*facts, columns)).close()
    connection.execute("COMMIT").close()


def _row(entry: Entry, heading: Heading) -> tuple[object, ...]:
    created = heading.created_at.isoformat() if heading.created_at else None
    return (
        *(entry.number, entry.source, entry.reference, heading.user, heading.status.value, created),
        *(heading.total_cents, heading.is_deleted, entry.lines, entry.total_cents, Fate.WAITING),
    )


class KeptImport:
    """What `keep` left at this path.  Use it as a context manager, and not two of one path at a time."""

    def __init__(self, path: Path) -> None:
        self._spool = Spool(path, is_read=True)
        self._connection = self._spool.connection
        known, refused, creates_users, columns = self._connection.execute("SELECT * FROM facts").fetchone()
        self._known: int = known
        self._refused: int = refused
        self._creates_users = bool(creates_users)
        self.columns: tuple[str, ...] = tuple(json.loads(columns))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._spool.__exit__(kind, error, trace)

    def progress(self) -> Progress:
        """How far it is."""
        found = {
            fate: (orders, lines)
            for fate, orders, lines in self._connection.execute(
                "SELECT fate, count(*), sum(lines) FROM orders GROUP BY fate"
            )
        }
        orders = {fate: found.get(fate, (0, 0))[0] for fate in Fate}
        lines = {fate: found.get(fate, (0, 0))[1] for fate in Fate}
        return Progress(
            wanted=sum(orders.values()),
            imported=orders[Fate.IMPORTED],
            lines_imported=lines[Fate.IMPORTED],
            lines_left=lines[Fate.WAITING] + lines[Fate.BEGUN],
            known=self._known + orders[Fate.KNOWN],
            refused=self._refused + orders[Fate.REFUSED],
            begun=orders[Fate.BEGUN],
            left=orders[Fate.WAITING] + orders[Fate.BEGUN],
        )

    def go_on(self, unit_of_work: Callable[[], UnitOfWork], actor: Actor, *, looking: Looking) -> None:
        """Bring in the next orders, as many as go into one unit of work."""
        found = list(self._orders("fate IN (?, ?)", Fate.WAITING, Fate.BEGUN, most=ORDERS_AT_ONCE))
        begun = {entry.number for entry, fate in found if fate is Fate.BEGUN}
        batch = next(batches(entry for entry, _ in found), [])
        with looking() as session:
            mark_there(session, batch)
            owners = find_owners(session, {heading_of(entry).user for entry in batch if not entry.known})
        self._spool.leave_alone(entry.number for entry in batch if entry.known and entry.number not in begun)
        wanted = []
        with self._noting():
            for entry in batch:
                owner = heading_of(entry).user
                if entry.known:
                    self._note(entry, Fate.IMPORTED if entry.number in begun else Fate.KNOWN)
                elif user_key(owner) not in owners and not self._creates_users:
                    self._spool.refuse_order(entry.number, no_such_user(owner))
                    self._note(entry, Fate.REFUSED)
                else:
                    self._note(entry, Fate.BEGUN)
                    wanted.append(entry)
        Writer(unit_of_work, actor, self._spool, owners).write(wanted, lambda _orders: None, lambda: False)
        with self._noting():
            for entry in wanted:
                self._note(entry, Fate.KNOWN if entry.known else Fate.IMPORTED)

    def samples(self, *, orders: int, lines: int) -> list[Sample]:
        """The first orders that are still to come in."""
        entries = [entry for entry, _ in self._orders("fate = ?", Fate.WAITING, most=orders)]
        if not entries:
            return []
        found = dict(self._spool.lines_between(entries[0].number, entries[-1].number))
        return [Sample(entry, heading_of(entry), found[entry.number][:lines]) for entry in entries]

    def count_refused(self) -> int:
        """How many lines were refused."""
        return self._spool.count_refused()

    def reasons(self, most: int) -> list[tuple[str, int]]:
        """The most frequent reasons to refuse a line, and how many lines were refused for each."""
        rows = self._connection.execute(
            "SELECT substr(reason, 1, ?), sum(weight) FROM refused GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?",
            (LONGEST_SHOWN, most),
        )
        return [(str(reason), int(lines)) for reason, lines in rows]

    def refused(self) -> Iterator[Refused]:
        """The records that were refused, as they stood in the file."""
        return self._spool.refused()

    def _orders(self, where: str, *values: str, most: int) -> Iterator[tuple[Entry, Fate]]:
        rows = self._connection.execute(
            f"SELECT {_OF_AN_ORDER} FROM orders WHERE {where} ORDER BY number LIMIT ?",  # noqa: S608  (our own words)
            (*values, most),
        ).fetchall()
        for number, source, reference, owner, status, created, given, deleted, lines, cents, fate in rows:
            heading = Heading(
                user=owner,
                status=OrderStatus(status),
                created_at=datetime.fromisoformat(created) if created else None,
                total_cents=given,
                is_deleted=bool(deleted),
            )
            entry = Entry(number, source, reference, heading=heading, lines=lines, total_cents=cents)
            yield entry, Fate(fate)

    @contextmanager
    def _noting(self) -> Iterator[None]:
        self._connection.execute("BEGIN").close()
        yield
        self._connection.execute("COMMIT").close()

    def _note(self, entry: Entry, fate: Fate) -> None:
        self._connection.execute("UPDATE orders SET fate = ? WHERE number = ?", (fate, entry.number)).close()
