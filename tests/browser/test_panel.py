"""The panel, clicked through."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import PASSWORD, Watch, delete_opened

pytestmark = [pytest.mark.browser, pytest.mark.server]
PHONE: ViewportSize = {"width": 390, "height": 844}


def new_order(page: Page, product: str, price: str = "2.50", quantity: str = "4") -> str:
    """Make an order by the form; the address of its page."""
    page.goto("/admin/orders/new/")
    page.get_by_label("Product of line 1").fill(product)
    page.get_by_label("Price of line 1").fill(price)
    page.get_by_label("Quantity of line 1").fill(quantity)
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_role("status")).to_have_text("The order is created.")
    return page.url


def test_log_in_and_out(page: Page, watch: Watch) -> None:
    watch.expected = ("403",)
    page.goto("/admin/orders/?status=pending")
    expect(page).to_have_url(re.compile("/admin/login/"))
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill("mistaken")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/admin/orders/\?status=pending$"))
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("status")).to_have_text("You are logged out.")
    page.go_back()
    page.reload()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_an_order_from_its_making_to_its_restoring(panel: Page, watch: Watch) -> None:
    watch.expected = ("422",)
    new_order(panel, "Kettle")
    expect(panel.get_by_role("row", name="Kettle")).to_contain_text("10.00")

    panel.get_by_role("link", name="Edit").click()
    panel.get_by_role("button", name="Add a line").click()
    expect(panel.get_by_label("Product of line 2")).to_be_focused()
    panel.get_by_label("Product of line 2").fill("Cup")
    panel.get_by_label("Price of line 2").fill("-1")
    panel.get_by_label("Quantity of line 2").fill("1")
    panel.get_by_label("Quantity of line 2").press("Enter")
    expect(panel.get_by_text("Must not be negative.")).to_be_visible()
    panel.get_by_label("Price of line 2").fill("1")
    panel.get_by_role("button", name="Add a line").click()
    panel.get_by_role("button", name="Remove line 1").click()
    expect(panel.get_by_label("Product of line 1")).to_have_value("Cup")
    panel.get_by_role("button", name="Save", exact=True).last.click()
    expect(panel.get_by_role("status")).to_have_text("The order is saved.")
    expect(panel.get_by_role("row", name="Kettle")).to_have_count(0)
    expect(panel.get_by_text("Total: 10.00 → 1.00")).to_be_visible()

    panel.get_by_role("button", name="Confirm").click()
    expect(panel.get_by_role("status")).to_have_text("The order is now confirmed.")
    panel.get_by_role("button", name="Complete").click()
    expect(panel.get_by_role("button", name=re.compile("^(Confirm|Complete)"))).to_have_count(0)
    delete_opened(panel)
    expect(panel.get_by_role("status")).to_contain_text("The order is deleted.")
    expect(panel.get_by_role("link", name="Edit")).to_have_count(0)
    panel.get_by_role("button", name="Restore").click()
    expect(panel.get_by_role("status")).to_have_text("The order is restored.")


def test_filter_search_and_sort(panel: Page) -> None:
    new_order(panel, "Blue teapot", price="3")
    new_order(panel, "Green teapot", price="1")
    panel.get_by_role("link", name="Orders", exact=True).last.click()
    panel.get_by_label("Search").fill("TEAPOT")
    panel.get_by_role("button", name="Apply").click()
    expect(panel.get_by_role("link", name="Clear")).to_be_visible()
    rows = panel.locator("tbody tr")
    expect(rows).to_have_count(2)
    panel.get_by_role("link", name="Total").click()
    expect(panel.locator("th[aria-sort=ascending]")).to_contain_text("Total")
    expect(rows.first).to_contain_text("4.00")
    panel.get_by_role("link", name="Total").click()
    expect(rows.first).to_contain_text("12.00")
    panel.get_by_text("More filters").click()
    panel.get_by_label("Total to").fill("5")
    panel.get_by_label("pending").check()
    panel.get_by_role("button", name="Apply").click()
    expect(rows).to_have_count(1)
    panel.get_by_label("Total from").fill("no number")
    panel.get_by_role("button", name="Apply").click()
    expect(panel.get_by_text("Not a valid amount.")).to_be_visible()
    panel.get_by_role("link", name="Clear").click()
    expect(panel.get_by_label("Search")).to_have_value("")


def test_users(panel: Page, watch: Watch) -> None:
    watch.expected = ("409",)
    panel.get_by_role("link", name="People").click()
    panel.get_by_role("link", name="New user").click()
    panel.get_by_label("User name").fill("Dora")
    panel.get_by_label("Password").fill("dora-password-1")
    panel.get_by_role("button", name="Save").click()
    expect(panel.get_by_role("status")).to_have_text("The user Dora is created.")
    panel.get_by_role("button", name="Disable").click()
    expect(panel.get_by_role("status")).to_have_text("Dora is disabled and logged out.")
    panel.get_by_role("button", name="Enable").click()
    panel.get_by_role("link", name="Set a password").click()
    panel.get_by_label("New password").fill("dora-password-2")
    panel.get_by_role("button", name="Save").click()
    expect(panel.get_by_role("status")).to_have_text("Dora has a new password.")
    panel.get_by_role("link", name="Edit").click()
    panel.get_by_label("User name").fill("ADMIN")
    panel.get_by_role("button", name="Save").click()
    expect(panel.get_by_role("alert")).to_contain_text("is taken")


def test_the_events_log_leads_to_the_order(panel: Page) -> None:
    new_order(panel, "Clock")
    panel.get_by_role("link", name="Events log").click()
    row = panel.locator("tbody tr").first
    expect(row).to_contain_text("Order created")
    row.get_by_role("link").first.click()
    expect(panel.get_by_role("row", name="Clock")).to_be_visible()


def test_without_javascript_too(panel: Page) -> None:
    address = new_order(panel, "Vase").replace("/details/", "/edit/")
    panel.route("**/*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    panel.goto(address)
    panel.get_by_role("button", name="Add a line").click()
    panel.get_by_label("Product of line 2").fill("Tray")
    panel.get_by_label("Price of line 2").fill("1")
    panel.get_by_label("Quantity of line 2").fill("1")
    panel.get_by_role("button", name="Remove line 1").click()
    expect(panel.get_by_label("Product of line 2")).to_have_count(0)
    panel.get_by_label("Product of line 1").press("Enter")
    expect(panel.get_by_role("status")).to_have_text("The order is saved.")
    expect(panel.get_by_role("row", name="Vase")).to_have_count(0)


def test_nothing_scrolls_sideways_on_a_phone_and_all_inputs_are_named(panel: Page, watch: Watch) -> None:
    watch.expected = ("404",)
    order = urlsplit(new_order(panel, "A" * 255, price="9999999999.99", quantity="1"))
    query = f"?{order.query}"
    panel.set_viewport_size(PHONE)
    lists = ("", "orders/", "orders/?search=x&min_price=y", "users/", "events/", "audit/")
    forms = ("orders/new/", "users/new/", f"orders/edit/{query}", "me/", "login/password/x/")
    for path in (*lists, *forms, f"orders/details/{query}", "orders/details/?id=1"):
        panel.goto(f"/admin/{path}")
        assert panel.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
        unnamed = panel.evaluate(
            """() => [...document.querySelectorAll("input:not([type=hidden]), select")]
                .filter(field => !field.labels.length && !field.ariaLabel).map(field => field.name)"""
        )
        assert unnamed == [], path
        ids = panel.evaluate("() => [...document.querySelectorAll('[id]')].map(element => element.id)")
        assert len(ids) == len(set(ids)), path
        assert panel.locator("html").get_attribute("lang") == "en"
