"""Migrations: one line, equal to the models, forth and back with data; and the limits in the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import insert, inspect, select, text, update
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import InstrumentedAttribute

from config import ROOT
from orders_app.auth.models import PasswordLink, User
from orders_app.desk.models import SavedView
from orders_app.extensions import db, unit_of_work
from orders_app.history.models import OrderEventRow
from orders_app.migrating import NEWEST
from orders_app.orders import services
from orders_app.orders.counts import count_orders, figures_up_to, miscounts
from orders_app.orders.domain import MOST_QUANTITY, Figures, OrderChanges, OrderStatus
from orders_app.orders.filters import OrderFilter
from orders_app.orders.models import Order, OrderLine, OrderNote
from orders_app.orders.sales import by_day, wrong_quarters
from orders_app.shared.clock import utcnow
from orders_app.shared.money import MAX_CENTS
from orders_app.shared.persistence import Base
from tests import factories


@pytest.mark.parametrize(
    "column", [Order.total_price_cents, Order.version, OrderLine.price_cents, OrderLine.quantity], ids=str
)
def test_no_fraction_is_kept(upgraded: Flask, column: InstrumentedAttribute[int]) -> None:
    """PostgreSQL rounds what is written to whole numbers; SQLite would keep it, and has to refuse."""
    make_an_order()
    session = db.session()
    try:
        session.execute(update(column.class_).values({column: text("1.5")}))
    except IntegrityError:
        session.rollback()
    assert float(session.scalars(select(column)).one()).is_integer()


@pytest.mark.parametrize("columns", [{"sequence": 0}, {"order_id": uuid4()}, {"seal": b"short"}])
def test_the_database_keeps_the_limits_of_the_history(upgraded: Flask, columns: dict[str, Any]) -> None:
    make_an_order()
    session = db.session()
    row = session.execute(select(*OrderEventRow.__table__.columns)).mappings().one()
    with pytest.raises((IntegrityError, DataError)):
        session.execute(insert(OrderEventRow).values({**row, "id": uuid4(), "sequence": 2, **columns}))


def make_an_order() -> None:
    session = db.session()
    session.add(factories.user(username="alice", password=factories.password_of("alice")))
    session.commit()
    with unit_of_work() as uow:
        services.create_order(uow, actor=factories.actor("alice"), new=factories.new_order())
    db.session.remove()


@pytest.fixture
def upgraded(empty_app: Flask) -> Iterator[Flask]:
    with empty_app.app_context():
        flask_migrate.upgrade()
        yield empty_app


def tables() -> set[str]:
    return set(inspect(db.engine).get_table_names()) - {"alembic_version"}


def test_there_is_one_head() -> None:
    assert ScriptDirectory(str(ROOT / "migrations")).get_heads() == [NEWEST]


# SQLAlchemy cannot read back what an index of SQLite computes; that it is used is looked at in test_plans.
@pytest.mark.filterwarnings(
    "ignore:Skipped unsupported reflection of expression-based index ix_orders_id_end",
    "ignore:autogenerate skipping metadata-specified expression-based index",
)
def test_the_tables_are_what_the_models_say(upgraded: Flask) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    assert tables() == set(Base.metadata.tables)


def test_forth_and_back_and_forth_with_data(upgraded: Flask) -> None:
    make_an_order()
    flask_migrate.downgrade(revision="base")
    assert tables() == set()
    flask_migrate.upgrade()
    assert db.session().scalars(select(Order)).all() == []
    db.session.remove()
    make_an_order()


def test_each_step_can_be_taken_back_and_again(upgraded: Flask) -> None:
    script = ScriptDirectory(str(ROOT / "migrations"))
    steps = [revision.revision for revision in script.walk_revisions()][::-1]
    flask_migrate.downgrade(revision="base")
    for step in steps:
        flask_migrate.upgrade(revision=step)
        flask_migrate.downgrade(revision="-1")
        flask_migrate.upgrade(revision=step)
    assert tables() == set(Base.metadata.tables)


def test_a_history_from_before_the_seals_is_sealed(upgraded: Flask) -> None:
    make_an_order()
    alice = factories.actor("alice")
    [order_id] = db.session().scalars(select(Order.id)).all()
    for status in (OrderStatus.CONFIRMED, OrderStatus.CANCELLED):
        with unit_of_work() as uow:
            services.change_order(uow, actor=alice, order_id=order_id, changes=OrderChanges(status=status))
    db.session.remove()
    flask_migrate.downgrade(revision="0004")
    flask_migrate.upgrade()
    assert verified(upgraded).startswith("history: 1 orders, 3 events; 0 findings; ")
    # Its last event is the one that the next change is held against, as if it were a new one.
    for total, said in (
        ("1.00", "history: 1 orders, 4 events; 0 findings; "),
        ("2.00", "event 5, began from"),
    ):
        with unit_of_work() as uow:
            changes = OrderChanges(total_price=Decimal(total))
            services.change_order(uow, actor=alice, order_id=order_id, changes=changes)
        assert said in verified(upgraded)
        db.session().execute(text("UPDATE orders SET total_price_cents = 7"))
        db.session().commit()


def test_orders_that_are_there_are_counted_and_their_products_found(upgraded: Flask) -> None:
    for _ in range(2):
        make_an_order()
        db.session().execute(text("UPDATE users SET username = id, username_key = id"))
        db.session().commit()
    db.session.remove()
    flask_migrate.downgrade(revision="0007")
    flask_migrate.upgrade()
    assert verified(upgraded).startswith("history: 2 orders, 2 events; 0 findings; ")
    with db.engine.connect() as connection:
        assert count_orders(connection, OrderFilter(statuses=(OrderStatus.PENDING,))) == 2
        assert count_orders(connection, OrderFilter(q="AFFE")) == 2
    # And those that come are counted to them.
    make_an_order()
    with db.engine.connect() as connection:
        assert count_orders(connection, OrderFilter()) == 3


def test_orders_that_are_there_are_summed_up_and_those_that_come_later_too(upgraded: Flask) -> None:
    """Forth and back and forth, with orders that are made, changed and deleted under each step's triggers."""
    make_an_order()
    today = utcnow().replace(hour=0, minute=0, second=0, microsecond=0)
    for step in ("0008", "0009", "0008", "0009"):
        (flask_migrate.downgrade if step == "0008" else flask_migrate.upgrade)(revision=step)
        with db.engine.begin() as connection:
            for number in range(3):
                values = {
                    "id": uuid4(),
                    "user_id": connection.scalar(select(User.id)),
                    "status": "completed",
                    "total_price_cents": 10 + number,
                    "is_deleted": False,
                    "created_at": datetime(2026, 1, 1, 0, 15 * number, 1, 500_000, UTC),
                    "updated_at": utcnow(),
                    "version": 1,
                }
                connection.execute(insert(Order), values)
            connection.execute(update(Order).where(Order.id == values["id"]).values(is_deleted=True))
            connection.execute(
                update(Order).where(Order.total_price_cents == 11).values(total_price_cents=100)
            )
    with db.engine.connect() as connection:
        assert list(miscounts(connection)) == []
        assert list(wrong_quarters(connection)) == []
        completed = OrderFilter(statuses=(OrderStatus.COMPLETED,))
        assert figures_up_to(connection, completed, 0) == Figures(8, 440)
        begins = datetime(2026, 1, 1, tzinfo=UTC)
        days = [(begins, begins + timedelta(days=1)), (today, today + timedelta(days=2))]
        first, now = by_day(connection, days)
    assert first[OrderStatus.COMPLETED] == Figures(8, 440)
    assert now[OrderStatus.PENDING] == Figures(1, 8400)


