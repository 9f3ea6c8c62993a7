"""The list of people, a person's page, and what its buttons do."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from flask import Flask

from orders_app.extensions import db
from tests import factories
from tests.admin.visitor import Visitor, text_of
from tests.api.test_queries import statements
from tests.callers import ORDERS, USERS, Caller

PEOPLE = "/admin/users/"


@pytest.fixture
def bob_page(app: Flask) -> str:
    return f"{PEOPLE}details/?id={factories.user_id(app, 'bob')}"


def names(panel: Visitor, **query: Any) -> list[str]:
    """Who is on a page of the list, in their order."""
    answer = panel.get(PEOPLE, query_string=query)
    assert answer.status_code == 200
    return re.findall(r'<td data-label="User"><a [^>]*>([^<]*)</a>', answer.text)


def cells(page: str, name: str) -> dict[str, str]:
    """What the list says of somebody, by the names of the columns."""
    [row] = [row for row in re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL) if f">{name}</a>" in row]
    return {
        label: text_of(cell)
        for label, cell in re.findall(r'<td data-label="([^"]+)"[^>]*>(.*?)</td>', row, re.DOTALL)
    }


def facts(page: str) -> dict[str, str]:
    """What a person's page says above the events."""
    found = re.findall(r"<dt>([^<]*)</dt><dd[^>]*>(.*?)</dd>", page.partition("<h2>Latest")[0], re.DOTALL)
    return {label: text_of(value) for label, value in found}


def test_the_list_says_what_people_ordered_and_when_they_came(
    panel: Visitor, alice: Caller, admin: Caller
) -> None:
    deleted = alice.order(products=[factories.line(price="99.00", quantity=1)])
    for price in ("1000.50", "2.00"):
        alice.order(products=[factories.line(price=price, quantity=1)])
    alice.delete(f"{ORDERS}{deleted['order_id']}/")
    page = panel.get(PEOPLE).text
    assert cells(page, "alice")["Orders"] == "2"
    assert cells(page, "alice")["Sum"] == "1,002.50"
    assert 'href="/admin/orders/?user=alice"' in page
    assert cells(page, "bob") | {"Created": ""} == {
        "User": "bob",
        "Role": "user",
        "State": "active",
        "Last log-in": "never",
        "Orders": "0",
        "Sum": "0.00",
        "Created": "",
    }
    assert cells(page, "admin")["Last log-in"] != "never"


def test_filter_by_role_and_state(app: Flask, panel: Visitor) -> None:
    factories.change_user(app, "bob", is_active=False)
    assert names(panel) == ["admin", "alice", "bob"]
    assert names(panel, role="admin") == ["admin"]
    assert names(panel, role="user", state="active") == ["alice"]
    assert names(panel, state="disabled", search="B") == ["bob"]
    assert names(panel, role="root", state="asleep") == ["admin", "alice", "bob"]


def test_sorted_by_name_and_by_when_they_were_made(panel: Visitor, admin: Caller) -> None:
    for name in ("Zoe", "Aaron"):
        assert admin.post(USERS, {"username": name, "password": None}).status_code == 201
    assert names(panel, sort="0") == ["Aaron", "admin", "alice", "bob", "Zoe"]
    assert names(panel, sort="0", desc="1") == ["Zoe", "bob", "alice", "admin", "Aaron"]
    made = [
        found["username"] for found in sorted(admin.get(USERS).get_json(), key=lambda one: one["created_at"])
    ]
    assert names(panel, sort="6") == made
    assert names(panel, sort="6", desc="1") == made[::-1]
    assert names(panel, sort="1") == names(panel), "a role is no order"


def test_who_is_not_found_can_be_made(panel: Visitor) -> None:
    page = panel.get(PEOPLE, query_string={"search": "nobody"}).text
    assert "No user matches. Clear the filter to see all people, or make an account" in page
    assert f'href="{PEOPLE}new/"' in page
    assert f'href="{PEOPLE}">Clear' in page


def test_more_people_cost_no_more_statements(
    app: Flask, panel: Visitor, alice: Caller, bob_page: str
) -> None:
    def cost(path: str) -> int:
        with statements(app) as sent:
            assert panel.get(path).status_code == 200
        return len(sent)

    cost(PEOPLE)
    few = cost(PEOPLE), cost(bob_page)
    with app.app_context():
        session = db.session()
        session.add_all(factories.user(username=f"person-{number}") for number in range(60))
        session.commit()
    for _ in range(3):
        alice.order(user="bob")
        Caller.by_token(app, "bob")
    # The log-in, the preferences; then the number, the page and the figures, or the account, its log-ins,
    # its figures and its events.
    assert (cost(PEOPLE), cost(f"{PEOPLE}?page=1"), cost(bob_page)) == (5, 5, 6)
    assert few == (5, 6)


