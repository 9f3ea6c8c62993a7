"""The use cases for orders: what they change, what they record, what they refuse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from orders_app.extensions import unit_of_work
from orders_app.history.models import OrderEventRow
from orders_app.orders import services
from orders_app.orders.domain import TRANSITIONS, Line, OrderChanges, OrderStatus, allowed_transitions
from orders_app.orders.models import Order, OrderLine
from orders_app.orders.records import OrderRecord
from orders_app.shared.errors import Conflict, Forbidden, Invalid
from orders_app.shared.identity import Actor, command_line_actor
from tests.factories import new_order, order_line


def make(actor: Actor, *lines: Line, **others: Any) -> OrderRecord:
    with unit_of_work() as uow:
        return services.create_order(uow, actor=actor, new=new_order(*lines, **others))


def change(actor: Actor, order: OrderRecord, **changes: Any) -> OrderRecord:
    with unit_of_work() as uow:
        return services.change_order(
            uow, actor=actor, order_id=order.order_id, changes=OrderChanges(**changes)
        )


def history(session: Session, order: OrderRecord) -> Sequence[OrderEventRow]:
    rows = select(OrderEventRow).where(OrderEventRow.order_id == order.order_id)
    return session.scalars(rows.order_by(OrderEventRow.sequence)).all()


def names(session: Session, order: OrderRecord) -> list[str]:
    return [event.event for event in history(session, order)]


class TestCreate:
    def test_an_order_is_the_callers(self, as_alice: Actor) -> None:
        order = make(as_alice)
        assert (order.user, order.user_id) == ("alice", as_alice.user_id)
        assert (order.status, order.version, order.is_deleted) == ("pending", 1, False)

    def test_the_total_is_summed_when_it_is_left_out(self, as_alice: Actor) -> None:
        lines = [order_line(price=Decimal("0.10"), quantity=3), order_line(price=Decimal("5.00"), quantity=1)]
        assert make(as_alice, *lines).total_price_cents == 530

    def test_the_total_is_taken_as_given(self, as_alice: Actor) -> None:
        assert make(as_alice, total_price=Decimal("229.00")).total_price_cents == 22_900

    @pytest.mark.parametrize("status", OrderStatus)
    def test_an_order_can_begin_anywhere(self, as_alice: Actor, status: OrderStatus) -> None:
        assert make(as_alice, status=status).status == status.value

    def test_lines_keep_their_order_and_get_ids(self, as_alice: Actor) -> None:
        order = make(as_alice, *[order_line(name=name) for name in "cab"])
        assert [line.name for line in order.lines] == ["c", "a", "b"]
        assert len({line.product_id for line in order.lines}) == 3

    def test_a_product_id_of_the_clients_making_is_not_taken(self, as_alice: Actor) -> None:
        wanted = uuid4()
        assert make(as_alice, order_line(product_id=wanted)).lines[0].product_id != wanted

    def test_creation_is_the_first_event_and_changes_nothing(self, session: Session, as_alice: Actor) -> None:
        order = make(as_alice, status=OrderStatus.CONFIRMED)
        [event] = history(session, order)
        assert (event.event, event.sequence, event.changes) == ("order.created", 1, {})
        assert (event.actor_id, event.actor_name) == (as_alice.user_id, "alice")
        assert (event.old_status, event.new_status) == (None, None)
        assert event.request_id

    def test_an_admin_makes_orders_for_others(self, session: Session, as_admin: Actor) -> None:
        order = make(as_admin, owner="ALICE")
        assert order.user == "alice"
        assert history(session, order)[0].actor_name == "admin"

    def test_a_user_does_not(self, as_bob: Actor) -> None:
        assert make(as_bob, owner="alice").user == "bob"

    def test_an_unknown_owner_is_refused(self, session: Session, as_admin: Actor) -> None:
        with pytest.raises(Invalid) as refused:
            make(as_admin, owner="nobody")
        assert list(refused.value.errors) == ["user"]
        assert session.scalar(select(func.count()).select_from(Order)) == 0

    def test_the_command_line_has_to_name_somebody(self, session: Session) -> None:
        with pytest.raises(Invalid):
            make(command_line_actor())
        order = make(command_line_actor(), owner="alice")
        [event] = history(session, order)
        assert (event.actor_id, event.actor_name) == (None, "command line")

    def test_a_sum_beyond_money_is_refused(self, session: Session, as_alice: Actor) -> None:
        with pytest.raises(Invalid):
            make(as_alice, order_line(price=Decimal("9999999999.99"), quantity=2))
        assert session.scalar(select(func.count()).select_from(OrderLine)) == 0

    def test_a_sum_beyond_money_is_no_matter_when_the_total_is_given(self, as_alice: Actor) -> None:
        line = order_line(price=Decimal("9999999999.99"), quantity=2_147_483_647)
        assert make(as_alice, line, total_price=Decimal("1.00")).total_price_cents == 100

    def test_two_thousand_lines_fit(self, as_alice: Actor) -> None:
        assert len(make(as_alice, *[order_line(name=str(number)) for number in range(2000)]).lines) == 2000


class TestChange:
    def test_what_is_named_is_changed_and_the_rest_stays(self, as_alice: Actor) -> None:
        order = make(as_alice)
        changed = change(as_alice, order, total_price=Decimal("1.50"))
        assert changed == replace(
            order, total_price_cents=150, version=2, updated_at=changed.updated_at, lines=order.lines
        )
        assert changed.updated_at >= order.updated_at

    def test_the_event_tells_before_and_after(self, session: Session, as_alice: Actor) -> None:
        order = make(as_alice)
        change(as_alice, order, total_price=Decimal("1.50"))
        event = history(session, order)[-1]
        assert (event.event, event.sequence) == ("order.updated", 2)
        assert event.changes == {"total_price": ["84.00", "1.50"]}

    def test_a_status_that_changed_names_the_event_whatever_else_did(
        self, session: Session, as_alice: Actor
    ) -> None:
        order = make(as_alice)
        change(as_alice, order, status=OrderStatus.CONFIRMED, total_price=Decimal("1.00"))
        event = history(session, order)[-1]
        assert event.event == "order.status_changed"
        assert (event.old_status, event.new_status) == ("pending", "confirmed")
        assert event.changes == {"status": ["pending", "confirmed"], "total_price": ["84.00", "1.00"]}

    def test_lines_are_replaced_and_the_total_follows(self, session: Session, as_alice: Actor) -> None:
        order = make(as_alice)
        changed = change(as_alice, order, lines=(order_line(name="b", quantity=1), order_line(name="c")))
        assert ([line.name for line in changed.lines], changed.total_price_cents) == (["b", "c"], 12_600)
        assert session.scalar(select(func.count()).select_from(OrderLine)) == 2
        before, after = history(session, order)[-1].changes["products"]
        assert before == [line.as_json() for line in order.lines]
        assert after == [line.as_json() for line in changed.lines]

    def test_a_line_that_is_named_keeps_its_id(self, as_alice: Actor) -> None:
        order = make(as_alice, order_line(name="a"), order_line(name="b"))
        first, second = (line.product_id for line in order.lines)
        wanted = (
            order_line(name="B", product_id=second),
            order_line(name="new"),
            order_line(name="A", product_id=first),
        )
        changed = change(as_alice, order, lines=wanted)
        assert [line.name for line in changed.lines] == ["B", "new", "A"]
        assert changed.lines[0].product_id == second
        assert changed.lines[2].product_id == first
        assert changed.lines[1].product_id not in {first, second}

    def test_a_line_named_twice_keeps_its_id_once(self, as_alice: Actor) -> None:
        order = make(as_alice)
        mine = order.lines[0].product_id
        changed = change(as_alice, order, lines=(order_line(product_id=mine), order_line(product_id=mine)))
        assert changed.lines[0].product_id == mine
        assert changed.lines[1].product_id != mine

    def test_a_line_of_another_order_is_not_taken_away(self, as_alice: Actor) -> None:
        other, order = make(as_alice), make(as_alice)
        theirs = other.lines[0].product_id
        changed = change(as_alice, order, lines=(order_line(name="x", product_id=theirs),))
        assert changed.lines[0].product_id != theirs
        assert change(as_alice, other, total_price=Decimal("1.00")).lines == other.lines

    def test_moving_lines_is_a_change(self, session: Session, as_alice: Actor) -> None:
        order = make(as_alice, order_line(name="a"), order_line(name="b"))
        back = tuple(order_line(name=line.name, product_id=line.product_id) for line in reversed(order.lines))
        assert [line.name for line in change(as_alice, order, lines=back).lines] == ["b", "a"]
        assert names(session, order) == ["order.created", "order.updated"]

    def test_the_same_lines_again_keep_a_total_that_was_given(self, as_alice: Actor) -> None:
        order = make(as_alice, total_price=Decimal("229.00"))
        same = tuple(order_line(product_id=line.product_id) for line in order.lines)
        assert change(as_alice, order, lines=same).total_price_cents == 22_900
        assert change(as_alice, order, lines=same, sum_anew=True).total_price_cents == 8_400

    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"status": OrderStatus.PENDING},
            {"total_price": Decimal("84.00")},
            {"owner": "alice"},
            {"sum_anew": True},
        ],
    )
    def test_what_changes_nothing_is_no_event_and_no_version(
        self, session: Session, as_admin: Actor, as_alice: Actor, changes: dict[str, Any]
    ) -> None:
        order = make(as_alice)
        assert change(as_admin, order, **changes) == order
        assert names(session, order) == ["order.created"]

    def test_an_admin_moves_an_order(self, session: Session, as_admin: Actor, as_alice: Actor) -> None:
        order = make(as_alice)
        assert change(as_admin, order, owner="bob").user == "bob"
        assert history(session, order)[-1].changes == {"user": ["alice", "bob"]}

    def test_an_unknown_new_owner_is_refused(self, as_admin: Actor, as_alice: Actor) -> None:
        with pytest.raises(Invalid):
            change(as_admin, make(as_alice), owner="nobody")

    def test_a_user_does_not_give_orders_away(self, as_alice: Actor) -> None:
        assert change(as_alice, make(as_alice), owner="bob").user == "alice"

    @pytest.mark.parametrize(("old", "new"), [(a, b) for a in OrderStatus for b in OrderStatus if a != b])
    @pytest.mark.parametrize("who", ["alice", "admin"])
    def test_the_lifecycle_holds(
        self, session: Session, as_alice: Actor, as_admin: Actor, who: str, old: OrderStatus, new: OrderStatus
    ) -> None:
        actor = as_admin if who == "admin" else as_alice
        order = make(as_alice, status=old)
        if new in allowed_transitions(old, actor.role):
            assert change(actor, order, status=new).status == new.value
            return
        with pytest.raises(Forbidden if new in TRANSITIONS[old] else Conflict):
            change(actor, order, status=new, total_price=Decimal("1.00"))
        assert names(session, order) == ["order.created"]
        stored = session.get_one(Order, order.order_id)
        assert (stored.status, stored.version, stored.total_price_cents) == (old.value, 1, 8_400)

    def test_sequences_have_no_gaps_and_are_the_versions(self, session: Session, as_alice: Actor) -> None:
        order = make(as_alice)
        for cents in (1, 2, 2, 3):
            changed = change(as_alice, order, total_price=Decimal(cents))
        with pytest.raises(Conflict):
            change(as_alice, order, status=OrderStatus.COMPLETED)
        assert [event.sequence for event in history(session, order)] == [1, 2, 3, 4]
        assert changed.version == 4