def verified(app: Flask) -> str:
    """What `flask orders verify` prints."""
    return app.test_cli_runner().invoke(args=["orders", "verify"]).stdout


def test_upgrading_twice_changes_nothing(upgraded: Flask) -> None:
    make_an_order()
    flask_migrate.upgrade()
    assert len(db.session().scalars(select(Order)).all()) == 1


LIMITS: list[tuple[type[Any], dict[str, Any], bool]] = [
    *[(Order, {"status": status.value}, True) for status in OrderStatus],
    (Order, {"status": "nope"}, False),
    (Order, {"status": ""}, False),
    (Order, {"total_price_cents": 0}, True),
    (Order, {"total_price_cents": MAX_CENTS}, True),
    (Order, {"total_price_cents": MAX_CENTS + 1}, False),
    (Order, {"total_price_cents": -1}, False),
    (Order, {"version": 0}, False),
    (Order, {"source": "shop"}, False),
    (Order, {"reference": "A-1"}, False),
    (Order, {"source": "shop", "reference": "A-1"}, True),
    (Order, {"user_id": uuid4()}, False),
    (OrderLine, {"price_cents": 0}, True),
    (OrderLine, {"price_cents": MAX_CENTS}, True),
    (OrderLine, {"price_cents": MAX_CENTS + 1}, False),
    (OrderLine, {"price_cents": -1}, False),
    (OrderLine, {"quantity": 0}, True),
    (OrderLine, {"quantity": MOST_QUANTITY}, True),
    (OrderLine, {"quantity": MOST_QUANTITY + 1}, False),
    (OrderLine, {"quantity": -1}, False),
    (OrderLine, {"name": ""}, False),
    (OrderLine, {"order_id": uuid4()}, False),
    (Order, {"source": "shop", "reference": ""}, False),
    (Order, {"source": "", "reference": "1"}, False),
    (Order, {"source": "shop", "reference": "r" * 256}, False),
    (Order, {"source": "s" * 101, "reference": "1"}, False),
    (OrderLine, {"position": -1}, False),
    (OrderLine, {"name": "n" * 255}, True),
    (OrderLine, {"name": "n" * 256}, False),
    *[(OrderLine, {"name": f"a{control}b"}, False) for control in "\x01\t\n\x1f\x7f"],
    (OrderLine, {"name": " !~[]*?^-äẞ漢🧶"}, True),
    (User, {"username": ""}, False),
    (User, {"username": "u" * 151}, False),
    (User, {"username": "a\nb"}, False),
    (User, {"username": "Zoë O'Hara-漢"}, True),
    (User, {"role": "root"}, False),
    (SavedView, {"name": ""}, False),
    (SavedView, {"name": "n" * 61}, False),
    (SavedView, {"name": "a\nb"}, False),
    (SavedView, {"query": ""}, True),
    (SavedView, {"query": "q" * 2_001}, False),
    (SavedView, {"query": "a\nb"}, False),
    (SavedView, {"owner_id": uuid4()}, False),
    (PasswordLink, {"digest": b"short"}, False),
    (PasswordLink, {"user_id": uuid4()}, False),
]
NOTES: list[tuple[dict[str, Any], bool]] = [
    ({"text": "one\ntwo"}, True),
    ({"text": "🧶" * 2_000}, True),
    ({"text": "n" * 2_001}, False),
    ({"text": ""}, False),
    *[({"text": f"a{control}b"}, False) for control in "\x01\t\x0b\r\x1f\x7f"],
    ({"sequence": 0}, False),
    ({"order_id": uuid4()}, False),
    ({"author_id": uuid4()}, False),
]


