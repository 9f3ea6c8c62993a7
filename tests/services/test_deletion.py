"""Deleting, restoring, and what strangers are told."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from orders_app.extensions import unit_of_work
from orders_app.orders import services
from orders_app.orders.models import Order
from orders_app.orders.records import OrderRecord
from orders_app.shared.errors import Conflict, DomainError, Forbidden, NotFound
from orders_app.shared.identity import Actor
from tests.services.test_orders import change, history, make, names


def delete(actor: Actor, order: OrderRecord) -> None:
    with unit_of_work() as uow:
        services.delete_order(uow, actor=actor, order_id=order.order_id)


def restore(actor: Actor, order: OrderRecord) -> OrderRecord:
    with unit_of_work() as uow:
        return services.restore_order(uow, actor=actor, order_id=order.order_id)


class TestDeleteAndRestore:
    def test_a_deleted_order_stays(self, session: Session, as_alice: Actor) -> None:
        order = make(as_alice)
        delete(as_alice, order)
        stored = session.get_one(Order, order.order_id)
        assert (stored.is_deleted, stored.version, len(stored.lines)) == (True, 2, 1)
        event = history(session, order)[-1]
        assert (event.event, event.changes) == ("order.deleted", {"is_deleted": [False, True]})

    def test_it_is_gone_for_its_owner_and_unchangeable_for_all(
        self, as_alice: Actor, as_admin: Actor
    ) -> None:
        order = make(as_alice)
        delete(as_alice, order)
        with pytest.raises(NotFound):
            change(as_alice, order, total_price=Decimal("1.00"))
        with pytest.raises(Conflict) as refused:
            change(as_admin, order, total_price=Decimal("1.00"))
        assert refused.value.code == "order_deleted"

    @pytest.mark.parametrize("who", ["alice", "admin"])
    def test_twice_is_not_found(self, as_alice: Actor, as_admin: Actor, who: str) -> None:
        order = make(as_alice)
        delete(as_alice, order)
        with pytest.raises(NotFound):
            delete(as_admin if who == "admin" else as_alice, order)

    def test_an_admin_brings_it_back(self, session: Session, as_alice: Actor, as_admin: Actor) -> None:
        order = make(as_alice)
        delete(as_alice, order)
        restored = restore(as_admin, order)
        assert restored == replace(order, version=3, updated_at=restored.updated_at)
        assert names(session, order) == ["order.created", "order.deleted", "order.restored"]

    def test_what_is_not_deleted_cannot_be_restored(self, as_alice: Actor, as_admin: Actor) -> None:
        with pytest.raises(Conflict) as refused:
            restore(as_admin, make(as_alice))
        assert refused.value.code == "order_not_deleted"

    def test_what_is_not_what_the_caller_saw_stays(
        self, session: Session, as_alice: Actor, as_admin: Actor
    ) -> None:
        order = make(as_alice)
        for seen in (0, 2):
            with pytest.raises(Conflict) as refused, unit_of_work() as uow:
                services.delete_order(uow, actor=as_alice, order_id=order.order_id, expected_version=seen)
            assert (refused.value.code, refused.value.extra) == ("version_mismatch", {"current_version": 1})
        with unit_of_work() as uow:
            services.delete_order(uow, actor=as_alice, order_id=order.order_id, expected_version=1)
        with pytest.raises(Conflict) as refused, unit_of_work() as uow:
            services.restore_order(uow, actor=as_admin, order_id=order.order_id, expected_version=1)
        assert (refused.value.code, refused.value.extra) == ("version_mismatch", {"current_version": 2})
        with unit_of_work() as uow:
            services.restore_order(uow, actor=as_admin, order_id=order.order_id, expected_version=2)
        assert names(session, order) == ["order.created", "order.deleted", "order.restored"]

    def test_a_user_restores_nothing(self, as_alice: Actor) -> None:
        order = make(as_alice)
        delete(as_alice, order)
        with pytest.raises(Forbidden):
            restore(as_alice, order)


def test_what_is_another_users_is_not_there(session: Session, as_alice: Actor, as_bob: Actor) -> None:
    order = make(as_alice)
    stranger = replace(order, order_id=uuid4())
    told = []
    for wanted in (order, stranger):
        for attempt in (
            lambda it: change(as_bob, it, total_price=Decimal("1.00")),
            lambda it: delete(as_bob, it),
        ):
            with pytest.raises(DomainError) as refused:
                attempt(wanted)
            told.append((type(refused.value), refused.value.code, refused.value.detail, refused.value.extra))
    assert len({repr(answer) for answer in told}) == 1
    assert names(session, order) == ["order.created"]
