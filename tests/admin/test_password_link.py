"""One-time links: made by an admin, used once by whoever has it, kept and told nowhere."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from unittest import mock

import pytest
import time_machine
from flask import Flask

from orders_app.auth import passwords
from orders_app.shared.clock import utcnow
from tests import factories
from tests.admin.test_people import PEOPLE
from tests.admin.visitor import LOGIN, Visitor, text_of
from tests.callers import ORDERS, USERS, Caller

NEW = "a password of my own"
GONE = "This link is no longer good"


def page_of(app: Flask, name: str) -> str:
    return f"{PEOPLE}details/?id={factories.user_id(app, name)}"


def made(app: Flask, panel: Visitor, name: str = "bob") -> str:
    """The link to set somebody's password, as the page shows it once."""
    answer = panel.post(f"{PEOPLE}link/", **panel.button(page_of(app, name), f"{PEOPLE}link/"))
    assert answer.status_code == 200, answer.text
    found = re.search(
        r'<input id="link" [^>]*value="(http://localhost/admin/login/password/[\w-]{43}/)"', answer.text
    )
    assert found is not None
    return found[1]


def path_in(link: str) -> str:
    return link.removeprefix("http://localhost")


def test_from_making_to_using(app: Flask, panel: Visitor, stranger: Visitor, bob: Caller) -> None:
    link = path_in(made(app, panel))
    form = stranger.get(link)
    assert form.status_code == 200
    assert form.text.count('autocomplete="new-password"') == 2
    answer = stranger.post(link, password=NEW, again=NEW)
    assert answer.status_code == 200
    assert "Your password is set" in answer.text
    assert "bob, from now on" in answer.text
    assert "Log in to the panel" not in answer.text, "bob is no admin"
    assert bob.get(ORDERS).status_code == 401, "earlier log-ins have ended"
    assert Caller.by_password(app, "bob", NEW).get(ORDERS).status_code == 200
    assert Caller.by_password(app, "bob").get(ORDERS).status_code == 401


def test_an_admin_is_told_where_to_log_in(app: Flask, panel: Visitor, stranger: Visitor) -> None:
    answer = stranger.post(path_in(made(app, panel, "admin")), password=NEW, again=NEW)
    assert f'href="{LOGIN}"' in answer.text
    assert panel.get("/admin/").status_code == 302, "their own log-in has ended as well"
    assert stranger.get("/admin/").status_code == 302, "the link logs nobody in"
    assert stranger.log_in("admin", NEW).status_code == 302


def test_what_is_typed_is_checked_and_the_link_stays_good(
    app: Flask, panel: Visitor, stranger: Visitor
) -> None:
    link = path_in(made(app, panel))
    for password, again, message in (
        (NEW, "another one", "The two passwords are not the same."),
        ("short", "short", "A password has 8 to 128 characters."),
        ("", "", "A password has 8 to 128 characters."),
        ("a\tcontrol", "a\tcontrol", "Control characters are not allowed."),
    ):
        answer = stranger.post(link, password=password, again=again)
        assert answer.status_code == 422
        assert message in answer.text
        assert f'"{password}"' not in answer.text or not password
    assert stranger.client.post(link, data={"password": NEW, "again": NEW}).status_code == 400, "no token"
    assert Caller.by_password(app, "bob").get(ORDERS).status_code == 200
    assert stranger.post(link, password=NEW, again=NEW).status_code == 200


@pytest.mark.parametrize(
    "why", ["used", "expired", "another one", "disabled", "new password", "unknown", "strange"]
)
def test_a_link_that_is_not_good_is_one_page_whatever_the_reason(
    app: Flask, panel: Visitor, stranger: Visitor, admin: Caller, why: str
) -> None:
    link = path_in(made(app, panel))
    person = f"{USERS}{factories.user_id(app, 'bob')}/"
    later = utcnow()
    if why == "used":
        assert stranger.post(link, password=NEW, again=NEW).status_code == 200
    elif why == "expired":
        later += timedelta(hours=24, seconds=1)
    elif why == "another one":
        made(app, panel)
    elif why == "disabled":
        admin("PATCH", person, {"is_active": False})
    elif why == "new password":
        admin("PATCH", person, {"password": "set-by-an-admin-1"})
    else:
        link = f"{LOGIN}password/{'x' * 43 if why == 'unknown' else '%00%F0%9F%90%92' + 'x' * 2000}/"
    before = stranger.get(f"{LOGIN}password/never-made/")
    with time_machine.travel(later, tick=True), mock.patch.object(passwords, "_one_at_a_time") as hashing:
        seen = stranger.get(link)
        sent = stranger.client.post(
            link, data={"password": NEW, "again": NEW, "csrf_token": stranger.token()}
        )
        hashing.assert_not_called()
    assert (seen.status_code, sent.status_code) == (404, 404)
    assert GONE in seen.text
    assert seen.text == sent.text == before.text
    assert Caller.by_password(app, "bob", NEW).get(ORDERS).status_code == (200 if why == "used" else 401)


