"""Making, changing, deleting and restoring orders over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from orders_app.orders.domain import OrderStatus
from tests.callers import ORDERS, Caller, path_of
from tests.factories import body, line

KEYS = {
    "order_id",
    "user",
    "status",
    "total_price",
    "products",
    "is_deleted",
    "created_at",
    "updated_at",
    "version",
    "allowed_transitions",
    "source",
    "reference",
}


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
        names = [
            "'; DROP TABLE orders; --",
            "100% _wool_",
            "{{7*7}}",
            "${jndi:ldap://x}",
            "../../etc",
            "Кофе «Эспрессо» 🎉",
            "<b>",
        ]
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
            "order_id": str(uuid4()),
            "is_deleted": True,
            "created_at": "2001-01-01T00:00:00Z",
            "updated_at": 5,
            "version": 99,
            "allowed_transitions": ["x"],
            "source": "evil",
            "reference": "evil",
        }
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

    @pytest.mark.parametrize(
        "change", [{}, {"status": "pending"}, {"total_price": 84}, {"version": 7}], ids=str
    )
    def test_what_changes_nothing(self, alice: Caller, change: dict[str, Any]) -> None:
        order = alice.order()
        answer = alice.patch(path_of(order), change)
        assert (answer.status_code, answer.get_json()) == (200, order)

    @pytest.mark.parametrize(
        "change",
        [
            {"status": None},
            {"total_price": None},
            {"products": None},
            {"products": []},
            {"status": "nope"},
            {"surprise": 1},
            [],
            "x",
            None,
            5,
        ],
        ids=str,
    )
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
