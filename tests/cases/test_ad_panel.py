"""AD: tokens, sessions, redirects and rules of the panel."""

from __future__ import annotations

import html
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DataError, IntegrityError
from werkzeug.test import TestResponse

from orders_app.extensions import db
from tests import factories
from tests.admin.visitor import LOGIN, Visitor, edit_fields, hidden, made_order, new_id, order_fields
from tests.callers import ORDERS, USERS, Caller, path_of

HIT, STORED = "orders; hit", "orders; fwd=miss; stored"
NEW = "another-password-1"
BULK = "/admin/orders/selected/"


def forms(order_id: str, user_id: str, seen: str) -> list[tuple[str, dict[str, object]]]:
    """Every form of the panel that changes something, filled in."""
    return [
        ("/admin/orders/new/", order_fields()),
        (f"/admin/orders/edit/?id={order_id}", order_fields(version="1", user="admin")),
        ("/admin/orders/delete/", {"id": order_id, "version": "1"}),
        ("/admin/orders/restore/", {"id": order_id, "version": "1"}),
        ("/admin/orders/transition/", {"id": order_id, "version": "1", "to": "confirmed"}),
        ("/admin/orders/note/", {"id": order_id, "text": "mallory was here"}),
        (BULK, {"action": "delete", "order_id": [f"{order_id}@1"], "confirmed": "1"}),
        ("/admin/orders/columns/", {"column": ["version"]}),
        ("/admin/orders/import/", {"user": "alice"}),
        ("/admin/orders/import/<token>/check/", {"column": ["order", "name", "price", "quantity"]}),
        ("/admin/orders/import/<token>/run/", {}),
        ("/admin/orders/import/<token>/remove/", {}),
        ("/admin/orders/views/keep/", {"name": "mallory's", "query": "status=pending", "is_shared": "1"}),
        ("/admin/orders/views/forget/", {"view_id": order_id}),
        ("/admin/users/new/", {"username": "mallory", "password": "password-123", "role": "admin"}),
        (
            f"/admin/users/edit/?id={user_id}",
            {"username": "mallory", "role": "admin", "is_active": "y", "seen": seen},
        ),
        (f"/admin/users/password/?id={user_id}", {"password": "password-123", "seen": seen}),
        ("/admin/users/disable/", {"id": user_id, "seen": seen}),
        ("/admin/users/enable/", {"id": user_id, "seen": seen}),
        ("/admin/users/link/", {"id": user_id, "seen": seen}),
        ("/admin/users/log-ins/", {"id": user_id, "seen": seen}),
        ("/admin/me/preferences/", {"locale": "ru", "time_zone": "UTC"}),
        ("/admin/me/password/", {"present": "admin-password-1", "password": NEW, "again": NEW}),
        ("/admin/me/log-ins/", {}),
        ("/admin/logout/", {}),
        (LOGIN, {"username": "admin", "password": "admin-password-1"}),
        (f"{LOGIN}password/<token>/", {"password": NEW, "again": NEW}),
    ]


def seen(panel: Visitor, user_id: str) -> str:
    """What the form of an account says of when it was opened."""
    return hidden(panel.get(f"/admin/users/edit/?id={user_id}").text, "seen")


def state(admin: Caller, order_id: str) -> list[object]:
    paths = (ORDERS, f"{ORDERS}{order_id}/", f"{ORDERS}{order_id}/events/", USERS)
    return [admin.get(path).get_json() for path in paths]


