"""Things to test with, each with sensible values that a test overrides by name."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from flask import Flask
from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from orders_app.auth import tokens
from orders_app.auth.domain import username_key
from orders_app.auth.models import AccountEvent, LoginFailures, TokenFamily, User
from orders_app.auth.passwords import hash_password
from orders_app.auth.services.sessions import OpenSession
from orders_app.desk.models import SavedView, UserPreferences
from orders_app.extensions import db
from orders_app.history.models import OrderEventRow
from orders_app.orders.domain import Line, NewOrder
from orders_app.orders.models import Order, OrderCount, OrderLine, OrderNote, OrderQuarter, ProductName
from orders_app.shared.clock import utcnow
from orders_app.shared.identity import Actor, Role
from orders_app.shared.inserts import run_inserts
from orders_app.shared.view_versions import SHARDS, ViewVersion, counting_up

PEOPLE = {"alice": Role.USER, "bob": Role.USER, "admin": Role.ADMIN}
ONLY_ADDED_TO = (OrderEventRow, OrderNote, AccountEvent)
KEPT = (
    *(OrderLine, Order, OrderCount, OrderQuarter, ProductName),
    *(TokenFamily, LoginFailures, UserPreferences, SavedView, User),
)


def password_of(name: str) -> str:
    """The password of one of the three."""
    return f"{name}-password-1"


@functools.cache
def _hash_of(password: str) -> str:
    # Argon2 is slow on purpose; one hash for each password serves the whole run.
    return hash_password(password)


def begin_anew(session: Session) -> None:
    """Empty the database, but for the three accounts.

    What the cache holds of the last test must not be taken for fresh, so the version of everything
    goes on counting instead of beginning again.
    """
    for history in ONLY_ADDED_TO:
        if session.scalars(select(history.id).limit(1)).first() is not None:
            with past_the_triggers(session, history.__tablename__):
                session.execute(delete(history))
    for model in KEPT:
        session.execute(delete(model))
    session.execute(delete(ViewVersion).where(ViewVersion.scope.not_in(SHARDS)))
    run_inserts(session.connection(), counting_up([]))
    for name, role in PEOPLE.items():
        session.add(user(username=name, role=role, password=password_of(name)))
    session.commit()


@contextmanager
def past_the_triggers(session: Session, table: str = OrderEventRow.__tablename__) -> Iterator[None]:
    """Do what the database refuses to everybody: change the history of orders, or what else is only added to.

    As an attacker would who owns the tables: without the triggers, which are there again afterwards.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        yield
        session.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
        return
    wanted = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :name"
    triggers = session.execute(text(wanted), {"name": table}).all()
    for name, _ in triggers:
        session.execute(text(f"DROP TRIGGER {name}"))
    yield
    for _, statement in triggers:
        session.connection().exec_driver_sql(statement)


def user(
    *, username: str = "carol", role: Role = Role.USER, password: str | None = None, **others: Any
) -> User:
    """An account, not yet saved."""
    now = utcnow()
    values = {"is_active": True, "created_at": now, "updated_at": now, **others}
    return User(
        username=username,
        username_key=username_key(username),
        role=role.value,
        password_hash=_hash_of(password) if password else None,
        **values,
    )


def actor(name: str) -> Actor:
    """Somebody who is in the database, as services know them; needs an application context.

    Read on a connection of its own: a unit of work begins its transaction itself.
    """
    with db.engine.connect() as connection:
        row = connection.execute(select(User.id, User.role).where(User.username == name)).one()
    return Actor(row.id, name, Role(row.role))


def user_id(app: Flask, name: str) -> UUID:
    """The id of somebody who is in the database."""
    with app.app_context():
        return db.session().scalars(select(User.id).where(User.username == name)).one()


def logged_in(app: Flask, name: str) -> dict[str, str]:
    """The tokens of a new log-in, without the cost of a password check."""
    now = utcnow()
    with app.app_context():
        session = db.session()
        owner = session.scalars(select(User.id).where(User.username == name)).one()
        family = TokenFamily(
            user_id=owner, current_jti=uuid4(), created_at=now, expires_at=now + timedelta(days=7)
        )
        session.add(family)
        session.commit()
        return tokens.issue(OpenSession(owner, family.id, family.current_jti))


def change_user(app: Flask, name: str, **values: Any) -> None:
    """Set columns of an account directly, past all rules."""
    with app.app_context():
        db.session().execute(update(User).where(User.username == name).values(**values))
        db.session().commit()


def line(**others: Any) -> dict[str, Any]:
    """A line of an order, as a client sends it."""
    return {"name": "affe", "price": "42.00", "quantity": 2, **others}


def body(**others: Any) -> dict[str, Any]:
    """A body that makes an order: one line, 84.00 in all."""
    return {"products": [line()], **others}


def order_line(**others: Any) -> Line:
    """A line, as the domain knows it."""
    values: dict[str, Any] = {"name": "affe", "price": Decimal("42.00"), "quantity": 2, **others}
    return Line(**values)


def new_order(*lines: Line, **others: Any) -> NewOrder:
    """An order to be made, as services take it."""
    return NewOrder(lines=lines or (order_line(),), **others)