def test_who_uses_it_second_is_told_so(
    app: Flask, panel: Visitor, stranger: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both found it good, and both had their passwords hashed."""
    link = path_in(made(app, panel))
    assert stranger.post(link, password=NEW, again=NEW).status_code == 200
    monkeypatch.setattr("orders_app.admin.password_link.check_password_link", lambda _token: True)
    late = stranger.post(link, password="somebody else's", again="somebody else's")
    assert late.status_code == 404
    assert GONE in late.text
    assert Caller.by_password(app, "bob", NEW).get(ORDERS).status_code == 200


def test_the_link_is_shown_once_and_is_in_no_log_and_no_cookie(
    app: Flask, panel: Visitor, stranger: Visitor, log_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    link = made(app, panel)
    token = link.rstrip("/").rpartition("/")[2]
    with panel.client.session_transaction(path="/admin/") as session:
        assert {"user", "family"} <= session.keys(), "it is the session"
        assert token not in str(dict(session))
        assert "_flashes" not in session
    assert token not in panel.get(page_of(app, "bob")).text
    assert token not in panel.get("/admin/audit/").text
    for _ in range(2):
        answer = stranger.post(path_in(link), password=NEW, again=NEW)
        assert "Location" not in answer.headers
        assert token not in str(answer.headers)
    logged = "".join(path.read_text() for path in log_dir.glob("*.log")) + caplog.text
    assert token not in logged
    assert NEW not in logged
    for event in ("user.password_link_made", "user.password_link_used", '"reason":"bad_password_link"'):
        assert event in logged
    made_by = text_of(panel.get("/admin/audit/?whom=bob").text)
    assert "One-time link made admin bob" in made_by
    assert "Password set by a one-time link bob bob Password: set anew" in made_by


def test_the_page_that_shows_it_says_how_long_it_is_good(app: Flask, panel: Visitor) -> None:
    button = panel.button(page_of(app, "bob"), f"{PEOPLE}link/")
    answer = panel.post(f"{PEOPLE}link/", **button)
    assert 'It is good once, for 24 hours: until <time datetime="' in answer.text
    assert "It is not shown again." in answer.text
    assert "readonly" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("good", [True, False])
def test_no_other_page_is_told_its_address_and_nobody_keeps_it(
    app: Flask, panel: Visitor, stranger: Visitor, good: bool
) -> None:
    link = path_in(made(app, panel)) if good else f"{LOGIN}password/x/"
    for answer in (stranger.get(link), stranger.client.post(link), stranger.client.options(link)):
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
    assert stranger.get(LOGIN).headers["Referrer-Policy"] == "same-origin"


def test_who_is_logged_in_is_nobody_there(app: Flask, panel: Visitor, stranger: Visitor) -> None:
    link = path_in(made(app, panel))
    page = panel.get(link).text
    assert "Log out" not in page
    assert "admin</a>" not in page
    assert panel.post(link, password=NEW, again=NEW).status_code == 200
    assert panel.get("/admin/").status_code == 200, "it was bob's password"


def test_too_many_bad_links_are_refused_like_too_many_log_ins(
    app: Flask, panel: Visitor, stranger: Visitor, log_dir: Path
) -> None:
    link = path_in(made(app, panel))
    for number in range(30):
        assert stranger.get(f"{LOGIN}password/{number}/").status_code == 404
    for path in (f"{LOGIN}password/31/", link):
        refused = stranger.get(path)
        assert refused.status_code == 429
        assert 0 < int(refused.headers["Retry-After"]) <= 60
        assert "Please try again in" in refused.text
    assert '"reason":"too_many_attempts"' in (log_dir / "general.log").read_text()
    assert stranger.log_in("alice").status_code == 403, "no admin, but let in to be told so"
    elsewhere = stranger.get(link, environ_overrides={"REMOTE_ADDR": "198.51.100.7"})
    assert elsewhere.status_code == 200


def test_no_link_for_who_may_not_log_in(app: Flask, panel: Visitor) -> None:
    button = panel.button(page_of(app, "bob"), f"{PEOPLE}link/")
    factories.change_user(app, "bob", is_active=False)
    assert "Make a one-time link" not in panel.get(page_of(app, "bob")).text
    refused = panel.follow(panel.post(f"{PEOPLE}link/", **button))
    assert "The account is disabled; enable it first." in refused.text


def test_only_admins_make_links(app: Flask, stranger: Visitor) -> None:
    answer = stranger.post(f"{PEOPLE}link/", id=str(factories.user_id(app, "bob")), seen="{}")
    assert answer.status_code == 302
    assert answer.location.startswith(LOGIN)