class TestTokens:
    @pytest.mark.parametrize("token", ["none", "empty", "wrong", "another session's", "shortened"])
    def test_ad01_a_form_without_its_token_changes_nothing(
        self, app: Flask, panel: Visitor, admin: Caller, token: str
    ) -> None:
        order_id = admin.order()["order_id"]
        before = state(admin, order_id)
        tokens = {
            "empty": "",
            "wrong": "20991231235959##0123456789abcdef0123456789abcdef01234567",
            "another session's": Visitor.logged_in(app).token(),
            "shortened": panel.token()[:-1],
        }
        user_id = str(factories.user_id(app, "alice"))
        for path, fields in forms(order_id, user_id, seen(panel, user_id)):
            sent = fields if token == "none" else {**fields, "csrf_token": tokens[token]}
            answer = panel.client.post(path, data=sent)
            assert answer.status_code == 400, path
            assert answer.mimetype == "text/html"
            assert "Nothing was changed." in answer.text
        assert state(admin, order_id) == before
        assert panel.get("/admin/").status_code == 200

    def test_ad01_every_form_that_changes_something_is_in_the_test_above(self, app: Flask) -> None:
        tried = {path.partition("?")[0] for path, _ in forms("x", "y", "z")}
        rules = {rule.rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())}
        assert {rule for rule in rules if rule.startswith("/admin")} == tried

    def test_ad02_no_get_changes_anything(self, app: Flask, panel: Visitor, admin: Caller) -> None:
        order_id = admin.order()["order_id"]
        user_id = str(factories.user_id(app, "alice"))
        before = state(admin, order_id)
        token = panel.token()
        for path, fields in forms(order_id, user_id, seen(panel, user_id)):
            for method in ("GET", "HEAD"):
                sent = {**fields, "csrf_token": token}
                for query in (None, sent) if "?" not in path else (None,):
                    answer = panel.client.open(path, method=method, query_string=query)
                    assert answer.status_code in ({200, 302, 405} if "<token>" not in path else {404, 405}), (
                        path
                    )
                answer = panel.client.open(path, method=method, data=sent)
                assert answer.status_code in ({200, 302, 405} if "<token>" not in path else {404, 405}), path
        for rule in app.url_map.iter_rules():
            if rule.rule.startswith("/admin") and "<" not in rule.rule:
                for number in (order_id, user_id):
                    answer = panel.get(rule.rule, query_string={"id": number, "to": "confirmed"})
                    assert answer.status_code in {200, 302, 400, 404, 405}, rule.rule
        assert state(admin, order_id) == before
        assert panel.get("/admin/").status_code == 200


ELSEWHERE = [
    "//evil.example",
    "//evil.example/admin/",
    "/\\evil.example",
    "\\\\evil.example",
    "http:/evil.example",
    "http:evil.example",
    "http://evil.example/admin/",
    "https:///evil.example",
    "///evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "/admin/%0d%0aSet-Cookie:x=1",
    "/admin\r\nSet-Cookie: x=1",
    "/admin/\\..\\evil",
    "/swagger/",
    "/adminother",
    "/admin/../swagger/",
    "/admin/%2e%2e/swagger/",
    "/admin/login/?next=/admin/",
    "\t/admin/",
    " //evil.example",
    "",
]


def check_stays_here(answer: TestResponse) -> None:
    """It leads to a page of the panel, and no header was smuggled in."""
    assert answer.status_code == 302
    assert answer.location.startswith("/admin/")
    assert "evil" not in str(answer.headers)
    assert "x=1" not in {cookie.partition(";")[0] for cookie in answer.headers.getlist("Set-Cookie")}


class TestRedirects:
    @pytest.mark.parametrize("target", ELSEWHERE)
    @pytest.mark.parametrize("name", ["next", "url"])
    def test_ad05_a_log_in_leads_to_a_page_of_the_panel(
        self, stranger: Visitor, name: str, target: str
    ) -> None:
        answer = stranger.client.post(
            LOGIN,
            query_string={name: target},
            data={
                "csrf_token": stranger.token(),
                "username": "admin",
                "password": "admin-password-1",
                name: target,
            },
        )
        check_stays_here(answer)
        expected = {"/admin/", "/admin/%250d%250aSet-Cookie:x=1", "/admin/%0d%0aSet-Cookie:x=1"}
        assert answer.location in expected

    @pytest.mark.parametrize("target", ELSEWHERE)
    def test_ad05_so_do_all_forms(self, panel: Visitor, admin: Caller, target: str) -> None:
        order = made_order(admin)
        token = panel.token()
        elsewhere = {"url": target, "next": target, "back": target, "csrf_token": token}
        order_id = order["order_id"]
        for path, fields in (
            ("/admin/orders/new/", order_fields()),
            (f"/admin/orders/edit/?id={order_id}", edit_fields(order, total_price="1")),
            ("/admin/orders/transition/", {"id": order_id, "to": "confirmed"}),
            ("/admin/orders/delete/", {"id": order_id}),
            ("/admin/orders/restore/", {"id": order_id}),
            ("/admin/orders/note/", {"id": order_id, "text": "a note", "among": "next=//evil.example"}),
            (BULK, {"action": "delete"}),
        ):
            joined = f"{path}&" if "?" in path else f"{path}?"
            answer = panel.client.post(
                joined + "url=//evil.example&next=//evil.example", data={**fields, **elsewhere}
            )
            check_stays_here(answer)
            assert "evil" not in panel.follow(answer).text
        for confirmed in ({}, {"confirmed": "1"}):
            fields = {"action": "delete", "order_id": order_id, **confirmed}
            asked = panel.client.post(BULK, data={**fields, **elsewhere})
            assert asked.status_code == 200
            assert not target.strip() or f'href="{html.escape(target)}"' not in asked.text or "%0d" in target


