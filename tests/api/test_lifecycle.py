"""The way of an order over HTTP: transitions, deletion, restoration."""

from __future__ import annotations

from typing import Any

import pytest

from orders_app.orders.domain import OrderStatus, allowed_transitions
from orders_app.shared.identity import Role
from tests.callers import Caller, path_of
from tests.factories import body


class TestLifecycle:
    @pytest.mark.parametrize("status", OrderStatus)
    def test_an_answer_says_what_this_caller_may_do(
        self, alice: Caller, admin: Caller, status: OrderStatus
    ) -> None:
        order = alice.order(status=status)
        assert order["allowed_transitions"] == allowed_transitions(status, Role.USER)
        seen_by_admin = admin.read(order).get_json()
        assert seen_by_admin["allowed_transitions"] == allowed_transitions(status, Role.ADMIN)

    def test_staying_is_no_move(self, alice: Caller) -> None:
        order = alice.order(status="completed")
        assert alice.patch(path_of(order), {"status": "completed"}).get_json() == order
        assert alice.patch(path_of(order), {"total_price": "1"}).status_code == 200


class TestDeleted:
    @pytest.fixture
    def deleted(self, alice: Caller) -> dict[str, Any]:
        order = alice.order()
        assert alice.delete(path_of(order)).status_code == 204
        return order

    @pytest.mark.parametrize(
        ("method", "sent"),
        [
            ("GET", None),
            ("HEAD", None),
            ("PUT", body()),
            ("PATCH", {"status": "confirmed"}),
            ("DELETE", None),
        ],
    )
    def test_it_is_gone_for_its_owner(
        self, alice: Caller, deleted: dict[str, Any], method: str, sent: Any
    ) -> None:
        extra = [] if sent is None else [sent]
        assert alice(method, path_of(deleted), *extra).status_code == 404
        assert alice.get(path_of(deleted, "events")).status_code == 404

    def test_an_admin_reads_it_and_its_events(self, admin: Caller, deleted: dict[str, Any]) -> None:
        order = admin.read(deleted).get_json()
        assert (order["is_deleted"], order["version"], order["allowed_transitions"]) == (True, 2, [])
        assert len(admin.get(path_of(deleted, "events")).get_json()) == 2

    def test_nobody_changes_it(self, admin: Caller, deleted: dict[str, Any]) -> None:
        for method, sent in (
            ("PUT", body()),
            ("PATCH", {"is_deleted": False}),
            ("PATCH", {"status": "confirmed"}),
        ):
            answer = admin(method, path_of(deleted), sent)
            assert (answer.status_code, answer.get_json()["code"]) == (409, "order_deleted")
        assert admin.delete(path_of(deleted)).status_code == 404

    def test_an_admin_brings_it_back(self, admin: Caller, alice: Caller, deleted: dict[str, Any]) -> None:
        answer = admin.post(path_of(deleted, "restore"))
        assert answer.status_code == 200
        assert alice.read(deleted).get_json()["version"] == 3
        again = admin.post(path_of(deleted, "restore"))
        assert (again.status_code, again.get_json()["code"]) == (409, "order_not_deleted")

    def test_a_user_does_not(self, alice: Caller, deleted: dict[str, Any]) -> None:
        assert alice.post(path_of(deleted, "restore")).status_code == 403
