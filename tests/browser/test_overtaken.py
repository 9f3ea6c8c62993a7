"""Two people at one order, and at one account: the second one sees what changed, and decides."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watch, delete_opened
from tests.browser.test_panel import PHONE, new_order

pytestmark = [pytest.mark.browser, pytest.mark.server]


def _save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).last.click()


def _saved(page: Page, message: str = "The order is saved.") -> None:
    expect(page.get_by_role("status")).to_have_text(message)


def _overtake(page: Page, address: str, quantity: str = "5") -> None:
    page.goto(address)
    page.get_by_label("Quantity of line 1").fill(quantity)
    _save(page)
    _saved(page)


def test_the_second_sees_what_changed_and_saves_over_it_by_keyboard(
    panel: Page, colleague: Page, watch: Watch
) -> None:
    watch.expected = ("409",)
    address = new_order(panel, "Lamp").replace("/details/", "/edit/")
    panel.goto(address)
    _overtake(colleague, address)
    panel.get_by_label("Product of line 1").fill("Floor lamp")
    panel.get_by_label("Product of line 1").press("Enter")
    alert = panel.get_by_role("alert")
    expect(alert).to_contain_text("maria changed this order meanwhile")
    expect(alert).to_be_focused()
    expect(panel).to_have_title(re.compile("^Not saved: Edit order"))
    expect(panel.get_by_role("listitem").filter(has_text="version")).to_contain_text("4 × Lamp at 2.50")
    row = panel.locator(".choices tbody tr").filter(has_text="Line 1")
    expect(row.get_by_role("cell")).to_have_text(
        ["4 × Lamp at 2.50", "5 × Lamp at 2.50", "4 × Floor lamp at 2.50"]
    )
    expect(panel.get_by_label("Product of line 1")).to_have_value("Floor lamp")
    panel.keyboard.press("Tab")
    expect(panel.get_by_role("link", name="Load the order as it is now")).to_be_focused()
    panel.keyboard.press("Tab")
    expect(panel.get_by_role("button", name="Save my entries over it").first).to_be_focused()

    # Once more in between: the same page again.
    _overtake(colleague, address, quantity="6")
    panel.keyboard.press("Enter")
    expect(row.get_by_role("cell").nth(1)).to_have_text("6 × Lamp at 2.50")
    panel.get_by_role("button", name="Save my entries over it").last.click()
    _saved(panel)
    expect(panel.get_by_role("row", name="Floor lamp")).to_contain_text("10.00")


def test_the_second_of_two_tabs_loads_the_order_as_it_is(panel: Page, watch: Watch) -> None:
    watch.expected = ("409",)
    address = new_order(panel, "Lamp").replace("/details/", "/edit/")
    panel.goto(address)
    _overtake(panel.context.new_page(), address)
    panel.get_by_label("Product of line 1").fill("Floor lamp")
    _save(panel)
    expect(panel.get_by_role("alert")).to_contain_text("You changed this order meanwhile, in another window")
    panel.get_by_role("link", name="Load the order as it is now").click()
    expect(panel.get_by_label("Product of line 1")).to_have_value("Lamp")
    expect(panel.get_by_label("Quantity of line 1")).to_have_value("5")


def test_without_javascript_and_on_a_phone(panel: Page, colleague: Page, watch: Watch) -> None:
    watch.expected = ("409",)
    address = new_order(panel, "A" * 255, price="9999999999.99", quantity="1").replace("/details/", "/edit/")
    colleague.set_viewport_size(PHONE)
    colleague.goto(address)
    panel.goto(address)
    panel.get_by_label("Product of line 1").fill("B" * 255)
    _save(panel)
    _saved(panel)
    colleague.get_by_label("Quantity of line 1").fill("0")
    _save(colleague)
    expect(colleague.get_by_role("alert")).to_be_focused()
    expect(colleague.get_by_role("alert")).to_contain_text("admin changed this order meanwhile")
    assert colleague.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    ids = colleague.evaluate("() => [...document.querySelectorAll('[id]')].map(element => element.id)")
    assert len(ids) == len(set(ids))
    colleague.get_by_role("button", name="Save my entries over it").first.click()
    _saved(colleague)


def test_an_order_deleted_meanwhile_is_restored_and_nothing_typed_is_lost(
    panel: Page, colleague: Page, watch: Watch
) -> None:
    watch.expected = ("409",)
    details = new_order(panel, "Vase")
    address = details.replace("/details/", "/edit/")
    panel.goto(address)
    colleague.goto(details)
    delete_opened(colleague)
    _saved(colleague, "The order is deleted. It is kept, and can be restored here.")
    panel.get_by_label("Product of line 1").fill("Blue vase")
    _save(panel)
    expect(panel.get_by_role("alert")).to_contain_text("maria deleted this order meanwhile")
    with panel.expect_popup() as opened:
        panel.get_by_role("link", name="Open the order in a new tab").click()
    opened.value.get_by_role("button", name="Restore").click()
    _saved(opened.value, "The order is restored.")
    _save(panel)
    expect(panel.get_by_role("alert")).to_contain_text("maria and you changed this order meanwhile")
    panel.get_by_role("button", name="Save my entries over it").first.click()
    _saved(panel)
    expect(panel.get_by_role("row", name="Blue vase")).to_be_visible()


def test_a_button_of_a_page_that_was_overtaken_does_nothing(panel: Page, colleague: Page) -> None:
    details = new_order(panel, "Clock")
    _overtake(colleague, details.replace("/details/", "/edit/"))
    delete_opened(panel)
    alert = panel.get_by_role("alert")
    expect(alert).to_contain_text("Nothing was changed. maria changed this order meanwhile.")
    expect(alert).to_contain_text("Line changed (quantity): 4 × Clock at 2.50 → 5 × Clock at 2.50")
    expect(alert).to_be_focused()
    delete_opened(panel)
    expect(panel.get_by_role("status")).to_contain_text("The order is deleted.")


def test_an_account_that_changed_meanwhile(panel: Page, colleague: Page, watch: Watch) -> None:
    watch.expected = ("409",)
    panel.goto("/admin/users/new/")
    panel.get_by_label("User name").fill("Emil")
    _save(panel)
    _saved(panel, "The user Emil is created.")
    colleague.goto(panel.url)
    panel.get_by_role("link", name="Edit").click()
    colleague.get_by_role("button", name="Disable").click()
    _saved(colleague, "Emil is disabled and logged out.")
    panel.get_by_label("User name").fill("Emilia")
    _save(panel)
    expect(panel.get_by_role("alert")).to_contain_text("Somebody changed this account meanwhile")
    expect(panel.get_by_role("row", name="May log in").get_by_role("cell")).to_have_text(
        ["yes", "no", "yes (left as it was)"]
    )
    panel.get_by_label("May log in").uncheck()
    panel.get_by_role("button", name="Save my entries over it").first.click()
    _saved(panel, "The user Emilia is saved.")
    expect(panel.get_by_text("disabled")).to_be_visible()