def test_a_persons_page_says_all_of_them(app: Flask, panel: Visitor, bob: Caller, bob_page: str) -> None:
    bob.order(products=[factories.line(price="10.00", quantity=3)])
    Visitor(app).log_in("bob")
    Caller.by_token(app, "bob")
    page = panel.get(bob_page).text
    told = facts(page)
    assert (told["Open log-ins"], told["Orders"], told["Sum of the orders"]) == ("2", "1", "30.00")
    assert 'href="/admin/orders/?user=bob"' in page
    for link in ("audit/?whom=bob", "audit/?who=bob", "events/?who=bob"):
        assert f'href="/admin/{link}"' in page


def test_the_latest_events_say_who_when_from_and_to(panel: Visitor, admin: Caller, bob_page: str) -> None:
    path = f"{USERS}{bob_page.partition('=')[2]}/"
    assert "Nothing has happened to this account" in panel.get(bob_page).text
    admin("PATCH", path, {"username": "Robert", "role": "admin"})
    admin("PATCH", path, {"password": "another-password-1"})
    admin("PATCH", path, {"is_active": False})
    events = text_of(panel.get(bob_page).text.partition("<tbody>")[2])
    assert events.count("Account changed admin") == 3
    for text in (
        "User name: bob → Robert",
        "Role: user → admin",
        "Password: set anew",
        "May log in: yes → no",
    ):
        assert text in events
    assert events.index("May log in") < events.index("Role"), "the newest first"
    assert "argon2" not in events


def test_only_so_many_events_stand_on_the_page(panel: Visitor, admin: Caller, bob_page: str) -> None:
    path = f"{USERS}{bob_page.partition('=')[2]}/"
    for number in range(12):
        admin("PATCH", path, {"username": f"bob-{number}"})
    assert panel.get(bob_page).text.count("Account changed") == 10


def test_all_log_ins_of_somebody_end(
    app: Flask, panel: Visitor, bob: Caller, alice: Caller, bob_page: str
) -> None:
    factories.change_user(app, "bob", role="admin")
    there = Visitor.logged_in(app, "bob")
    assert "2 log-ins have ended." in panel.press(bob_page, f"{PEOPLE}log-ins/").text
    assert there.get("/admin/").status_code == 302
    assert bob.get(ORDERS).status_code == 401
    assert alice.get(ORDERS).status_code == 200
    assert there.log_in("bob").status_code == 302, "the account itself is as it was"
    assert "Open log-ins: 2 → 0" in panel.get(bob_page).text


def test_without_log_ins_there_is_no_button_to_end_them(panel: Visitor, bob_page: str) -> None:
    assert "End all log-ins" not in panel.get(bob_page).text


@pytest.mark.parametrize("action", ["link", "log-ins"])
@pytest.mark.parametrize("how", ["overtaken", "silent"])
def test_a_page_that_was_overtaken_does_nothing(
    panel: Visitor, admin: Caller, bob: Caller, bob_page: str, action: str, how: str
) -> None:
    button = panel.button(bob_page, f"{PEOPLE}{action}/")
    if how == "overtaken":
        admin("PATCH", f"{USERS}{button['id']}/", {"role": "admin"})
    else:
        del button["seen"]
    page = html.unescape(panel.follow(panel.post(f"{PEOPLE}{action}/", **button)).text)
    expected = {
        "overtaken": "Nothing was changed. Somebody changed this account meanwhile",
        "silent": "This page does not say what it showed of the account",
    }
    assert expected[how] in page
    assert "/admin/login/password/" not in page
    assert bob.get(ORDERS).status_code == 200


@pytest.mark.parametrize("action", ["link", "log-ins"])
def test_buttons_are_sent_with_their_token_by_post_and_for_somebody(
    panel: Visitor, bob: Caller, bob_page: str, action: str
) -> None:
    button = panel.button(bob_page, f"{PEOPLE}{action}/")
    assert panel.client.post(f"{PEOPLE}{action}/", data=button).status_code == 400
    assert panel.get(f"{PEOPLE}{action}/", query_string=button).status_code == 405
    nobody = {**button, "id": "00000000-0000-0000-0000-000000000000"}
    assert panel.post(f"{PEOPLE}{action}/", **nobody).status_code == 404
    assert bob.get(ORDERS).status_code == 200
