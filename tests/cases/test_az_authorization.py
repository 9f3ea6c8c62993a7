"""What one may do: what is another's answers, byte for byte, like what never was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from orders_app.extensions import db
from orders_app.orders.models import Order, OrderLine
from tests import factories
from tests.admin.visitor import Visitor
from tests.callers import ORDERS, USERS, Caller, path_of
from tests.cases.operations import SOME_ID, each, without
from tests.factories import body, line

NOTHING = object()
BODIES: list[Any] = [
    NOTHING,
    body(),
    body(status="confirmed", total_price="1.00"),
    *({"status": status} for status in ("pending", "confirmed", "cancelled", "completed", "nope", None)),
    *({}, [], "x", None, {"products": []}, {"products": [line(name="")]}, {"surprise": 1}),
    *({"total_price": "NaN"}, {"is_deleted": False}, {"user": "bob"}, {"version": 99}),
    {"products": [line(product_id=SOME_ID)]},
]
HEADERS: list[dict[str, str]] = [
    {},
    {"If-Match": "*"},
    {"If-Match": '"nothing"'},
    {"If-None-Match": "*"},
    {"Idempotency-Key": "a-key"},
    {"Content-Type": "text/plain"},
    {"If-Modified-Since": "Wed, 25 Nov 2026 00:00:00 GMT", "Range": "bytes=0-5"},
]


def bodies(headers: dict[str, str]) -> list[Any]:
    """All of them once; beside a header some do."""
    return BODIES[::5] if headers else BODIES


def rows(app: Flask, order: dict[str, Any]) -> list[Any]:
    """All that the database holds of an order and its lines."""
    order_id = UUID(order["order_id"])
    with app.app_context():
        session = db.session()
        order_row = session.execute(select(*Order.__table__.c).where(Order.id == order_id)).one()
        lines = select(*OrderLine.__table__.c).where(OrderLine.order_id == order_id)
        return [
            tuple(order_row),
            *(tuple(row) for row in session.execute(lines.order_by(OrderLine.position))),
        ]


def events(admin: Caller, order: dict[str, Any]) -> list[Any]:
    found: list[Any] = admin.get(path_of(order, "events")).get_json()
    return found


class Stranger:
    """Bob, who knows the ids of two orders of alice, one of them deleted, and one that never was."""

    def __init__(self, app: Flask, alice: Caller, bob: Caller, admin: Caller) -> None:
        self.app, self.bob, self.admin = app, bob, admin
        self.orders = [alice.order(), alice.order(status="confirmed")]
        alice.delete(path_of(self.orders[1]))
        self.before = self.state()

    def state(self) -> list[Any]:
        return [(rows(self.app, order), events(self.admin, order)) for order in self.orders]

    def tries(
        self, method: str, *below: str, headers: dict[str, str] | None = None, sent: Any = NOTHING
    ) -> int:
        """Ask for each of the three; all answers are the same.  Returns their status."""
        extra = [] if sent is NOTHING else [sent]
        more = {"X-Request-ID": "same", **(headers or {})}

        def ask(order_id: str) -> TestResponse:
            return self.bob(method, path_of({"order_id": order_id}, *below), *extra, headers=more)

        never = str(uuid4())
        expected = without(ask(never), never)
        for order in self.orders:
            order_id = order["order_id"]
            assert without(ask(order_id), order_id) == expected
        return expected[0]

    def assert_nothing_happened(self) -> None:
        assert self.state() == self.before


@pytest.fixture
def stranger(app: Flask, alice: Caller, bob: Caller, admin: Caller) -> Stranger:
    return Stranger(app, alice, bob, admin)


@each("headers", HEADERS)
def test_az02_putting_anothers_order(stranger: Stranger, headers: dict[str, str]) -> None:
    statuses = {stranger.tries("PUT", headers=headers, sent=sent) for sent in bodies(headers)}
    assert statuses <= ({415} if "Content-Type" in headers else {404, 415, 422})
    assert headers.get("Content-Type") or stranger.tries("PUT", headers=headers, sent=body()) == 404
    stranger.assert_nothing_happened()


@each("headers", HEADERS)
def test_az03_patching_anothers_order(stranger: Stranger, headers: dict[str, str]) -> None:
    statuses = {stranger.tries("PATCH", headers=headers, sent=sent) for sent in bodies(headers)}
    assert statuses <= ({415} if "Content-Type" in headers else {404, 415, 422})
    for status in ("pending", "confirmed", "cancelled", "completed"):
        if "Content-Type" not in headers:
            assert stranger.tries("PATCH", headers=headers, sent={"status": status}) == 404
    stranger.assert_nothing_happened()


def test_az03_deleting_and_restoring_anothers_order(stranger: Stranger) -> None:
    for headers in HEADERS:
        assert stranger.tries("DELETE", headers=headers) == 404
        assert stranger.tries("POST", "restore", headers=headers) == 403, "of a user, whatever the id"
    stranger.assert_nothing_happened()


def test_az05_reading_anothers_order(stranger: Stranger) -> None:
    tag = stranger.admin.read(stranger.orders[0]).headers["ETag"]
    conditions = ({name: value} for name in ("If-None-Match", "If-Match") for value in (tag, f"W/{tag}", "*"))
    for headers in (*HEADERS, *conditions):
        assert stranger.tries("HEAD", headers=headers) == 404
        head = stranger.bob("HEAD", path_of(stranger.orders[0]), headers=headers)
        assert int(head.headers["Content-Length"]) > 0, "it is among what is compared"
        assert stranger.tries("GET", headers=headers) == 404


@each("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"])
def test_az05_whatever_the_method(stranger: Stranger, method: str) -> None:
    for sent in (NOTHING, body(), {}):
        assert stranger.tries(method, sent=sent) in {200, 404, 405, 415, 422}
    stranger.assert_nothing_happened()


@each(
    "below", ["events", "restore", "items", "products", "status", "history", "lines", f"products/{SOME_ID}"]
)
def test_az06_what_is_below_anothers_order(stranger: Stranger, below: str) -> None:
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
        for sent in (NOTHING, {"status": "confirmed"}):
            status = stranger.tries(method, below, sent=sent)
            expected = {404, 405} if below in {"events", "restore"} else {404}
            assert status in expected | ({403} if (below, method) == ("restore", "POST") else set())
    stranger.assert_nothing_happened()


def test_az06_lists_and_filters_show_nothing_of_it(stranger: Stranger, bob: Caller) -> None:
    assert bob.orders() == []
    for query in ({"q": "affe"}, {"status": "pending"}, {"min_price": "84.00"}, {"reference": "x"}):
        assert bob.orders(**query) == []
    assert bob.get(ORDERS, query={"user": "alice"}).status_code == 403
    assert bob.get(ORDERS, query={"is_deleted": "true"}).status_code == 403


def test_az08_anothers_idempotency_key_is_ones_own(alice: Caller, bob: Caller) -> None:
    """The same key and the same body: a request of its own, with an answer of its own."""
    key = {"Idempotency-Key": "alice's"}
    first = alice.post(ORDERS, body(), headers=key)
    second = bob.post(ORDERS, body(), headers=key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert "Idempotent-Replayed" not in second.headers
    assert (first.get_json()["user"], second.get_json()["user"]) == ("alice", "bob")
    assert first.get_json()["order_id"] != second.get_json()["order_id"]
    other = bob.post(ORDERS, body(status="confirmed"), headers={"Idempotency-Key": "alice's own"})
    assert other.status_code == 201
    replayed = bob.post(ORDERS, body(), headers=key)
    assert replayed.headers["Idempotent-Replayed"] == "true"
    assert replayed.get_json() == second.get_json()


def test_az09_anothers_tag_is_no_304(alice: Caller, bob: Caller) -> None:
    order = alice.order()
    tag = alice.read(order).headers["ETag"]
    assert alice.get(path_of(order), headers={"If-None-Match": tag}).status_code == 304
    for method in ("GET", "HEAD"):
        for value in (tag, f"W/{tag}", "*"):
            assert bob(method, path_of(order), headers={"If-None-Match": value}).status_code == 404


def test_az09_the_tag_of_anothers_list_is_no_304(alice: Caller, bob: Caller) -> None:
    """Not of an empty list, nor of one that is as long; made anew or from the cache."""
    alice.order()
    listed = alice.get(ORDERS).headers["ETag"]
    assert alice.get(ORDERS, headers={"If-None-Match": listed}).status_code == 304
    expected: list[Any] = []
    for _ in range(2):
        for value in (listed, f"W/{listed}", f'"x", {listed}'):
            bobs = bob.get(ORDERS, headers={"If-None-Match": value})
            assert (bobs.status_code, bobs.get_json()) == (200, expected)
            assert bobs.headers["ETag"] != listed
            head = bob("HEAD", ORDERS, headers={"If-None-Match": value})
            assert (head.status_code, head.headers["ETag"]) == (200, bobs.headers["ETag"])
        expected.append(bob.order())


def test_az14_a_deleted_order_is_gone_for_its_owner(
    app: Flask, alice: Caller, admin: Caller, anonymous: Caller
) -> None:
    """An admin reads it and restores it; by the contract nobody changes it before that."""
    order = alice.order()
    tag = alice.read(order).headers["ETag"]
    assert alice.delete(path_of(order)).status_code == 204
    state = rows(app, order), events(admin, order)
    for caller, status in ((alice, 404), (admin, 409)):
        for sent in (body(), {**order, "is_deleted": False}, body(is_deleted=False, status="confirmed")):
            assert caller.put(path_of(order), sent).status_code == status
        for change in ({}, {"is_deleted": False}, {"status": "confirmed"}, {"status": "pending"}):
            assert caller.patch(path_of(order), change).status_code == status
            assert caller.patch(path_of(order), change, headers={"If-Match": "*"}).status_code == status
        assert caller.delete(path_of(order)).status_code == 404
    assert alice.post(path_of(order, "restore")).status_code == 403
    for headers in ({}, {"If-None-Match": tag}, {"If-None-Match": "*"}):
        assert alice.get(path_of(order), headers=headers).status_code == 404
        assert alice.get(path_of(order, "events"), headers=headers).status_code == 404
    assert alice.orders() == [] == admin.orders()
    assert admin.read(order).get_json()["is_deleted"] is True
    assert [found["order_id"] for found in admin.orders(is_deleted="true")] == [order["order_id"]]
    assert (rows(app, order), events(admin, order)) == state
    assert admin.post(path_of(order, "restore")).status_code == 200
    assert alice.read(order).status_code == 200


def panel_addresses(app: Flask) -> list[str]:
    """All pages of the panel, and what looks like one or like a file of it."""
    rules = [rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/admin")]
    public = {"/admin/login/", "/admin/login/static/<path:filename>"}
    invented = [
        *("/admin", "/admin/orders", "/admin/static/", "/admin/static/panel.css", "/admin/favicon.ico"),
        *("/admin/orders/export/csv/", "/admin/orders/ajax/lookup/", "/admin/orders/action/", "/admin/x.js"),
        *(
            "/admin/orders/ajax/update/",
            "/admin/orders/details/?id=",
            "/admin//orders/",
            "/admin/orders/.css",
        ),
        *(
            "/admin/login/../orders/",
            "/admin/login/static/../../orders/",
            "/admin/loginx/",
            "/admin/%6frders/",
        ),
        *("/ADMIN/orders/", "/admin/orders/;x", "/admin/orders/%2e%2e/users/", "/admin/login/static/%2e%2e/"),
    ]
    return [*(rule for rule in rules if rule not in public), *invented]


def demoted(app: Flask) -> Visitor:
    """Somebody whose session was an admin's."""
    factories.change_user(app, "alice", role="admin")
    visitor = Visitor.logged_in(app, "alice")
    assert visitor.get("/admin/orders/").status_code == 200
    factories.change_user(app, "alice", role="user")
    return visitor


