"""People in the panel, clicked through: a one-time link from its making to its use, one's own account."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import PASSWORD, Watch, browser_session, log_in
from tests.servers import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.server]
NEW = "a password of my own"


def made(panel: Page, name: str, role: str = "user") -> None:
    """Make an account by the form; its page."""
    panel.goto("/admin/users/new/")
    panel.get_by_label("User name").fill(name)
    panel.get_by_label("Role").select_option(role)
    panel.get_by_role("button", name="Save").click()
    expect(panel.get_by_role("status")).to_have_text(f"The user {name} is created.")


def fact(panel: Page, label: str) -> str:
    return panel.locator(".facts div", has=panel.get_by_text(label, exact=True)).locator("dd").inner_text()


def selected(page: Page) -> str:
    return str(page.evaluate("getSelection().toString()"))


def set_password(page: Page, password: str) -> None:
    page.get_by_label("New password", exact=True).fill(password)
    page.get_by_label("New password, again").fill(password)
    page.get_by_role("button", name="Set the password").click()


def test_a_link_from_its_making_to_its_use(panel: Page, browser: Browser, server: str, watch: Watch) -> None:
    watch.expected = ("404", "422")
    made(panel, "Walter", role="admin")
    assert fact(panel, "Password") == "none yet: nobody can log in"
    assert fact(panel, "Last log-in") == "never"
    panel.get_by_role("button", name="Make a one-time link").click()
    field = panel.get_by_label("Link", exact=True)
    expect(field).to_be_focused()
    expect(field).to_have_attribute("readonly", "")
    wait_until(lambda: selected(panel) == field.input_value(), what="the selection of the link")
    panel.context.grant_permissions(["clipboard-read", "clipboard-write"])
    panel.get_by_role("button", name="Copy").click()
    expect(panel.get_by_role("button", name="Copied")).to_be_visible()
    link = str(panel.evaluate("navigator.clipboard.readText()"))
    assert link.startswith(f"{server}/admin/login/password/")

    with browser_session(browser, server, watch, java_script_enabled=False) as theirs:
        page = theirs.new_page()
        page.goto(link)
        set_password(page, "short")
        expect(page.get_by_text("A password has 8 to 128 characters.")).to_be_visible()
        set_password(page, NEW)
        expect(page.get_by_role("heading", name="Your password is set")).to_be_visible()
        page.get_by_role("link", name="Log in to the panel").click()
        page.get_by_label("User name").fill("Walter")
        page.get_by_label("Password").fill(NEW)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("link", name="Walter", exact=True)).to_be_visible()
        page.goto(link)
        expect(page.get_by_role("heading", name="This link is no longer good")).to_be_visible()

        panel.get_by_role("link", name="People").click()
        panel.get_by_role("link", name="Walter", exact=True).click()
        assert fact(panel, "Open log-ins") == "1"
        expect(panel.get_by_label("Link", exact=True)).to_have_count(0)
        panel.get_by_role("button", name="End all log-ins").click()
        expect(panel.get_by_role("status")).to_have_text("1 log-in has ended.")
        page.goto("/admin/")
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    panel.get_by_role("link", name="All events of this account").click()
    expect(panel.locator("tbody tr").nth(1)).to_contain_text("Logged in")
    expect(panel.locator("tbody")).to_contain_text("Password set by a one-time link")


def test_the_link_is_selected_though_the_script_comes_late(panel: Page) -> None:
    made(panel, "Leonhard")
    held: list[Route] = []

    def hold(route: Route) -> None:  # Playwright marks its handlers, and a list's own method bears no mark
        held.append(route)

    panel.route(re.compile(r"/panel\.\w*\.?js"), hold)
    panel.get_by_role("button", name="Make a one-time link").click(no_wait_after=True)
    field = panel.get_by_label("Link", exact=True)
    expect(field).to_be_focused()
    assert selected(panel) == ""
    (script,) = held
    script.continue_()
    wait_until(lambda: selected(panel) == field.input_value(), what="the selection of the link")


def test_the_list_is_filtered_and_sorted(panel: Page) -> None:
    made(panel, "Ada")
    panel.get_by_role("link", name="All users").click()
    panel.get_by_label("Role").select_option("user")
    panel.get_by_label("Search").fill("ad")
    panel.get_by_role("button", name="Apply").click()
    expect(panel.locator("tbody tr")).to_have_count(1)
    expect(panel.locator("tbody tr")).to_contain_text("Ada")
    panel.get_by_role("link", name="Clear").click()
    panel.get_by_role("link", name="Created").click()
    panel.get_by_role("link", name="Created").click()
    expect(panel.locator("tbody tr").first).to_contain_text("Ada")


def test_ones_own_account_in_russian_with_a_new_password(
    panel: Page, browser: Browser, server: str, watch: Watch
) -> None:
    watch.expected = ("422",)
    made(panel, "Olga", role="admin")
    panel.get_by_role("link", name="Set a password").click()
    panel.get_by_label("New password").fill(PASSWORD)
    panel.get_by_role("button", name="Save").click()
    with browser_session(browser, server, watch, timezone_id="Europe/Moscow") as hers:
        page = log_in(hers.new_page(), "Olga")
        page.get_by_role("link", name="Change language or time zone").click()
        page.get_by_label("Time zone", exact=True).fill("Mars/Crater")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("There is no such time zone.")).to_be_visible()
        page.get_by_label("Time zone", exact=True).fill("Asia/Tokyo")
        page.get_by_label("Language", exact=True).select_option("ru")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("html")).to_have_attribute("lang", "ru")
        expect(page.locator(".foot")).to_contain_text("Asia/Tokyo")
        page.goto("/admin/orders/")
        expect(page.get_by_role("heading", name="Заказы")).to_be_visible()

        page.locator("a.who").click()
        page.locator("#locale").select_option("en")
        page.locator("#time_zone").fill("")
        page.locator("form", has=page.locator("#locale")).get_by_role("button").click()
        expect(page.get_by_role("status")).to_have_text("Your preferences are saved.")
        expect(page.locator(".foot")).to_contain_text("Europe/Moscow")

        with browser_session(browser, server, watch) as another:
            other = log_in(another.new_page(), "Olga")
            page.reload()
            page.get_by_role("button", name="End all others").click()
            expect(page.get_by_role("status")).to_have_text("1 other log-in has ended.")
            other.reload()
            expect(other.get_by_role("heading", name="Log in")).to_be_visible()

        page.get_by_label("Present password").fill("mistaken")
        page.get_by_label("New password", exact=True).fill(NEW)
        page.get_by_label("New password, again").fill(NEW)
        page.get_by_role("button", name="Change the password").click()
        expect(page.get_by_text("This is not your present password.")).to_be_visible()
        page.get_by_label("Present password").fill(PASSWORD)
        page.get_by_label("New password", exact=True).fill(NEW)
        page.get_by_label("New password, again").fill(NEW)
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("/admin/login/"))
        expect(page.get_by_role("status")).to_contain_text("Your password is changed")
        page.get_by_label("User name").fill("Olga")
        page.get_by_label("Password").fill(NEW)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Today", exact=True)).to_be_visible()
