"""One's own account: language and time zone, the password, the log-ins that are open."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from orders_app.auth.services.accounts import account_changes, change_user
from orders_app.desk.domain import Preferences
from orders_app.desk.repository import get_preferences, save_preferences
from orders_app.extensions import db, read_connection, unit_of_work
from tests import factories
from tests.admin.test_languages import RUSSIAN
from tests.admin.visitor import LOGIN, Visitor
from tests.callers import ORDERS, Caller

ME = "/admin/me/"
NEW = "a password of my own"
PRESENT = factories.password_of("admin")


def preferred(app: Flask, name: str = "admin") -> Preferences:
    with app.app_context(), read_connection() as connection:
        return get_preferences(connection, factories.user_id(app, name))


def test_the_name_above_and_the_line_below_lead_there(panel: Visitor) -> None:
    page = panel.get("/admin/").text
    assert f'<a class="who" href="{ME}"' in page
    assert f'<a href="{ME}">Change language or time zone</a>' in page
    assert "Your account" in panel.get(ME).text


def test_a_language_and_a_time_zone_are_chosen(app: Flask, panel: Visitor) -> None:
    panel.client.set_cookie("orders_time_zone", "Europe/Paris", path="/admin")
    assert "Times are those of Europe/Paris." in panel.get("/admin/").text
    saved = panel.post(f"{ME}preferences/", locale="ru", time_zone="Asia/Tokyo")
    assert preferred(app) == Preferences(locale="ru", time_zone="Asia/Tokyo")
    page = panel.follow(saved).text
    assert '<html lang="ru">' in page
    assert "Asia/Tokyo" in panel.get("/admin/orders/").text
    assert '<option selected value="ru">' in page
    assert 'value="Asia/Tokyo"' in page
    english = panel.post(f"{ME}preferences/", locale="en", time_zone="")
    page = panel.client.get(english.location, headers=RUSSIAN).text
    assert '<html lang="en">' in page, "what was chosen counts for more than the browser"
    assert "Your preferences are saved." in page
    assert "Times are those of Europe/Paris." in page
    panel.post(f"{ME}preferences/", locale="", time_zone="")
    assert preferred(app) == Preferences()
    assert '<html lang="ru">' in panel.client.get(ME, headers=RUSSIAN).text


def test_what_else_is_preferred_stays(app: Flask, panel: Visitor) -> None:
    with app.app_context():
        user_id = factories.user_id(app, "admin")
        save_preferences(db.session(), user_id, Preferences(columns={"orders": ["status"]}))
        db.session().commit()
    panel.post(f"{ME}preferences/", locale="en", time_zone="UTC")
    assert preferred(app) == Preferences(locale="en", time_zone="UTC", columns={"orders": ["status"]})


@pytest.mark.parametrize(
    ("locale", "zone", "message"),
    [
        ("en", "Mars/Crater", "There is no such time zone."),
        ("en", "../../etc/passwd", "There is no such time zone."),
        ("tlh", "UTC", "Not a valid choice."),
    ],
)
def test_what_there_is_not_is_not_kept(
    app: Flask, panel: Visitor, locale: str, zone: str, message: str
) -> None:
    answer = panel.post(f"{ME}preferences/", locale=locale, time_zone=zone)
    assert answer.status_code == 422
    assert message in answer.text
    assert f'value="{zone}"' in answer.text, "to be corrected"
    assert preferred(app) == Preferences()


def test_a_language_that_is_spoken_no_more_is_left_to_the_browser(app: Flask, panel: Visitor) -> None:
    with app.app_context():
        user_id = factories.user_id(app, "admin")
        save_preferences(db.session(), user_id, Preferences(locale="tlh", time_zone="Mars/Crater"))
        db.session().commit()
    page = panel.client.get(ME, headers=RUSSIAN)
    assert page.status_code == 200
    assert '<html lang="ru">' in page.text


def test_one_admins_choice_is_nobody_elses(app: Flask, panel: Visitor, stranger: Visitor) -> None:
    factories.change_user(app, "bob", role="admin")
    panel.post(f"{ME}preferences/", locale="ru", time_zone="Asia/Tokyo")
    other = Visitor.logged_in(app, "bob")
    assert '<html lang="en">' in other.get(ME).text
    assert preferred(app, "bob") == Preferences()
    assert '<html lang="en">' in stranger.get(LOGIN).text


def test_a_new_password_needs_the_present_one_and_ends_all_log_ins(
    app: Flask, panel: Visitor, admin: Caller
) -> None:
    elsewhere = Visitor.logged_in(app)
    answer = panel.post(f"{ME}password/", present=PRESENT, password=NEW, again=NEW)
    assert answer.location.startswith(LOGIN)
    assert "Your password is changed, and all your log-ins have ended." in panel.follow(answer).text
    for visitor in (panel, elsewhere):
        assert visitor.get(ME).status_code == 302
    assert admin.get(ORDERS).status_code == 401
    assert panel.log_in("admin").status_code == 403
    assert panel.log_in("admin", NEW).status_code == 302


@pytest.mark.parametrize(
    ("present", "password", "again", "message"),
    [
        ("mistaken", NEW, NEW, "This is not your present password."),
        ("", NEW, NEW, "This is not your present password."),
        (PRESENT, NEW, "mistyped", "The two passwords are not the same."),
        (PRESENT, "short", "short", "A password has 8 to 128 characters."),
    ],
)
def test_a_password_that_is_refused_changes_nothing(
    panel: Visitor, log_dir: Path, present: str, password: str, again: str, message: str
) -> None:
    answer = panel.post(f"{ME}password/", present=present, password=password, again=again)
    assert answer.status_code == 422
    assert message in answer.text
    for typed in {present, password, again} - {""}:
        assert f'value="{typed}"' not in answer.text
        assert typed not in (log_dir / "general.log").read_text()
    assert panel.get(ME).status_code == 200
    assert panel.log_in("admin").status_code == 302, "the old one is still good"


def test_a_wrong_present_password_counts_as_a_failed_log_in(panel: Visitor, log_dir: Path) -> None:
    for _ in range(30):
        assert panel.post(f"{ME}password/", present="x", password=NEW, again=NEW).status_code == 422
    refused = panel.post(f"{ME}password/", present=PRESENT, password=NEW, again=NEW)
    assert refused.status_code == 429
    assert "Too many failed log-ins." in refused.text
    assert (log_dir / "general.log").read_text().count('"reason":"wrong_password"') == 30


def test_a_password_that_was_set_meanwhile_is_not_overwritten(
    app: Flask, panel: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The present one was right when it was checked, and is that no more."""
    user_id = factories.user_id(app, "admin")

    def overtaken(password: str) -> object:
        mine = account_changes(password=password)
        with app.app_context(), unit_of_work() as uow:
            theirs = account_changes(password="set-by-an-admin-1")
            change_user(uow, actor=factories.actor("admin"), user_id=user_id, changes=theirs)
        return mine

    monkeypatch.setattr("orders_app.admin.me.account_changes", overtaken)
    answer = panel.post(f"{ME}password/", present=PRESENT, password=NEW, again=NEW)
    assert answer.status_code == 409
    assert "Somebody else changed the account meanwhile." in answer.text
    assert panel.log_in("admin", NEW).status_code == 403
    assert panel.log_in("admin", "set-by-an-admin-1").status_code == 302


