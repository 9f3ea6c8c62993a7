"""The way of an order, over every pair of statuses and every role."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from orders_app.orders.domain import (
    TRANSITIONS,
    OrderStatus,
    allowed_transitions,
    check_transition,
    may_see,
    total_of,
)
from orders_app.shared.errors import Conflict, Forbidden, Invalid
from orders_app.shared.identity import Actor, Role, command_line_actor
from tests.factories import order_line

# Written out once more, by hand, so that a change of the table in the code has to be meant.
USER_MAY = {
    "pending": ["confirmed", "cancelled"],
    "confirmed": ["pending", "cancelled"],
    "cancelled": ["pending", "confirmed"],
    "completed": [],
}
ADMIN_MAY = USER_MAY | {"confirmed": ["pending", "cancelled", "completed"]}
PAIRS = [(old, new) for old in OrderStatus for new in OrderStatus]


def test_there_are_the_statuses_of_the_original_and_completed() -> None:
    assert [status.value for status in OrderStatus] == ["pending", "confirmed", "cancelled", "completed"]
    assert set(TRANSITIONS) == set(OrderStatus)


@pytest.mark.parametrize(("role", "expected"), [(Role.USER, USER_MAY), (Role.ADMIN, ADMIN_MAY)])
def test_what_a_role_may_make_of_an_order(role: Role, expected: dict[str, list[str]]) -> None:
    assert {status.value: allowed_transitions(status, role) for status in OrderStatus} == expected


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_every_pair_is_allowed_refused_or_unknown(old: OrderStatus, new: OrderStatus, role: Role) -> None:
    mine = ADMIN_MAY if role is Role.ADMIN else USER_MAY
    if new in mine[old]:
        check_transition(old, new, role)
    elif new in ADMIN_MAY[old]:
        with pytest.raises(Forbidden):
            check_transition(old, new, role)
    else:
        with pytest.raises(Conflict) as refused:
            check_transition(old, new, role)
        assert refused.value.code == "invalid_transition"
        assert refused.value.extra == {"from": old.value, "to": new.value, "allowed": mine[old]}


def test_the_total_is_the_sum_of_price_times_quantity() -> None:
    lines = [
        order_line(price=Decimal("0.10"), quantity=3),
        order_line(price=Decimal("19.99"), quantity=0),
    ]
    assert str(total_of(lines)) == "0.30"


def test_a_total_beyond_money_is_refused_and_names_its_field() -> None:
    with pytest.raises(Invalid) as refused:
        total_of([order_line(price=Decimal("9999999999.99"), quantity=2)])
    assert list(refused.value.errors) == ["total_price"]


def test_the_sum_of_no_lines_is_nothing() -> None:
    assert str(total_of([])) == "0.00"


OWNER, OTHER = uuid4(), uuid4()


@pytest.mark.parametrize(
    ("user_id", "role", "is_deleted", "visible"),
    [
        (OWNER, Role.USER, False, True),
        (OWNER, Role.USER, True, False),
        (OTHER, Role.USER, False, False),
        (OTHER, Role.USER, True, False),
        (OTHER, Role.ADMIN, False, True),
        (OTHER, Role.ADMIN, True, True),
        (OWNER, Role.ADMIN, True, True),
    ],
)
def test_who_sees_an_order(user_id: UUID, role: Role, is_deleted: bool, visible: bool) -> None:
    assert may_see(Actor(user_id, "somebody", role), OWNER, is_deleted) is visible


def test_the_command_line_sees_everything_and_is_nobody() -> None:
    operator = command_line_actor()
    assert operator.user_id is None
    assert may_see(operator, OWNER, is_deleted=True)
