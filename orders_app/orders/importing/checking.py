"""Between the passes: which orders are here already, and whose owners are not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from orders_app.auth.models import User
from orders_app.orders.domain import Owner
from orders_app.orders.importing.options import ImportOptions
from orders_app.orders.importing.register import Entry, Register
from orders_app.orders.importing.spool import Spool
from orders_app.orders.importing.values import user_key
from orders_app.orders.models import Order

_AT_ONCE = 500
Item = TypeVar("Item")


def mark_known(session: Session, register: Register, spool: Spool) -> None:
    """Find the orders that were imported before; they and their rows are left alone."""
    candidates = [entry for entry in register.entries if not entry.collision]
    mark_there(session, candidates)
    exported = {key: entry for entry in candidates if not entry.known and (key := _as_id(entry.exported_id))}
    for ids in _portions(exported):
        for found in session.scalars(select(Order.id).where(Order.id.in_(ids))):
            exported[found].known = True
    spool.leave_alone(entry.number for entry in register.entries if entry.known)


def mark_there(session: Session, entries: Iterable[Entry]) -> None:
    """Find those whose reference their source has here already."""
    by_source: dict[str, list[Entry]] = {}
    for entry in entries:
        by_source.setdefault(entry.source, []).append(entry)
    for source, found in by_source.items():
        if not session.scalar(select(exists().where(Order.source == source))):
            continue  # the first import from there
        for some in _portions(found):
            there = references_there(session, source, [entry.reference for entry in some])
            for entry in some:
                entry.known = entry.reference in there


def references_there(session: Session, source: str, references: Sequence[str]) -> set[str]:
    """Which of these references the source has among our orders, deleted ones included."""
    statement = select(Order.reference).where(Order.source == source, Order.reference.in_(references))
    return {reference for reference in session.scalars(statement) if reference is not None}


def find_owners(session: Session, names: Iterable[str]) -> dict[str, Owner]:
    """The accounts of these names, by the key of the name."""
    owners: dict[str, Owner] = {}
    for keys in _portions({user_key(name) for name in names}):
        statement = select(User.id, User.username, User.username_key).where(User.username_key.in_(keys))
        owners.update((key, Owner(user_id, name)) for user_id, name, key in session.execute(statement))
    return owners


def refuse_the_rest(
    register: Register, spool: Spool, options: ImportOptions, owners: dict[str, Owner]
) -> None:
    """Refuse, with all their rows, the orders that cannot come in as a whole."""
    for entry in register.entries:
        if entry.known:
            continue
        user = entry.heading.user if entry.heading else None
        if entry.refusal is None and user and not options.create_users and user_key(user) not in owners:
            entry.refusal = no_such_user(user)
        if entry.refusal is not None:
            spool.refuse_order(entry.number, entry.refusal)


def no_such_user(name: str) -> str:
    """The reason to refuse an order of somebody who has no account."""
    return f"There is no user {name!r}; --create-users makes those who are missing."


def _portions(items: Iterable[Item]) -> Iterator[list[Item]]:
    iterator = iter(items)
    while some := list(islice(iterator, _AT_ONCE)):
        yield some


def _as_id(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
