"""Swagger UI, from loading to an authorised request."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.server]


def test_swagger_ui_sends_an_authorised_request(page: Page) -> None:
    page.goto("/swagger/")
    page.get_by_role("button", name="Authorize").first.click()
    dialog = page.locator(".modal-ux")
    dialog.locator("#auth-basic-username").fill("admin")
    dialog.locator("#auth-basic-password").fill(PASSWORD)
    basic = dialog.locator(".auth-container", has_text="basicAuth")
    basic.get_by_role("button", name="Apply credentials").click()
    basic.get_by_role("button", name="Close", exact=True).click()
    operation = page.locator(".opblock-get", has_text="/api/v1/orders/").first
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table .response-col_status").last).to_contain_text("200")


def test_all_of_swagger_ui_keeps_to_the_policy_for_contents(page: Page) -> None:
    """One of everything is opened; at the end of the test the console must be free of violations."""
    page.goto("/swagger/")
    for kind in ("get", "post", "delete"):
        page.locator(f".opblock-{kind} .opblock-summary-control").first.click()
    expect(page.locator(".opblock.is-open")).to_have_count(3)
    page.get_by_role("button", name="Try it out").first.click()
    page.locator(".models button").first.click()
    page.get_by_role("button", name="Authorize").first.click()
    expect(page.locator(".modal-ux")).to_be_visible()
