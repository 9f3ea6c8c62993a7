"""Swagger UI, from loading to authorised requests, with both kinds of credentials."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import PASSWORD, Watch, browser_session

pytestmark = [pytest.mark.browser, pytest.mark.server]

REFUSED = "status of 401"
"""What a browser says of an answer that a test asks for."""


def opened(page: Page, operation: str) -> Locator:
    """An operation, ready to be tried out."""
    block = page.locator(f'.opblock[id$="-{operation}"]')
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    return block


def executed(block: Locator, body: str | None = None) -> tuple[int, Any]:
    """What the service answers to this operation: the status, and the body as the page shows it."""
    if body is not None:
        block.locator("textarea.body-param__text").fill(body)
    block.get_by_role("button", name="Execute").click()
    shown = block.locator(".live-responses-table .response").last
    expect(shown.locator(".response-col_status")).to_have_text(re.compile(r"\d{3}"))
    status = int(shown.locator(".response-col_status").inner_text()[:3])
    return status, json.loads(shown.locator(".response-col_description pre.microlight").first.inner_text())


def by_basic(page: Page) -> str:
    """Authorise as the admin, by name and password; what the header begins with from then on."""
    page.get_by_role("button", name="Authorize").first.click()
    dialog = page.locator(".modal-ux")
    dialog.locator("#auth-basic-username").fill("admin")
    dialog.locator("#auth-basic-password").fill(PASSWORD)
    apply(dialog, "basicAuth")
    return "Basic "


def by_bearer(page: Page) -> str:
    """Log in by the operation for it, and authorise with the token that it gives."""
    log_in = opened(page, "logIn")
    status, tokens = executed(log_in, json.dumps({"username": "admin", "password": PASSWORD}))
    assert (status, set(tokens)) == (200, {"access", "refresh"})
    page.get_by_role("button", name="Authorize").first.click()
    dialog = page.locator(".modal-ux")
    dialog.locator("#auth-bearer-value").fill(tokens["access"])
    apply(dialog, "bearerAuth")
    return f"Bearer {tokens['access']}"


def apply(dialog: Locator, scheme: str) -> None:
    form = dialog.locator(".auth-container", has_text=scheme)
    form.get_by_role("button", name="Apply credentials").click()
    expect(form).to_contain_text("Authorized")
    form.get_by_role("button", name="Close", exact=True).click()


BOTH = pytest.mark.parametrize("authorise", [by_basic, by_bearer])


@BOTH
def test_orders_are_made_and_listed_with_either_kind_of_credentials(
    page: Page, authorise: Callable[[Page], str]
) -> None:
    page.goto("/swagger/")
    header = authorise(page)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.headers.get("authorization", "")))
    order = {"status": "pending", "products": [{"name": header[:5], "price": "2.50", "quantity": 3}]}
    status, made = executed(opened(page, "createOrder"), json.dumps(order))
    assert (status, made["total_price"], made["user"]) == (201, "7.50", "admin")
    status, listed = executed(opened(page, "listOrders"))
    assert (status, listed[0]["order_id"]) == (200, made["order_id"])
    assert len(sent) == 2
    assert all(value.startswith(header) for value in sent)


def test_the_example_of_a_body_can_be_sent_as_it_is(page: Page) -> None:
    page.goto("/swagger/")
    by_basic(page)
    assert executed(opened(page, "createOrder"))[0] == 201


@BOTH
def test_credentials_are_forgotten_with_the_page(
    page: Page, watch: Watch, authorise: Callable[[Page], str]
) -> None:
    """They stand in no storage, where other pages of this host could read them."""
    watch.expected = (REFUSED,)
    page.goto("/swagger/")
    authorise(page)
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    page.reload()
    status, problem = executed(opened(page, "listOrders"))
    assert (status, problem["code"]) == (401, "not_authenticated")


def test_who_logs_out_of_the_dialog_sends_no_credentials(page: Page, watch: Watch) -> None:
    watch.expected = (REFUSED,)
    page.goto("/swagger/")
    by_basic(page)
    page.get_by_role("button", name="Authorize").first.click()
    page.locator(".modal-ux").get_by_role("button", name="Remove authorization").click()
    page.locator(".modal-ux .close-modal").click()
    assert executed(opened(page, "listOrders"))[0] == 401


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_as_light_or_dark_as_the_system(
    browser: Browser, server: str, watch: Watch, scheme: str
) -> None:
    other = {"light": "dark", "dark": "light"}[scheme]
    with browser_session(browser, server, watch, color_scheme=scheme) as context:
        page = context.new_page()
        page.goto("/swagger/")
        page.locator(".opblock").first.wait_for()
        assert is_dark(page) == (scheme == "dark")
        page.emulate_media(color_scheme=other)  # type: ignore[arg-type]  # one of the two
        # The page hears of it with its next frame.
        expect(page.locator("html.dark-mode")).to_have_count(int(other == "dark"))
        assert is_dark(page) == (scheme != "dark")


def is_dark(page: Page) -> bool:
    """Whether the text is lighter than what it stands on; the two are far apart either way."""
    text, ground = page.evaluate(
        """() => {
            const luminance = (color) => {
                const [red, green, blue] = color.match(/[\\d.]+/g).map(Number);
                return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
            };
            const root = getComputedStyle(document.documentElement).backgroundColor;
            const ground = root === "rgba(0, 0, 0, 0)" ? "rgb(255, 255, 255)" : root;
            const text = getComputedStyle(document.querySelector(".swagger-ui .info .title")).color;
            return [luminance(text), luminance(ground)];
        }"""
    )
    assert abs(text - ground) > 0.6
    return bool(text > ground)


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
