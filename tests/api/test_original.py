"""What a client of the original service relies on (CONTRACT, section 1)."""

from __future__ import annotations

from uuid import UUID

from tests.callers import ORDERS, Caller, path_of

EXAMPLE = {
    "status": "cancelled",
    "total_price": "229",
    "products": [{"name": "affe", "price": "42", "quantity": 0}],
}


def test_the_example_works_to_the_letter(admin: Caller) -> None:
    answer = admin.post(ORDERS, EXAMPLE)
    assert answer.status_code == 201
    order = answer.get_json()
    assert UUID(order["order_id"]).version == 7
    assert UUID(order["products"][0]["product_id"]).version == 7
    expected = {"user": "admin", "status": "cancelled", "total_price": "229.00", "is_deleted": False}
    assert {key: order[key] for key in expected} == expected
    line = {key: value for key, value in order["products"][0].items() if key != "product_id"}
    assert line == {"name": "affe", "price": "42.00", "quantity": 0}


def test_log_in_gives_refresh_and_access(anonymous: Caller) -> None:
    answer = anonymous.post("/api/v1/login/", {"username": "alice", "password": "alice-password-1"})
    assert answer.status_code == 200
    assert set(answer.get_json()) == {"refresh", "access"}


def test_a_log_in_by_form_works_too(anonymous: Caller) -> None:
    answer = anonymous.post(
        "/api/v1/login/",
        raw=b"username=alice&password=alice-password-1",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert set(answer.get_json()) == {"refresh", "access"}


def test_the_list_is_an_array(alice: Caller) -> None:
    order = alice.order()
    assert alice.get(ORDERS).get_json() == [order]


def test_a_detail_is_the_order(alice: Caller) -> None:
    order = alice.order()
    assert alice.read(order).get_json() == order


def test_put_replaces(alice: Caller) -> None:
    order = alice.order()
    products = [{"name": "one", "price": "1", "quantity": 10}]
    answer = alice.put(path_of(order), {"status": "confirmed", "total_price": "10", "products": products})
    assert answer.status_code == 200
    changed = answer.get_json()
    assert (changed["status"], changed["total_price"]) == ("confirmed", "10.00")
    assert [line["name"] for line in changed["products"]] == ["one"]
    assert alice.read(order).get_json() == changed


def test_an_answer_can_be_sent_back_changed(alice: Caller) -> None:
    order = alice.order()
    answer = alice.put(path_of(order), {**order, "status": "confirmed"})
    assert answer.status_code == 200
    changed = answer.get_json()
    assert changed["status"] == "confirmed"
    assert changed["products"] == order["products"]
    assert alice.patch(path_of(order), {**changed, "status": "cancelled"}).status_code == 200


def test_delete_is_soft(alice: Caller, admin: Caller) -> None:
    order = alice.order()
    answer = alice.delete(path_of(order))
    assert (answer.status_code, answer.data) == (204, b"")
    assert alice.read(order).status_code == 404
    assert alice.orders() == []
    assert [found["order_id"] for found in admin.orders(is_deleted="true")] == [order["order_id"]]


def test_the_number_of_the_user_is_ignored(admin: Caller, alice: Caller) -> None:
    for caller, name in ((alice, "alice"), (admin, "admin")):
        assert caller.order(user=1)["user"] == name
        assert caller.order(user=1.5)["user"] == name
        assert caller.order(user=None)["user"] == name


def test_basic_works_everywhere(alice: Caller) -> None:
    by_password = Caller.by_password(alice.app, "alice")
    order = by_password.order()
    assert by_password.orders() == [order]
    assert by_password.read(order).status_code == 200
    assert by_password.put(path_of(order), order).status_code == 200
    assert by_password.delete(path_of(order)).status_code == 204
