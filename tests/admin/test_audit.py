"""Who did what to accounts, and who did what to orders."""

from __future__ import annotations

import pytest
from flask import Flask

from orders_app.history import repository
from tests import factories
from tests.admin.visitor import Visitor, text_of
from tests.api.test_queries import statements
from tests.callers import ORDERS, USERS, Caller

AUDIT, EVENTS = "/admin/audit/", "/admin/events/"


def rows(page: str) -> str:
    return text_of(page.partition("<tbody>")[2].partition("</tbody>")[0])


def test_what_was_done_to_accounts_newest_first(app: Flask, panel: Visitor, admin: Caller) -> None:
    bob = factories.user_id(app, "bob")
    admin("PATCH", f"{USERS}{bob}/", {"role": "admin"})
    app.test_cli_runner().invoke(args=["users", "disable", "alice"])
    page = panel.get(AUDIT).text
    told = rows(page)
    assert "Account changed admin bob Role: user → admin 127.0.0.1" in told
    assert "Account changed command line alice May log in: yes → no command line" in told
    assert "Logged in admin admin" in told
    assert told.index("alice") < told.index("bob") < told.index("Logged in")
    assert f'href="/admin/users/details/?id={bob}"' in page
    assert "stand in general.log on the server" in page


def test_filter_by_who_did_it_and_to_whom(app: Flask, panel: Visitor, admin: Caller) -> None:
    admin("PATCH", f"{USERS}{factories.user_id(app, 'bob')}/", {"role": "admin"})
    admin("PATCH", f"{USERS}{factories.user_id(app, 'alice')}/", {"username": "Alicia"})
    Visitor.logged_in(app, "bob")
    assert "alice" not in rows(panel.get(f"{AUDIT}?whom=BOB").text)
    assert "Role: user → admin" in rows(panel.get(f"{AUDIT}?whom=bob&who=admin").text)
    by_bob = rows(panel.get(f"{AUDIT}?who=bob").text)
    assert "Logged in bob bob" in by_bob
    assert "Role" not in by_bob
    assert "User name: alice → Alicia" in rows(panel.get(f"{AUDIT}?whom=alicia").text), "by the name of today"
    nobody = panel.get(f"{AUDIT}?who=nobody&whom=%00").text
    assert "There is no such user." in nobody
    assert "No event matches." in nobody


def test_pages_of_the_audit_keep_their_filter(app: Flask, panel: Visitor, admin: Caller) -> None:
    for number in range(21):
        admin("PATCH", f"{USERS}{factories.user_id(app, 'bob')}/", {"role": ("admin", "user")[number % 2]})
    first = panel.get(f"{AUDIT}?whom=bob&page_size=20").text
    assert "Page 1 of 2" in first
    assert "whom=bob" in first.partition('rel="next"')[2][:200]
    assert rows(panel.get(f"{AUDIT}?whom=bob&page_size=20&page=1").text).count("Account changed") == 1


def test_nothing_of_the_audit_can_be_changed(panel: Visitor) -> None:
    for path in ("new", "edit", "details", "delete"):
        assert panel.post(f"{AUDIT}{path}/", id="x").status_code == 404


def test_events_of_orders_by_person(app: Flask, panel: Visitor, alice: Caller, bob: Caller) -> None:
    orders = [caller.order()["order_id"] for caller in (alice, bob)]
    alice("PATCH", f"{ORDERS}{orders[0]}/", {"status": "confirmed"})
    page = panel.get(f"{EVENTS}?who=ALICE").text
    assert orders[0] in page
    assert orders[1] not in page
    assert f'href="/admin/users/details/?id={factories.user_id(app, "alice")}">alice</a>' in page
    assert "among the newest 100,000 events" in page
    both = panel.get(f"{EVENTS}?who=alice&order_id={orders[0]}").text
    assert rows(both).count("alice") == 2
    assert "among the newest" not in both
    assert "No event matches." in panel.get(f"{EVENTS}?who=bob&order_id={orders[0]}").text
    assert "There is no such user." in panel.get(f"{EVENTS}?who=nobody").text
    assert "among the newest" not in panel.get(EVENTS).text


def test_somebody_is_looked_for_among_the_newest_events_only(
    panel: Visitor, alice: Caller, bob: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice.order()
    for _ in range(3):
        bob.order()
    monkeypatch.setattr(repository, "LOOKED_THROUGH", 3)
    assert rows(panel.get(f"{EVENTS}?who=bob").text).count("Order created") == 3
    assert "No event matches." in panel.get(f"{EVENTS}?who=alice").text


def test_more_events_cost_no_more_statements(app: Flask, panel: Visitor, admin: Caller) -> None:
    for number in range(12):
        admin("PATCH", f"{USERS}{factories.user_id(app, 'bob')}/", {"role": ("admin", "user")[number % 2]})
        admin.order()
    for path, number in (
        (AUDIT, 4),
        (f"{AUDIT}?who=admin&whom=bob", 6),
        (EVENTS, 4),
        (f"{EVENTS}?who=admin", 4),
    ):
        with statements(app) as sent:
            assert panel.get(path).status_code == 200
        assert len(sent) == number, path
