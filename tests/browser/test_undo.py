"""The button beside the message that something is deleted."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import delete_opened
from tests.browser.test_panel import new_order

pytestmark = [pytest.mark.browser, pytest.mark.server]


@pytest.mark.parametrize("who", ["panel", "colleague"])
def test_a_deletion_is_undone_with_javascript_and_without(request: pytest.FixtureRequest, who: str) -> None:
    page: Page = request.getfixturevalue(who)
    address = new_order(page, "Teaspoon")
    delete_opened(page)
    expect(page.get_by_role("status")).to_contain_text("The order is deleted.")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_have_text("The order is restored.")
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    expect(page).to_have_url(address)
    page.goto("/admin/orders/?product=Teaspoon")
    boxes = page.locator("td.pick input")
    boxes.first.check()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("1 order is changed.")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_have_text("1 order is changed.")
    page.get_by_role("link", name="Back to the list").last.click()
    expect(boxes.first).to_be_visible()


def test_whoever_is_too_late_is_told(panel: Page, colleague: Page) -> None:
    address = new_order(panel, "Saucer")
    delete_opened(panel)
    colleague.goto(address)
    colleague.get_by_role("button", name="Restore").click()
    panel.get_by_role("button", name="Undo").click()
    expect(panel.get_by_role("alert")).to_contain_text(
        "Nothing was changed. maria changed this order meanwhile."
    )
    expect(panel.get_by_role("link", name="Edit")).to_be_visible()
