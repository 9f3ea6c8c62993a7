"""Cached, changed, fresh: for every door of the API, for the list and the detail, for owner and admin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from orders_app.extensions import unit_of_work
from orders_app.orders import services
from orders_app.orders.domain import OrderChanges, OrderStatus
from tests import factories
from tests.callers import ORDERS, USERS, Caller, path_of

HIT, STORED = "orders; hit", "orders; fwd=miss; stored"
Order = dict[str, Any]


def status(answer: TestResponse) -> str:
    return answer.headers["Cache-Status"]


def warm(*callers: Caller, path: str) -> None:
    """Read until the answer comes from the cache."""
    for caller in callers:
        caller.get(path)
        assert status(caller.get(path)) == HIT


class Change(NamedTuple):
    """Something that makes what was cached stale; `{order}` and `{alice}` stand for their paths."""

    who: str
    method: str
    path: str
    body: Any = None

    def make(self, callers: dict[str, Caller], order: Order) -> TestResponse:
        caller = callers[self.who]
        alice = f"{USERS}{factories.user_id(caller.app, 'alice')}/"
        extra = [] if self.body is None else [self.body]
        return caller(self.method, self.path.format(order=path_of(order), alice=alice), *extra)


CREATIONS = {
    "POST": Change("alice", "POST", ORDERS, factories.body()),
    "POST for another": Change("admin", "POST", ORDERS, factories.body(user="alice")),
}
CHANGES = {
    "PUT": Change("alice", "PUT", "{order}", factories.body(total_price="7")),
    "PUT by an admin": Change("admin", "PUT", "{order}", factories.body(total_price="7")),
    "PATCH": Change("alice", "PATCH", "{order}", {"status": "confirmed"}),
    "PATCH by an admin": Change("admin", "PATCH", "{order}", {"status": "confirmed"}),
    "a move to another": Change("admin", "PATCH", "{order}", {"user": "bob"}),
    "DELETE": Change("alice", "DELETE", "{order}"),
    "DELETE by an admin": Change("admin", "DELETE", "{order}"),
    "a new name": Change("admin", "PATCH", "{alice}", {"username": "alicia"}),
}


@pytest.fixture
def callers(alice: Caller, admin: Caller) -> dict[str, Caller]:
    return {"alice": alice, "admin": admin}


@pytest.mark.parametrize("change", [*CREATIONS.values(), *CHANGES.values()], ids=[*CREATIONS, *CHANGES])
@pytest.mark.parametrize("reader", ["alice", "admin"])
def test_after_a_change_the_list_is_fresh(callers: dict[str, Caller], reader: str, change: Change) -> None:
    order = callers["alice"].order()
    caller = callers[reader]
    warm(caller, path=ORDERS)
    before = caller.get(ORDERS).get_json()
    assert change.make(callers, order).status_code < 300
    answer = caller.get(ORDERS)
    assert status(answer) == STORED
    assert answer.get_json() != before
    assert answer.get_json() == uncached(caller, ORDERS).get_json()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("reader", ["alice", "admin"])
def test_after_a_change_the_detail_is_fresh(callers: dict[str, Caller], reader: str, change: Change) -> None:
    order = callers["alice"].order()
    caller = callers[reader]
    warm(caller, path=path_of(order))
    before = caller.read(order).data
    assert change.make(callers, order).status_code < 300
    answer = caller.read(order)
    expected = uncached(caller, path_of(order))
    assert answer.data != before
    assert answer.status_code == expected.status_code
    if answer.status_code == 200:
        assert answer.get_json() == expected.get_json()


@pytest.mark.parametrize("reader", ["alice", "admin"])
def test_after_a_restoration_it_is_there_again(callers: dict[str, Caller], reader: str) -> None:
    alice, admin = callers["alice"], callers["admin"]
    order = alice.order()
    alice.delete(path_of(order))
    caller = callers[reader]
    warm(caller, path=ORDERS)
    warm(admin, path=f"{ORDERS}?is_deleted=true")
    caller.read(order)
    assert admin.post(path_of(order, "restore")).status_code == 200
    assert [found["order_id"] for found in caller.orders()] == [order["order_id"]]
    assert caller.read(order).get_json()["version"] == 3
    assert admin.orders(is_deleted="true") == []


def uncached(caller: Caller, path: str) -> TestResponse:
    """The same request, answered past the cache."""
    app = caller.app
    settings = app.config["ORDERS"]
    app.config["ORDERS"] = _WithoutCache(settings)
    try:
        # An answer that is kept ready depends on what the client has, and nobody has this.
        answer = caller.get(path, headers={"If-None-Match": f'"{uuid4().hex}"'})
    finally:
        app.config["ORDERS"] = settings
    if answer.status_code == 200:
        assert status(answer) == "orders; fwd=bypass"
    return answer


class _WithoutCache:
    cache_enabled = False

    def __init__(self, settings: Any) -> None:
        self._settings = settings

    def __getattr__(self, name: str) -> Any:
        return getattr(self._settings, name)


def test_the_status_says_what_happened(alice: Caller) -> None:
    order = alice.order()
    for path in (ORDERS, path_of(order)):
        assert [status(alice.get(path)) for _ in range(3)] == [STORED, HIT, HIT]


def test_a_hit_is_the_same_answer_with_all_its_headers(alice: Caller) -> None:
    for _ in range(3):
        alice.order()
    first, second = (alice.get(f"{ORDERS}?page_size=2") for _ in range(2))
    assert (status(first), status(second)) == (STORED, HIT)
    ignored = {"Cache-Status", "X-Request-ID", "Date"}
    headers = [
        {name: value for name, value in answer.headers if name not in ignored} for answer in (first, second)
    ]
    assert headers[0] == headers[1]
    assert first.data == second.data
    assert "Link" in headers[1]


def test_one_users_answer_is_never_anothers(
    alice: Caller, bob: Caller, admin: Caller, anonymous: Caller
) -> None:
    order = alice.order()
    bobs = bob.order()
    for path in (ORDERS, path_of(order)):
        warm(alice, admin, path=path)
    assert bob.orders() == [bobs]
    assert bob.read(order).status_code == 404
    assert anonymous.get(ORDERS).status_code == 401
    assert anonymous.read(order).status_code == 401
    assert alice.orders() == [order]
    assert len(admin.orders()) == 2
    assert admin.read(order).get_json()["allowed_transitions"] == order["allowed_transitions"]


def test_a_cached_answer_of_an_admin_is_not_a_users_who_was_one(
    app: Flask, alice: Caller, admin: Caller
) -> None:
    order = alice.order()
    admin.post(USERS, {"username": "root", "password": "root-password-1", "role": "admin"})
    root = Caller.by_password(app, "root")
    warm(root, path=ORDERS)
    warm(root, path=path_of(order))
    admin.patch(f"{USERS}{factories.user_id(app, 'root')}/", {"role": "user"})
    assert root.orders() == []
    assert root.read(order).status_code == 404


def test_others_keep_their_hits(alice: Caller, bob: Caller) -> None:
    alice.order()
    order = bob.order()
    warm(alice, path=ORDERS)
    bob.patch(path_of(order), {"status": "confirmed"})
    assert status(alice.get(ORDERS)) == HIT


@pytest.mark.parametrize(
    ("method", "sent"),
    [
        ("PATCH", {"status": "completed"}),
        ("PATCH", {"products": []}),
        ("PATCH", {}),
        ("PATCH", {"user": "nobody"}),
    ],
)
def test_what_is_refused_or_changes_nothing_leaves_the_hit(
    alice: Caller, admin: Caller, method: str, sent: Any
) -> None:
    order = alice.order(status="pending")
    warm(alice, path=path_of(order))
    (admin if "user" in sent else alice)(method, path_of(order), sent)
    assert status(alice.read(order)) == HIT


def test_what_is_rolled_back_leaves_the_hit(app: Flask, alice: Caller) -> None:
    order = alice.order()
    warm(alice, path=path_of(order))
    with app.app_context():
        actor = factories.actor("alice")
        with pytest.raises(ZeroDivisionError), unit_of_work() as uow:  # noqa: PT012  (it fails at its end)
            changes = OrderChanges(status=OrderStatus.CONFIRMED)
            services.change_order(uow, actor=actor, order_id=UUID(order["order_id"]), changes=changes)
            uow.session.flush()
            raise ZeroDivisionError
    answer = alice.read(order)
    assert (status(answer), answer.get_json()) == (HIT, order)


def test_without_the_cache_everything_works(app: Flask, make_app: Callable[..., Flask]) -> None:
    alice = Caller.by_token(make_app(cache_enabled=False), "alice")
    order = alice.order()
    for _ in range(2):
        assert status(alice.read(order)) == "orders; fwd=bypass"
    alice.patch(path_of(order), {"status": "confirmed"})
    assert alice.read(order).get_json()["status"] == "confirmed"