@pytest.mark.parametrize("how", ["token", "password", "demoted", "refused"])
def test_az16_a_user_sees_nothing_of_the_panel(app: Flask, admin: Caller, how: str) -> None:
    order = admin.order(products=[line(name="only for the eyes of admins")])
    order_id = order["order_id"]
    headers: dict[str, str] = {}
    if how in {"token", "password"}:
        maker: Callable[[Flask, str], Caller] = Caller.by_token if how == "token" else Caller.by_password
        headers["Authorization"] = maker(app, "alice").authorization or ""
        visitor = Visitor(app)
    elif how == "demoted":
        visitor = demoted(app)
    else:
        visitor = Visitor(app)
        assert visitor.log_in("alice").status_code == 403
    before = rows(app, order), events(admin, order)
    for address in panel_addresses(app):
        for method in ("GET", "HEAD", "POST"):
            path = address if "?" in address else f"{address}?id={order_id}"
            fields = {"id": order_id, "status": "cancelled", "csrf_token": "x"} if method == "POST" else None
            answer = visitor.client.open(path, method=method, data=fields, headers=headers)
            sent_away = (
                answer.status_code in {302, 308} and "/orders/details" not in answer.location.split("?")[0]
            )
            assert sent_away or answer.status_code in {400, 403, 404, 405}, (method, address)
            assert "only for the eyes" not in answer.text, (method, address)
            assert order_id not in answer.text.replace(f"id%3D{order_id}", "").replace(path, ""), address
    assert (rows(app, order), events(admin, order)) == before