class TestSessions:
    def test_ad07_a_log_in_begins_a_new_session_and_goes_where_one_wanted_to(self, stranger: Visitor) -> None:
        asked = stranger.get("/admin/orders/?status=pending")
        stranger.get(asked.location)
        before = stranger.cookie()
        answer = stranger.log_in("admin", query="?next=%2Fadmin%2Forders%2F%3Fstatus%3Dpending")
        assert answer.location == "/admin/orders/?status=pending"
        assert stranger.cookie() != before
        assert stranger.get(answer.location).status_code == 200

    def test_ad07_a_session_that_was_planted_is_not_logged_in(self, app: Flask, stranger: Visitor) -> None:
        thief = Visitor(app)
        thief.token()
        planted = thief.cookie()
        stranger.client.set_cookie("orders_session", path="/admin", value=planted)
        assert stranger.log_in("admin").status_code == 302
        assert thief.get("/admin/").status_code == 302
        assert thief.cookie() == planted

    def test_ad07_two_log_ins_are_two_sessions(self, app: Flask) -> None:
        one, other = Visitor.logged_in(app), Visitor.logged_in(app)
        one.post("/admin/logout/")
        assert one.get("/admin/").status_code == 302
        assert other.get("/admin/").status_code == 200

    @pytest.mark.parametrize(("scheme", "secure"), [("http", False), ("https", True)])
    def test_ad07_the_cookie_is_for_the_server_alone(self, app: Flask, scheme: str, secure: bool) -> None:
        visitor = Visitor(app)
        answers = [visitor.client.get(LOGIN, base_url=f"{scheme}://localhost")]
        token = answers[0].text.partition('name="csrf_token" type="hidden" value="')[2].partition('"')[0]
        fields = {"csrf_token": token, "username": "admin", "password": "admin-password-1"}
        answers.append(visitor.client.post(LOGIN, data=fields, base_url=f"{scheme}://localhost"))
        assert answers[1].status_code == 302
        for answer in answers:
            (cookie,) = answer.headers.getlist("Set-Cookie")
            parts = {part.strip() for part in cookie.split(";")}
            # A __Host- cookie, which no neighbour can plant, is for all paths (RFC 6265bis, section 4.1.3.2).
            assert {"HttpOnly", "SameSite=Lax", "Path=/" if secure else "Path=/admin"} <= parts
            assert cookie.startswith("__Host-") is secure
            assert ("Secure" in parts) is secure

    def test_ad07_a_log_out_ends_the_session_and_every_copy_of_it(self, app: Flask, panel: Visitor) -> None:
        copy = Visitor(app)
        copy.client.set_cookie("orders_session", path="/admin", value=panel.cookie())
        assert copy.get("/admin/").status_code == 200
        answer = panel.post("/admin/logout/")
        assert answer.location == LOGIN
        assert "You are logged out." in panel.follow(answer).text
        assert copy.get("/admin/").status_code == 302
        assert panel.get("/admin/logout/").status_code in {302, 405}

    @pytest.mark.parametrize("change", [{"is_active": False}, {"role": "user"}])
    @pytest.mark.parametrize("path", ["/admin/", "/admin/orders/", "/admin/users/", "/admin/orders/new/"])
    def test_ad08_a_disabled_or_demoted_admin_is_out_at_the_next_click(
        self, app: Flask, panel: Visitor, admin: Caller, change: dict[str, object], path: str
    ) -> None:
        boss = {"username": "boss", "password": "boss-password-1", "role": "admin"}
        assert admin.post(USERS, boss).status_code == 201
        token = panel.token()
        user_id = factories.user_id(app, "admin")
        assert Caller.by_password(app, "boss").patch(f"{USERS}{user_id}/", change).status_code == 200
        answer = panel.get(path)
        assert (answer.status_code, answer.location.startswith(LOGIN)) == (302, True)
        sent = panel.client.post("/admin/orders/new/", data={**order_fields(), "csrf_token": token})
        assert sent.location.startswith(LOGIN)
        assert Caller.by_password(app, "boss").orders() == []


