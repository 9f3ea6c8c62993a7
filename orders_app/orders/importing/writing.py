"""The second pass: the orders go through the services, many in one unit of work."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError

from orders_app.auth.domain import username_key
from orders_app.auth.services.accounts import create_user, new_account
from orders_app.orders.domain import Line, NewOrder, Owner
from orders_app.orders.importing.checking import find_owners, references_there
from orders_app.orders.importing.register import Entry, Heading
from orders_app.orders.importing.spool import Spool
from orders_app.orders.services import create_orders_for
from orders_app.shared.errors import Conflict
from orders_app.shared.identity import Actor
from orders_app.shared.money import from_cents
from orders_app.shared.unit_of_work import UnitOfWork

ORDERS_AT_ONCE = 100
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
        for batch in _batches(entries):
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
            owners = ChainMap(made, self.owners)
            orders = [(owners[username_key(_heading(entry).user)], self._order(entry)) for entry in batch]
            create_orders_for(uow, actor=self.actor, orders=orders)
        self.owners.update(made)
        self._count(orders)

    def _write_alone(self, entry: Entry) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self.unit_of_work() as uow:
                    if references_there(uow.session, entry.source, [entry.reference]):
                        entry.known = True
                        break
                    self.owners |= find_owners(uow.session, [_heading(entry).user])
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
            name = _heading(entry).user
            key = username_key(name)
            if key not in self.owners and key not in made:
                user = create_user(uow, actor=self.actor, account=new_account(name, None))
                made[key] = Owner(user.id, user.username)
        return made

    def _order(self, entry: Entry) -> NewOrder:
        heading = _heading(entry)
        return NewOrder(
            lines=tuple(
                Line(line.name, from_cents(line.price_cents), line.quantity)
                for line in self.spool.lines_of(entry.number)
            ),
            status=heading.status,
            total_price=None if heading.total_cents is None else from_cents(heading.total_cents),
            created_at=heading.created_at,
            source=entry.source,
            reference=entry.reference,
            is_deleted=heading.is_deleted,
        )

    def _count(self, orders: list[tuple[Owner, NewOrder]]) -> None:
        self.orders += len(orders)
        self.lines += sum(len(new.lines) for _, new in orders)


def _heading(entry: Entry) -> Heading:
    assert entry.heading is not None  # noqa: S101  (an order that has lines has one)
    return entry.heading


def _batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
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