def test_the_database_keeps_the_limits_of_the_rules(upgraded: Flask) -> None:
    make_an_order()
    make_a_desk()
    wrong = []
    for model, values, allowed in LIMITS:
        session = db.session()
        try:
            session.execute(update(model).values(**values))
            taken = True
        except (IntegrityError, DataError):
            taken = False
        session.rollback()
        if taken is not allowed:
            wrong.append((model.__name__, values))
    assert wrong == []


@pytest.mark.parametrize(("values", "allowed"), NOTES)
def test_the_database_keeps_the_limits_of_notes(
    upgraded: Flask, values: dict[str, Any], allowed: bool
) -> None:
    make_an_order()
    session = db.session()
    [order_id] = session.scalars(select(Order.id)).all()
    row = {"order_id": order_id, "at": utcnow(), "author_name": "alice", "request_id": "-", "text": "."}
    try:
        session.execute(insert(OrderNote).values({**row, **values}))
        taken = True
    except (IntegrityError, DataError):
        taken = False
    assert taken is allowed


def make_a_desk() -> None:
    """A view and a link of the account that is there."""
    session = db.session()
    [user_id] = session.scalars(select(User.id)).all()
    now = utcnow()
    session.add(
        SavedView(owner_id=user_id, name="a", name_key="a", is_shared=False, query="", created_at=now)
    )
    session.add(PasswordLink(digest=bytes(32), user_id=user_id, created_at=now, expires_at=now))
    session.commit()
    db.session.remove()