REFUSED: list[tuple[dict[str, Any], str]] = [
    (order_fields(("affe", "-5", "1")), "Must not be negative."),
    (order_fields(("affe", "Infinity", "1")), "Not a valid amount."),
    (order_fields(("affe", "NaN", "1")), "Not a valid amount."),
    (order_fields(("affe", "sNaN", "1")), "Not a valid amount."),
    (order_fields(("affe", "1.005", "1")), "decimal places."),
    (order_fields(("affe", "99999999999", "1")), "Must be between 0 and"),
    (order_fields(("affe", "1e400", "1")), "Must be between 0 and"),
    (order_fields(("affe", "1", "-1")), "Not a valid integer."),
    (order_fields(("affe", "1", "2147483648")), "Must be between 0 and"),
    (order_fields(("affe", "1", "²")), "Not a valid integer."),
    (order_fields(("", "1", "1")), "Must not be empty."),
    (order_fields(("a\x00b", "1", "1")), "Control characters are not allowed."),
    (order_fields(("affe", "9999999999.99", "2")), "The sum of the lines is more than"),
    (order_fields(("", "", "")), "An order has at least one line."),
    (order_fields(total_price="-1"), "Must not be negative."),
    (order_fields(total_price="NaN"), "Not a valid amount."),
    (order_fields(total_price="1e11"), "Must be between 0 and"),
    (order_fields(status="nope"), "Must be one of"),
    (order_fields(user="nobody"), "There is no such user."),
    (order_fields(user="a\0b"), ""),
]
PAST_ALL_RULES = [
    "UPDATE orders SET total_price_cents = -1",
    "UPDATE orders SET total_price_cents = 1000000000000",
    "UPDATE orders SET total_price_cents = 'NaN'",
    "UPDATE orders SET total_price_cents = 'Infinity'",
    "UPDATE orders SET total_price_cents = NULL",
    "UPDATE orders SET status = 'nope'",
    "UPDATE orders SET status = NULL",
    "UPDATE orders SET version = 0",
    "UPDATE orders SET user_id = '00000000000000000000000000000001'",
    "UPDATE orders SET user_id = NULL",
    "UPDATE order_lines SET price_cents = -1",
    "UPDATE order_lines SET price_cents = 1000000000000",
    "UPDATE order_lines SET price_cents = 'NaN'",
    "UPDATE order_lines SET quantity = -1",
    "UPDATE order_lines SET quantity = 2147483648",
    "UPDATE order_lines SET name = ''",
    "UPDATE order_lines SET order_id = '00000000000000000000000000000001'",
    "DELETE FROM users",
]


