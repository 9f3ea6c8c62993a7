"""Making, changing, deleting and restoring orders over HTTP."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from orders_app.orders.domain import TRANSITIONS, OrderStatus, allowed_transitions
from orders_app.shared.identity import Role
from tests.callers import ORDERS, Caller, path_of
from tests.factories import body, line

KEYS = {
    "order_id", "user", "status", "total_price", "products", "is_deleted", "created_at", "updated_at", "version",
    "allowed_transitions", "source", "reference",
}  # fmt: skip
PAIRS = [(old, new) for old in OrderStatus for new in OrderStatus if old != new]


class TestCreate:
    def test_an_answer_has_all_keys(self, alice: Caller) -> None:
        order = alice.order()
        assert set(order) == KEYS
        assert set(order["products"][0]) == {"product_id", "name", "price", "quantity"}
        assert (order["status"], order["total_price"], order["version"]) == ("pending", "84.00", 1)
        assert (order["user"], order["source"], order["reference"]) == ("alice", None, None)
        assert order["created_at"] == order["updated_at"]

    def test_the_location_is_the_order(self, alice: Caller) -> None:
        answer = alice.post(ORDERS, body())
        assert alice.get(answer.headers["Location"]).get_json() == answer.get_json()

    @pytest.mark.parametrize("status", OrderStatus)
    def test_an_order_can_begin_anywhere(self, alice: Caller, status: str) -> None:
        assert alice.order(status=status)["status"] == status

    def test_money_is_exact(self, alice: Caller) -> None:
        products = [line(price="0.10", quantity=3), line(price=0.2, quantity=1)]
        assert alice.order(products=products)["total_price"] == "0.50"

    def test_text_is_kept_as_it_is(self, alice: Caller) -> None:
        names = ["'; DROP TABLE orders; --", "100% _wool_", "{{7*7}}", "${jndi:ldap://x}", "../../etc", "Кофе «Эспрессо» 🎉", "<b>"]
        order = alice.order(products=[line(name=name) for name in names])
        assert [found["name"] for found in alice.read(order).get_json()["products"]] == names

    def test_an_admin_makes_orders_for_others(self, admin: Caller, alice: Caller) -> None:
        order = admin.order(user="Alice")
        assert order["user"] == "alice"
        assert alice.read(order).status_code == 200

    def test_a_user_makes_their_own_whatever_they_say(self, alice: Caller) -> None:
        assert alice.order(user="bob")["user"] == "alice"

    @pytest.mark.parametrize("user", ["nobody", "", "a\0b", True, {"name": "alice"}, ["alice"]], ids=repr)
    def test_an_owner_who_is_none(self, admin: Caller, user: Any) -> None:
        answer = admin.post(ORDERS, body(user=user))
        assert answer.status_code == 422
        assert "user" in answer.get_json()["errors"]["json"]

    def test_read_only_fields_are_taken_and_not_applied(self, alice: Caller) -> None:
        sent = {
            "order_id": str(uuid4()), "is_deleted": True, "created_at": "2001-01-01T00:00:00Z", "updated_at": 5, "version": 99,
            "allowed_transitions": ["x"], "source": "evil", "reference": "evil",
        }  # fmt: skip
        order = alice.order(**sent)
        assert all(order[key] != value for key, value in sent.items())
        assert alice.read(order).get_json() == order

    def test_two_thousand_lines_fit_in_the_order_they_came(self, alice: Caller) -> None:
        names = [str(number) for number in range(2000)]
        order = alice.order(products=[line(name=name, price="0.01") for name in names])
        assert [found["name"] for found in alice.read(order).get_json()["products"]] == names


class TestPut:
    def test_a_status_left_out_stays(self, alice: Caller) -> None:
        order = alice.order(status="confirmed")
        assert alice.put(path_of(order), body()).get_json()["status"] == "confirmed"

    def test_a_total_left_out_is_summed_anew(self, alice: Caller) -> None:
        order = alice.order(total_price="229")
        assert alice.put(path_of(order), {"products": order["products"]}).get_json()["total_price"] == "84.00"

    def test_lines_keep_their_ids_where_they_name_them(self, alice: Caller) -> None:
        order = alice.order(products=[line(name="a"), line(name="b")])
        first, second = order["products"]
        products = [{**second, "quantity": 9}, line(name="new"), {**first, "product_id": str(uuid4())}]
        changed = alice.put(path_of(order), {"products": products}).get_json()["products"]
        assert changed[0] == {**second, "quantity": 9}
        assert changed[1]["product_id"] not in {first["product_id"], second["product_id"]}
        assert changed[2]["product_id"] not in {first["product_id"], products[2]["product_id"]}

    def test_products_are_required(self, alice: Caller) -> None:
        order = alice.order()
        assert alice.put(path_of(order), {"status": "confirmed"}).status_code == 422
        assert alice.read(order).get_json() == order

    def test_the_same_again_is_no_change(self, alice: Caller) -> None:
        order = alice.order()
        answer = alice.put(path_of(order), order)
        assert (answer.status_code, answer.get_json()) == (200, order)


class TestPatch:
    def test_what_is_named_changes(self, alice: Caller) -> None:
        order = alice.order()
        changed = alice.patch(path_of(order), {"total_price": "1.5"}).get_json()
        assert changed["updated_at"] > order["updated_at"]
        expected = {"total_price": "1.50", "version": 2, "updated_at": changed["updated_at"]}
        assert changed == {**order, **expected}

    def test_the_total_follows_the_lines(self, alice: Caller) -> None:
        order = alice.order(total_price="229")
        changed = alice.patch(path_of(order), {"products": [line(quantity=1)]}).get_json()
        assert changed["total_price"] == "42.00"

    @pytest.mark.parametrize("change", [{}, {"status": "pending"}, {"total_price": 84}, {"version": 7}], ids=str)
    def test_what_changes_nothing(self, alice: Caller, change: dict[str, Any]) -> None:
        order = alice.order()
        answer = alice.patch(path_of(order), change)
        assert (answer.status_code, answer.get_json()) == (200, order)

    @pytest.mark.parametrize(
        "change",
        [{"status": None}, {"total_price": None}, {"products": None}, {"products": []}, {"status": "nope"}, {"surprise": 1}, [], "x", None, 5],
        ids=str,
    )  # fmt: skip
    def test_what_is_not_valid(self, alice: Caller, change: Any) -> None:
        order = alice.order()
        assert alice.patch(path_of(order), change).status_code == 422
        assert alice.read(order).get_json() == order

    def test_an_admin_moves_an_order(self, admin: Caller, alice: Caller, bob: Caller) -> None:
        order = alice.order()
        assert admin.patch(path_of(order), {"user": "bob"}).get_json()["user"] == "bob"
        assert alice.read(order).status_code == 404
        assert bob.read(order).status_code == 200

    def test_a_sum_beyond_money_is_refused_and_nothing_is_left_half_done(self, alice: Caller) -> None:
        order = alice.order()
        huge = [line(price="9999999999.99", quantity=2)]
        answer = alice.patch(path_of(order), {"status": "confirmed", "products": huge})
        assert answer.status_code == 422
        assert "total_price" in answer.get_json()["errors"]["json"]
        assert alice.read(order).get_json() == order
        assert alice.patch(path_of(order), {"status": "confirmed"}).status_code == 200


class TestLifecycle:
    @pytest.mark.parametrize(("old", "new"), PAIRS)
    @pytest.mark.parametrize("method", ["PUT", "PATCH"])
    @pytest.mark.parametrize("name", ["alice", "admin"])
    def test_every_move(
        self, alice: Caller, admin: Caller, name: str, method: str, old: OrderStatus, new: OrderStatus
    ) -> None:
        caller, role = (admin, Role.ADMIN) if name == "admin" else (alice, Role.USER)
        order = alice.order(status=old)
        answer = caller(method, path_of(order), {**order, "status": new})
        allowed = allowed_transitions(old, role)
        if new in allowed:
            assert (answer.status_code, answer.get_json()["status"]) == (200, new)
        elif new in TRANSITIONS[old]:
            assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden")
        else:
            assert answer.status_code == 409
            problem = answer.get_json()
            assert problem["code"] == "invalid_transition"
            assert (problem["from"], problem["to"], problem["allowed"]) == (old, new, allowed)

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
        [("GET", None), ("HEAD", None), ("PUT", body()), ("PATCH", {"status": "confirmed"}), ("DELETE", None)],
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
        for method, sent in (("PUT", body()), ("PATCH", {"is_deleted": False}), ("PATCH", {"status": "confirmed"})):
            answer = admin(method, path_of(deleted), sent)
            assert (answer.status_code, answer.get_json()["code"]) == (409, "order_deleted")
        assert admin.delete(path_of(deleted)).status_code == 404

    def test_an_admin_brings_it_back(
        self, admin: Caller, alice: Caller, deleted: dict[str, Any]
    ) -> None:
        answer = admin.post(path_of(deleted, "restore"))
        assert answer.status_code == 200
        assert alice.read(deleted).get_json()["version"] == 3
        again = admin.post(path_of(deleted, "restore"))
        assert (again.status_code, again.get_json()["code"]) == (409, "order_not_deleted")

    def test_a_user_does_not(self, alice: Caller, deleted: dict[str, Any]) -> None:
        assert alice.post(path_of(deleted, "restore")).status_code == 403


SENT: list[tuple[str, str, Any]] = [
    ("GET", "", None),
    ("HEAD", "", None),
    ("DELETE", "", None),
    ("GET", "events", None),
    ("PUT", "", body()),
    ("PUT", "", {}),
    ("PUT", "", {"products": [{"name": ""}]}),
    ("PATCH", "", {"status": "confirmed"}),
    ("PATCH", "", {"status": "completed"}),
    ("PATCH", "", {"status": "nope"}),
    ("PATCH", "", {}),
    ("POST", "restore", None),
]


@pytest.mark.parametrize(("method", "below", "sent"), SENT, ids=str)
@pytest.mark.parametrize("is_deleted", [False, True])
def test_what_is_anothers_answers_like_what_never_was(
    alice: Caller, bob: Caller, admin: Caller, method: str, below: str, sent: Any, is_deleted: bool
) -> None:
    order = alice.order()
    if is_deleted:
        alice.delete(path_of(order))
    before = admin.read(order).get_json()

    def ask(order_id: str) -> TestResponse:
        parts = [below] if below else []
        extra = [] if sent is None else [sent]
        path = path_of({"order_id": order_id}, *parts)
        return bob(method, path, *extra, headers={"X-Request-ID": "same"})

    mine, none = str(order["order_id"]), str(uuid4())
    theirs, nobodys = ask(mine), ask(none)
    assert theirs.status_code == nobodys.status_code
    assert theirs.status_code in {403, 404, 422}
    assert theirs.data.replace(mine.encode(), b"-") == nobodys.data.replace(none.encode(), b"-")
    assert _without_date(theirs) == _without_date(nobodys)
    assert admin.read(order).get_json() == before


def _without_date(answer: TestResponse) -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in answer.headers if name != "Date")


@pytest.mark.parametrize("order_id", ["not-a-uuid", "1", "%00", "%FF", "x" * 5000, "0" * 32, "..%2f", "%D9%A3", "{order_id}"])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_what_is_no_id_names_nothing(alice: Caller, method: str, order_id: str) -> None:
    extra = [body()] if method in {"PUT", "PATCH"} else []
    assert alice(method, f"{ORDERS}{order_id}/", *extra).status_code == 404


def test_an_id_is_written_in_either_case(alice: Caller) -> None:
    order = alice.order()
    assert alice.get(f"{ORDERS}{order['order_id'].upper()}/").get_json() == order


def test_an_invalid_body_for_what_is_anothers_says_nothing_of_it(alice: Caller, bob: Caller) -> None:
    order = alice.order()
    answer = bob.put(path_of(order), {"products": "x"})
    assert json.dumps(order["products"][0]["product_id"]) not in answer.text