def test_all_other_log_ins_end_and_ones_own_stays(
    app: Flask, panel: Visitor, admin: Caller, alice: Caller
) -> None:
    assert "You are logged in nowhere else." not in panel.get(ME).text
    other = Visitor.logged_in(app)
    page = panel.get(ME).text
    assert page.count("another browser or program") == 2
    assert page.count("<strong>this one</strong>") == 1
    assert "2 other log-ins have ended." in panel.press(ME, f"{ME}log-ins/").text
    assert other.get(ME).status_code == 302
    assert admin.get(ORDERS).status_code == 401
    assert alice.get(ORDERS).status_code == 200
    assert "You are logged in nowhere else." in panel.get(ME).text
    assert "Open log-ins: 3 → 1" in panel.get("/admin/audit/").text


def test_only_the_newest_log_ins_are_listed(app: Flask, panel: Visitor) -> None:
    for _ in range(21):
        Caller.by_token(app, "admin")
    page = panel.get(ME).text
    assert page.count("another browser or program") == 20
    assert "These are the newest; there are more." in page


@pytest.mark.parametrize("action", ["preferences", "password", "log-ins"])
def test_nothing_is_done_without_a_token_by_get_or_for_strangers(
    app: Flask, panel: Visitor, stranger: Visitor, admin: Caller, action: str
) -> None:
    fields = {"locale": "ru", "time_zone": "UTC", "present": PRESENT, "password": NEW, "again": NEW}
    assert panel.client.post(f"{ME}{action}/", data=fields).status_code == 400
    assert panel.get(f"{ME}{action}/").status_code == 405
    assert stranger.post(f"{ME}{action}/", **fields).status_code == 302
    assert preferred(app) == Preferences()
    assert admin.get(ORDERS).status_code == 200
    assert Caller.by_password(app, "admin").get(ORDERS).status_code == 200