class TestRules:
    @pytest.mark.parametrize(("fields", "message"), REFUSED)
    def test_ad10_what_the_api_refuses_the_panel_refuses_beside_the_field(
        self, panel: Visitor, admin: Caller, fields: dict[str, Any], message: str
    ) -> None:
        answer = panel.post("/admin/orders/new/", **fields)
        assert answer.status_code == 422
        assert message in html.unescape(answer.text)
        name = fields["line-name"][0]
        assert html.escape(name) in answer.text or "\0" in name
        assert admin.orders() == []
        order = made_order(admin)
        owner = fields["user"] or "admin"
        changed = {**fields, "user": owner, "version": "1"}
        refused = panel.post(f"/admin/orders/edit/?id={order['order_id']}", **changed)
        assert refused.status_code == 422
        assert admin.read(order).get_json() == order

    def test_ad10_an_illegal_move_is_refused(self, panel: Visitor, admin: Caller) -> None:
        order = made_order(admin, status="completed")
        fields = edit_fields(order, status="pending")
        assert panel.post(f"/admin/orders/edit/?id={order['order_id']}", **fields).status_code == 409
        panel.post("/admin/orders/transition/", id=order["order_id"], to="pending")
        panel.post("/admin/orders/transition/", id=order["order_id"], to="nope")
        assert admin.read(order).get_json() == order

    @pytest.mark.parametrize("statement", PAST_ALL_RULES)
    def test_ad10_the_database_refuses_it_too(self, app: Flask, admin: Caller, statement: str) -> None:
        order = admin.order()
        with app.app_context(), pytest.raises((IntegrityError, DataError)), db.engine.begin() as connection:
            connection.execute(text(statement))
        assert admin.read(order).get_json() == order

    def test_ad11_an_edit_counts_is_written_down_and_empties_the_cache(
        self, panel: Visitor, admin: Caller, alice: Caller
    ) -> None:
        """As does everything else that the panel can do to an order."""
        made = panel.post("/admin/orders/new/", **order_fields(user="alice"))
        order = alice.get(f"{ORDERS}{new_id(made)}/").get_json()
        order_id, place = order["order_id"], path_of(order)
        doors: list[tuple[str, dict[str, Any], str]] = [
            (f"/admin/orders/edit/?id={order_id}", edit_fields(order, total_price="7"), "order.updated"),
            (
                "/admin/orders/transition/",
                {"id": order_id, "version": "2", "to": "confirmed"},
                "order.status_changed",
            ),
            ("/admin/orders/delete/", {"id": order_id, "version": "3"}, "order.deleted"),
            ("/admin/orders/restore/", {"id": order_id, "version": "4"}, "order.restored"),
            (
                BULK,
                {"action": "delete", "order_id": f"{order_id}@5", "confirmed": "1"},
                "order.deleted",
            ),
            ("/admin/orders/restore/", {"id": order_id, "version": "6"}, "order.restored"),
        ]
        events = ["order.created"]
        for version, (path, fields, event) in enumerate(doors, start=2):
            for caller, read in ((alice, ORDERS), (admin, place), (admin, ORDERS)):
                caller.get(read)
                assert caller.get(read).headers["Cache-Status"] == HIT
            assert panel.post(path, **fields).status_code == (200 if path == BULK else 302)
            events.append(event)
            seen = admin.get(place)
            assert (seen.headers["Cache-Status"], seen.get_json()["version"]) == (STORED, version)
            deleted = event == "order.deleted"
            for caller in (alice, admin):
                listed = caller.get(ORDERS)
                assert listed.headers["Cache-Status"] == STORED
                assert [found["version"] for found in listed.get_json()] == ([] if deleted else [version])
            assert alice.get(place).status_code == (404 if deleted else 200)
            history = admin.get(f"{place}events/").get_json()
            assert [found["event"] for found in history] == events
            assert {found["user"] for found in history} == {"admin"}

    def test_ad14_the_second_of_two_admins_sees_a_conflict(self, app: Flask, admin: Caller) -> None:
        order = made_order(admin)
        path = f"/admin/orders/edit/?id={order['order_id']}"
        first, second = Visitor.logged_in(app), Visitor.logged_in(app)
        assert first.get(path).status_code == second.get(path).status_code == 200
        theirs = edit_fields(order)
        theirs["line-name"] = ["theirs"]
        assert first.post(path, **theirs).status_code == 302
        mine = edit_fields(order)
        mine["line-name"] = ["mine"]
        answer = second.post(path, **mine)
        assert answer.status_code == 409
        assert "changed this order meanwhile" in answer.text
        assert 'value="mine"' in answer.text
        after = admin.read(order).get_json()
        assert ([line["name"] for line in after["products"]], after["version"]) == (["theirs"], 2)
        for version in ("", "x", "9" * 5000, "²", "-1"):
            assert second.post(path, **{**mine, "version": version}).status_code == 409
        assert admin.read(order).get_json() == after
