"""Two admins at one account: the second one sees what changed meanwhile."""

from __future__ import annotations

import html
from typing import Any

import pytest
from flask import Flask

from tests import factories
from tests.admin.test_overtaken import words
from tests.admin.visitor import Visitor, hidden
from tests.callers import ORDERS, USERS, Caller


@pytest.fixture
def bob_id(app: Flask) -> str:
    return str(factories.user_id(app, "bob"))


def _account(admin: Caller, user_id: str) -> dict[str, Any]:
    account: dict[str, Any] = admin.get(f"{USERS}{user_id}/").get_json()
    return account


def _seen(panel: Visitor, path: str) -> str:
    return hidden(panel.get(path).text, "seen")


def test_a_stale_form_shows_what_changed_and_saves_over_it_when_asked(
    panel: Visitor, admin: Caller, bob_id: str
) -> None:
    path = f"/admin/users/edit/?id={bob_id}"
    fields = {"username": "Robert", "role": "user", "is_active": "y", "seen": _seen(panel, path)}
    admin("PATCH", f"{USERS}{bob_id}/", {"role": "admin"})
    answer = panel.post(path, **fields)
    assert answer.status_code == 409
    text = words(answer.text)
    assert "Somebody changed this account meanwhile" in text
    assert "Role user → became admin" in text
    assert "User name bob bob Robert" in text
    assert "Role user admin user" in text
    assert 'value="Robert"' in answer.text
    assert "Load the account as it is now" in text
    assert _account(admin, bob_id)["username"] == "bob"
    saved = panel.post(path, **{**fields, "seen": hidden(answer.text, "seen")})
    assert "The user Robert is saved." in panel.follow(saved).text
    account = _account(admin, bob_id)
    assert (account["username"], account["role"]) == ("Robert", "user")


def test_a_password_is_not_set_on_an_account_that_changed(
    panel: Visitor, admin: Caller, bob: Caller, bob_id: str
) -> None:
    path = f"/admin/users/password/?id={bob_id}"
    fields = {"password": "new-password-1", "seen": _seen(panel, path)}
    admin("PATCH", f"{USERS}{bob_id}/", {"username": "Robert"})
    answer = panel.post(path, **fields)
    assert answer.status_code == 409
    text = words(answer.text)
    assert "User name bob → became Robert" in text
    assert "type it again below" in text
    assert "new-password-1" not in answer.text
    assert bob.get(ORDERS).status_code == 200
    panel.post(path, **{**fields, "seen": hidden(answer.text, "seen")})
    assert bob.get(ORDERS).status_code == 401


@pytest.mark.parametrize("action", ["disable", "enable"])
def test_a_button_of_a_page_that_was_overtaken_does_nothing(
    panel: Visitor, admin: Caller, bob_id: str, action: str
) -> None:
    admin("PATCH", f"{USERS}{bob_id}/", {"is_active": action == "disable"})
    button = panel.button(f"/admin/users/details/?id={bob_id}", f"/admin/users/{action}/")
    admin("PATCH", f"{USERS}{bob_id}/", {"role": "admin"})
    page = panel.follow(panel.post(f"/admin/users/{action}/", **button)).text
    assert "Nothing was changed. Somebody changed this account meanwhile, at " in page
    assert "Role: user → admin." in page
    assert _account(admin, bob_id)["is_active"] is (action == "disable")
    panel.press(f"/admin/users/details/?id={bob_id}", f"/admin/users/{action}/")
    assert _account(admin, bob_id)["is_active"] is (action == "enable")


def test_a_new_password_alone_counts_as_a_change(panel: Visitor, admin: Caller, bob_id: str) -> None:
    path = f"/admin/users/edit/?id={bob_id}"
    fields = {"username": "bob", "role": "user", "is_active": "y", "seen": _seen(panel, path)}
    admin("PATCH", f"{USERS}{bob_id}/", {"password": "another-password-1"})
    text = words(panel.post(path, **fields).text)
    assert "Password set anew, or something was changed and changed back" in text
    assert "there is nothing left to save" in text


def test_a_page_that_does_not_say_what_it_showed_changes_nothing(
    panel: Visitor, admin: Caller, bob_id: str
) -> None:
    before = _account(admin, bob_id)
    for seen in [
        "",
        "x",
        "[]",
        "{}",
        "null",
        "[" * 5_000,
        '{"nope": ""}',
        '{"updated_at": 1}',
        '{"updated_at": null}',
        '{"updated_at": "2026-11-23T06:33:00.000000Z", "username": ["<b>"]}',
    ]:
        fields = {"username": "Robert", "role": "admin", "is_active": "y", "seen": seen}
        answer = panel.post(f"/admin/users/edit/?id={bob_id}", **fields)
        assert answer.status_code == 409
        assert "This page does not say what it showed of the account" in answer.text
        told = panel.follow(panel.post("/admin/users/disable/", id=bob_id, seen=seen))
        assert "This page does not say what it showed" in html.unescape(told.text)
        assert _account(admin, bob_id) == before


@pytest.mark.parametrize("seen", [None, "", "{}", '{"username": "\\ud800", "updated_at": "x"}'])
@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("edit", {"username": "Robert", "role": "admin", "is_active": "y"}),
        ("password", {"password": "new-password-1"}),
        ("disable", {}),
    ],
)
def test_what_does_not_say_what_it_showed_changes_nothing(
    panel: Visitor, admin: Caller, bob_id: str, action: str, fields: dict[str, str], seen: str | None
) -> None:
    before = _account(admin, bob_id)
    sent = fields if seen is None else {**fields, "seen": seen}
    answer = panel.post(f"/admin/users/{action}/?id={bob_id}", **sent, id=bob_id)
    if action == "disable":
        assert "Nothing was changed" in panel.follow(answer).text
    else:
        assert answer.status_code == 409
        assert "This page does not say what it showed of the account" in words(answer.text)
    assert _account(admin, bob_id) == before
    assert panel.get("/admin/").status_code == 200
