"""Two at once, on connections of their own: nobody's change is lost, and nobody waits in a circle."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from orders_app.auth.models import User
from orders_app.auth.services import accounts
from orders_app.auth.services.accounts import account_changes
from orders_app.extensions import db, unit_of_work
from orders_app.history.models import OrderEventRow
from orders_app.orders import services
from orders_app.orders.domain import OrderChanges, OrderStatus
from orders_app.orders.models import Order
from orders_app.orders.repository import get_order_locked
from orders_app.shared.errors import Conflict, DomainError, NotFound
from orders_app.shared.identity import Role
from tests import factories

WRITERS = 2
EACH = 15


def together(app: Flask, *works: Callable[[], None]) -> list[BaseException]:
    """Run each in a thread with an application context of its own, all beginning at the same moment."""
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        with app.app_context():
            barrier.wait(10)
            work()

    with ThreadPoolExecutor(len(works)) as threads:
        jobs = [threads.submit(run, work) for work in works]
    return [error for job in jobs if (error := job.exception()) is not None]


def an_order(app: Flask) -> UUID:
    with app.app_context():
        alice = factories.actor("alice")
        with unit_of_work() as uow:
            new = factories.new_order(total_price=Decimal("0.00"))
            return services.create_order(uow, actor=alice, new=new).order_id


def test_no_update_is_lost(app: Flask) -> None:
    order_id = an_order(app)

    def add_one_many_times() -> None:
        alice = factories.actor("alice")
        for _ in range(EACH):
            with unit_of_work() as uow:
                order = get_order_locked(uow.session, order_id)
                assert order is not None
                services.change_order(
                    uow,
                    actor=alice,
                    order_id=order_id,
                    changes=OrderChanges(total_price=order.total_price + 1),
                )
            db.session.remove()

    assert together(app, *[add_one_many_times] * WRITERS) == []
    with app.app_context():
        order = db.session().get_one(Order, order_id)
        events = db.session().scalars(select(OrderEventRow.sequence).order_by(OrderEventRow.sequence)).all()
        assert order.total_price == WRITERS * EACH
        assert order.version == WRITERS * EACH + 1
        assert list(events) == list(range(1, WRITERS * EACH + 2))


def test_of_a_change_and_a_deletion_one_comes_first(app: Flask) -> None:
    for _ in range(5):
        order_id = an_order(app)

        def confirm(order_id: UUID = order_id) -> None:
            alice = factories.actor("alice")
            with unit_of_work() as uow:
                changes = OrderChanges(status=OrderStatus.CONFIRMED)
                services.change_order(uow, actor=alice, order_id=order_id, changes=changes)

        def remove(order_id: UUID = order_id) -> None:
            alice = factories.actor("alice")
            with unit_of_work() as uow:
                services.delete_order(uow, actor=alice, order_id=order_id)

        errors = together(app, confirm, remove)
        assert all(isinstance(error, NotFound) for error in errors)
        with app.app_context():
            order = db.session().get_one(Order, order_id)
            assert order.is_deleted
            assert order.version == 3 - len(errors)


def test_two_admins_cannot_end_each_other(app: Flask) -> None:
    with app.app_context():
        db.session().add(factories.user(username="root", role=Role.ADMIN))
        db.session().commit()
    ids = {name: factories.user_id(app, name) for name in ("admin", "root")}

    def demote(name: str) -> Callable[[], None]:
        def work() -> None:
            actor = factories.actor("admin")
            with unit_of_work() as uow:
                accounts.change_user(
                    uow, actor=actor, user_id=ids[name], changes=account_changes(role=Role.USER)
                )

        return work

    [error] = together(app, demote("admin"), demote("root"))
    assert isinstance(error, Conflict)
    assert error.code == "last_admin"
    with app.app_context():
        assert len(db.session().scalars(select(User).where(User.role == "admin")).all()) == 1


def test_of_two_who_want_a_name_one_gets_it(app: Flask) -> None:
    def register() -> None:
        with unit_of_work() as uow:
            accounts.create_user(uow, actor=None, account=accounts.new_account("Zoë", None))

    [error] = together(app, register, register)
    assert isinstance(error, DomainError)
    assert error.code == "name_taken"


@pytest.mark.parametrize("rounds", [10])
def test_orders_that_are_moved_to_and_fro_do_not_deadlock(app: Flask, rounds: int) -> None:
    first, second = an_order(app), an_order(app)

    def move(order_id: UUID, owners: tuple[str, str]) -> Callable[[], None]:
        def work() -> None:
            admin = factories.actor("admin")
            for number in range(rounds):
                with unit_of_work() as uow:
                    changes = OrderChanges(owner=owners[number % 2])
                    services.change_order(uow, actor=admin, order_id=order_id, changes=changes)
                db.session.remove()

        return work

    assert together(app, move(first, ("bob", "alice")), move(second, ("alice", "bob"))) == []