@pytest.mark.parametrize("change", [{"role": "user"}, {"is_active": False}], ids=str)
def test_az17_the_last_admin_stays(app: Flask, admin: Caller, change: dict[str, Any]) -> None:
    """There is no deleting of accounts; disabling or demoting the last admin is 409, in the panel too."""
    path = f"{USERS}{factories.user_id(app, 'admin')}/"
    for more in ({}, {"password": "another password"}, {"username": "root"}):
        answer = admin.patch(path, {**change, **more})
        assert (answer.status_code, answer.get_json()["code"]) == (409, "last_admin")
    assert admin.delete(path).status_code == 405
    panel = Visitor.logged_in(app)
    user_id = str(factories.user_id(app, "admin"))
    if "is_active" in change:
        answer = panel.client.post("/admin/users/disable/", data={"csrf_token": panel.token(), "id": user_id})
    else:
        answer = panel.post(f"/admin/users/edit/?id={user_id}", username="admin", role="user", is_active="y")
    assert answer.status_code in {302, 409}
    assert panel.get("/admin/users/").status_code == 200, "still an admin"
    account = admin.get(path).get_json()
    assert (account["username"], account["role"], account["is_active"]) == ("admin", "admin", True)
    assert Caller.by_password(app, "admin").get(USERS).status_code == 200
    assert app.test_cli_runner().invoke(args=["users", "disable", "admin"]).exit_code != 0


def test_az17_of_two_admins_one_stays(app: Flask, admin: Caller) -> None:
    root = admin.post(USERS, {"username": "root", "password": "root-password-1", "role": "admin"}).get_json()
    assert admin.patch(f"{USERS}{factories.user_id(app, 'admin')}/", {"role": "user"}).status_code == 200
    last = Caller.by_password(app, "root")
    assert last.patch(f"{USERS}{root['user_id']}/", {"is_active": False}).status_code == 409
    assert admin.get(USERS).status_code == 403
