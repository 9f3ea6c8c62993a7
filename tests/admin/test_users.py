"""Accounts and the events log in the panel."""

from __future__ import annotations

import pytest
from flask import Flask

from tests import factories
from tests.admin.visitor import LOGIN, Visitor, hidden, new_id
from tests.callers import ORDERS, Caller


def test_a_user_is_made_and_found(panel: Visitor, app: Flask, stranger: Visitor) -> None:
    answer = panel.post("/admin/users/new/", username=" Dora ", password="dora-password-1", role="admin")
    assert "The user Dora is created." in panel.follow(answer).text
    assert ">Dora</a>" in panel.get("/admin/users/?search=dOR").text
    assert ">Dora</a>" not in panel.get("/admin/users/?search=x").text
    assert stranger.log_in("dora", "dora-password-1").status_code == 302


@pytest.mark.parametrize(
    ("fields", "status", "message"),
    [
        ({"username": "", "password": "password-123"}, 422, "Must not be empty."),
        ({"username": "a\nb", "password": "password-123"}, 422, "Control characters are not allowed."),
        ({"username": "dora", "password": "kurz-pw"}, 422, "A password has 8 to 128 characters."),
        ({"username": "dora", "password": "x" * 129}, 422, "A password has 8 to 128 characters."),
        ({"username": "ALICE", "password": "password-123"}, 409, "is taken"),
        ({"username": "dora", "password": "password-123", "role": "root"}, 422, "Not a valid choice."),
    ],
)
def test_the_rules_for_accounts_hold_here_too(
    panel: Visitor, admin: Caller, fields: dict[str, str], status: int, message: str
) -> None:
    answer = panel.post("/admin/users/new/", **{"role": "user", **fields})
    assert answer.status_code == status
    assert message in answer.text
    assert fields["password"] not in answer.text
    assert len(admin.get("/api/v1/users/").get_json()) == len(factories.PEOPLE)


def test_a_user_is_renamed_promoted_and_disabled(app: Flask, panel: Visitor, admin: Caller) -> None:
    user_id = str(factories.user_id(app, "alice"))
    path = f"/admin/users/edit/?id={user_id}"
    page = panel.get(path).text
    assert 'value="alice"' in page
    answer = panel.post(path, username="Alicia", role="admin", seen=hidden(page, "seen"))
    assert new_id(answer) == user_id
    user = admin.get(f"/api/v1/users/{user_id}/").get_json()
    assert (user["username"], user["role"], user["is_active"]) == ("Alicia", "admin", False)
    panel.press(f"/admin/users/details/?id={user_id}", "/admin/users/enable/")
    assert admin.get(f"/api/v1/users/{user_id}/").get_json()["is_active"] is True


def test_disabling_and_a_new_password_end_the_tokens(
    app: Flask, panel: Visitor, alice: Caller, bob: Caller
) -> None:
    details = f"/admin/users/details/?id={factories.user_id(app, 'alice')}"
    assert "alice is disabled and logged out." in panel.press(details, "/admin/users/disable/").text
    assert alice.get(ORDERS).status_code == 401
    path = f"/admin/users/password/?id={factories.user_id(app, 'bob')}"
    changed = panel.post(path, password="new-password-1", seen=hidden(panel.get(path).text, "seen"))
    assert "bob has a new password." in panel.follow(changed).text
    assert bob.get(ORDERS).status_code == 401
    assert Caller.by_password(app, "bob", "new-password-1").get(ORDERS).status_code == 200


def test_an_empty_password_is_no_password(app: Flask, panel: Visitor, bob: Caller) -> None:
    answer = panel.post(f"/admin/users/password/?id={factories.user_id(app, 'bob')}", password="")
    assert answer.status_code == 422
    assert bob.get(ORDERS).status_code == 200


def test_ones_own_new_password_asks_for_a_new_log_in(app: Flask, panel: Visitor) -> None:
    path = f"/admin/users/password/?id={factories.user_id(app, 'admin')}"
    answer = panel.post(path, password="new-password-1", seen=hidden(panel.get(path).text, "seen"))
    assert panel.follow(answer).location.startswith(LOGIN)
    assert panel.log_in("admin", "new-password-1").status_code == 302


def test_the_last_admin_stays(app: Flask, panel: Visitor) -> None:
    user_id = str(factories.user_id(app, "admin"))
    path = f"/admin/users/edit/?id={user_id}"
    fields = {"username": "admin", "seen": hidden(panel.get(path).text, "seen")}
    demoted = panel.post(path, **fields, role="user", is_active="y")
    assert demoted.status_code == 409
    assert "This is the last admin" in demoted.text
    assert panel.post(path, **fields, role="admin").status_code == 409
    pressed = panel.press(f"/admin/users/details/?id={user_id}", "/admin/users/disable/")
    assert "This is the last admin" in pressed.text
    assert panel.get("/admin/").status_code == 200


def test_no_page_shows_a_password_or_its_hash(app: Flask, panel: Visitor) -> None:
    user_id = factories.user_id(app, "alice")
    for path in ("", f"details/?id={user_id}", f"edit/?id={user_id}", f"password/?id={user_id}"):
        text = panel.get(f"/admin/users/{path}").text
        assert "argon2" not in text
        assert "password-1" not in text


def test_users_cannot_be_deleted(panel: Visitor) -> None:
    assert panel.post("/admin/users/delete/", id="x").status_code == 404


def test_the_events_log_is_newest_first_and_for_one_order(panel: Visitor, admin: Caller) -> None:
    orders = [admin.post(ORDERS, factories.body()).get_json()["order_id"] for _ in range(2)]
    admin("PATCH", f"{ORDERS}{orders[0]}/", {"status": "confirmed"})
    text = panel.get("/admin/events/").text
    assert text.count("Order created") == 2
    assert text.index("Status changed") < text.index("Order created")
    assert "Status: pending → confirmed" in text
    one = panel.get(f"/admin/events/?order_id={orders[1]}").text
    assert orders[1] in one
    assert orders[0] not in one
    assert "This is no order id." in panel.get("/admin/events/?order_id=nonsense").text


def test_the_first_page_counts_and_links(panel: Visitor, admin: Caller) -> None:
    order = admin.post(ORDERS, factories.body(status="completed")).get_json()
    text = panel.get("/admin/").text
    assert order["order_id"] in text
    for link in ("/admin/orders/?status=completed", "/swagger/", "/metrics/"):
        assert f'href="{link}"' in text
