"""The second pass: the orders go through the services, many in one unit of work."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError

from orders_app.auth.services.accounts import create_user, new_account
from orders_app.orders.domain import Owner
from orders_app.orders.importing.checking import find_owners, references_there
from orders_app.orders.importing.register import Entry, Heading
from orders_app.orders.importing.spool import Spool
from orders_app.orders.importing.values import user_key
from orders_app.orders.recording import add
from orders_app.orders.records import OrderRecord, new_record
from orders_app.shared.clock import utcnow
from orders_app.shared.errors import Conflict
from orders_app.shared.identity import Actor
from orders_app.shared.unit_of_work import UnitOfWork

ORDERS_AT_ONCE = 1_000
LINES_AT_ONCE = 5_000
_ATTEMPTS = 3


@dataclass(slots=True)
class Writer:
    """Brings orders in; `owners` are the accounts that are known, by the key of the name."""

    unit_of_work: Callable[[], UnitOfWork]
    actor: Actor
    spool: Spool
    owners: dict[str, Owner]
    orders: int = 0
    lines: int = 0

    def write(
        self, entries: Iterable[Entry], advance: Callable[[int], object], stop: Callable[[], bool]
    ) -> bool:
        """Bring these in, and return whether that came to its end.

        `stop` is asked after each unit of work; what was brought in before it said yes stays.
        """
        for batch in batches(entries):
            if stop():
                return False
            try:
                self._write_together(batch)
            except (IntegrityError, Conflict):
                # Somebody else brought one of them in, or made one of the users, in the meantime.
                for entry in batch:
                    self._write_alone(entry)
            advance(len(batch))
        return True

    def _write_together(self, batch: list[Entry]) -> None:
        with self.unit_of_work() as uow:
            made = self._make_missing(uow, batch)
            records = self._records(batch, ChainMap(made, self.owners))
            add(uow, self.actor, records)
        self.owners.update(made)
        self.orders += len(records)
        self.lines += sum(len(record.lines) for record in records)

    def _write_alone(self, entry: Entry) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self.unit_of_work() as uow:
                    if references_there(uow.session, entry.source, [entry.reference]):
                        entry.known = True
                        break
                    self.owners |= find_owners(uow.session, [heading_of(entry).user])
                self._write_together([entry])
                break
            except (IntegrityError, Conflict):
                if attempt == _ATTEMPTS:
                    raise
        if entry.known:
            self.spool.leave_alone([entry.number])

    def _make_missing(self, uow: UnitOfWork, batch: list[Entry]) -> dict[str, Owner]:
        made: dict[str, Owner] = {}
        for entry in batch:
            name = heading_of(entry).user
            key = user_key(name)
            if key not in self.owners and key not in made:
                user = create_user(uow, actor=self.actor, account=new_account(name, None))
                made[key] = Owner(user.id, user.username)
        return made

    def _records(self, batch: list[Entry], owners: Mapping[str, Owner]) -> list[OrderRecord]:
        now = utcnow()
        lines = dict(self.spool.lines_between(batch[0].number, batch[-1].number))
        records = []
        for entry in batch:
            heading = heading_of(entry)
            total = heading.total_cents if heading.total_cents is not None else entry.total_cents
            records.append(
                new_record(
                    owners[user_key(heading.user)],
                    lines[entry.number],
                    now,
                    status=heading.status,
                    total_price_cents=total,
                    created_at=heading.created_at,
                    source=entry.source,
                    reference=entry.reference,
                    is_deleted=heading.is_deleted,
                )
            )
        return records


def heading_of(entry: Entry) -> Heading:
    """What an order is that is to come in."""
    assert entry.heading is not None  # noqa: S101  (an order that has lines has one)
    return entry.heading


def batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """As many at a time as go into one unit of work."""
    batch: list[Entry] = []
    lines = 0
    for entry in entries:
        if batch and (len(batch) == ORDERS_AT_ONCE or lines + entry.lines > LINES_AT_ONCE):
            yield batch
            batch, lines = [], 0
        batch.append(entry)
        lines += entry.lines
    if batch:
        yield batch
