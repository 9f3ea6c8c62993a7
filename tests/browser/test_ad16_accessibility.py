"""AD16: no page of the panel shuts anybody out: axe-core finds nothing serious, a keyboard is enough."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.browser.conftest import PASSWORD, Watch

pytestmark = [pytest.mark.browser, pytest.mark.server]
PHONE: ViewportSize = {"width": 390, "height": 844}
MOST_STOPS = 200
FOCUSABLE = "a[href], button, input:not([type=hidden]), select, textarea, summary"


def found_by_axe(page: Page) -> list[dict[str, Any]]:
    """What is serious or critical on the page that is shown, shortly."""
    violations = Axe().run(page).response["violations"]
    return [
        {"rule": found["id"], "impact": found["impact"], "where": [node["html"] for node in found["nodes"]]}
        for found in violations
        if found["impact"] in {"serious", "critical"}
    ]


def new_order(page: Page, product: str) -> str:
    """Make an order by the form; its id."""
    page.goto("/admin/orders/new/")
    page.get_by_label("Product of line 1").fill(product)
    page.get_by_label("Price of line 1").fill("2.50")
    page.get_by_label("Quantity of line 1").fill("4")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_role("status")).to_have_text("The order is created.")
    return urlsplit(page.url).query.removeprefix("id=")


def press_tick(page: Page, order_id: str) -> None:
    """Tick an order in the list and ask for its deletion."""
    page.goto("/admin/orders/")
    page.get_by_label(f"Select order …{order_id[-8:]}").check()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("heading", name="Delete: 1 order?")).to_be_visible()


def test_ad16_axe_finds_nothing_on_the_log_in_page(page: Page, watch: Watch) -> None:
    watch.expected = ("403",)
    page.goto("/admin/login/")
    assert found_by_axe(page) == []
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill("mistaken")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    assert found_by_axe(page) == []


@pytest.mark.parametrize("phone", [False, True])
def test_ad16_axe_finds_nothing_on_any_page(panel: Page, watch: Watch, phone: bool) -> None:
    watch.expected = ("404", "422", "405")
    deleted, order = new_order(panel, "Kettle"), new_order(panel, "Cup")
    press_tick(panel, deleted)
    panel.get_by_role("button", name="Delete").click()
    expect(panel.get_by_role("status")).to_contain_text("1 order is changed.")
    if phone:
        panel.set_viewport_size(PHONE)
    panel.goto("/admin/users/")
    user = panel.locator("#content").get_by_role("link", name="admin", exact=True).get_attribute("href")
    assert user is not None
    user_id = urlsplit(user).query.removeprefix("id=")
    barriers: dict[str, list[dict[str, Any]]] = {}
    for path in (
        "",
        "orders/",
        "orders/?is_deleted=true",
        "orders/?search=nothing+matches+this",
        "orders/?min_price=x&status=nope&sort=3&desc=1&page_size=20",
        "orders/new/",
        f"orders/edit/?id={order}",
        f"orders/details/?id={order}",
        f"orders/details/?id={deleted}",
        "users/",
        "users/new/",
        f"users/details/?id={user_id}",
        f"users/edit/?id={user_id}",
        f"users/password/?id={user_id}",
        "events/",
        "events/?order_id=nonsense",
        "orders/details/?id=1",
        "orders/delete/",
    ):
        panel.goto(f"/admin/{path}")
        barriers[path] = found_by_axe(panel)
    # Pages that only a form leads to.
    press_tick(panel, order)
    barriers["confirmation"] = found_by_axe(panel)
    for path in ("orders/new/", f"orders/edit/?id={order}"):
        panel.goto(f"/admin/{path}")
        panel.get_by_label("Price of line 1").fill("-1")
        panel.get_by_label("Total").fill("x")
        panel.get_by_role("button", name="Save", exact=True).last.click()
        expect(panel.locator(".wrong").first).to_be_visible()
        barriers[f"{path} refused"] = found_by_axe(panel)
    panel.goto("/admin/users/new/")
    panel.get_by_label("User name").fill("x")
    panel.get_by_label("Password").fill("short")
    panel.get_by_role("button", name="Save").click()
    expect(panel.locator(".wrong").first).to_be_visible()
    barriers["users/new/ refused"] = found_by_axe(panel)
    assert {path: found for path, found in barriers.items() if found} == {}


@pytest.mark.parametrize("phone", [False, True])
def test_ad16_axe_finds_nothing_on_pages_of_people(panel: Page, watch: Watch, phone: bool) -> None:
    watch.expected = ("404", "422")
    if phone:
        panel.set_viewport_size(PHONE)
    barriers: dict[str, list[dict[str, Any]]] = {}
    for path in (
        "users/",
        "users/?search=nothing+matches+this",
        "events/?who=admin",
        "events/?who=nobody",
        "audit/",
        "audit/?who=nobody",
        "me/",
        "login/password/never-made/",
    ):
        panel.goto(f"/admin/{path}")
        barriers[path] = found_by_axe(panel)
    panel.goto("/admin/users/?search=admin")
    panel.get_by_role("cell").get_by_role("link", name="admin", exact=True).click()
    panel.get_by_role("button", name="Make a one-time link").click()
    barriers["a link that was made"] = found_by_axe(panel)
    panel.goto(panel.get_by_label("Link", exact=True).input_value())
    barriers["the page of the link"] = found_by_axe(panel)
    panel.get_by_label("New password", exact=True).fill("short")
    panel.get_by_label("New password, again").fill("another")
    panel.get_by_role("button", name="Set the password").click()
    expect(panel.locator(".wrong").first).to_be_visible()
    barriers["the page of the link refused"] = found_by_axe(panel)
    panel.goto("/admin/me/")
    panel.get_by_label("Time zone", exact=True).fill("Mars/Crater")
    panel.get_by_role("button", name="Save").click()
    expect(panel.locator(".wrong").first).to_be_visible()
    barriers["me/ refused"] = found_by_axe(panel)
    assert {path: found for path, found in barriers.items() if found} == {}


def tab_to(page: Page, wanted: Locator) -> None:
    """Press the tabulator key until this has the focus, which must then be seen."""
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            outline = wanted.evaluate("element => getComputedStyle(element).outlineStyle")
            assert outline != "none"
            return
    raise AssertionError(f"the keyboard does not get to {wanted}")


def press(page: Page, role: Any, name: str | re.Pattern[str]) -> None:
    """Go to a link or a button by keyboard, and press it."""
    tab_to(page, page.get_by_role(role, name=name, exact=isinstance(name, str)).last)
    page.keyboard.press("Enter")


def test_ad16_the_keyboard_is_enough(page: Page) -> None:
    page.goto("/admin/")
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type("admin")
    tab_to(page, page.get_by_label("Password"))
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Today", exact=True)).to_be_visible()
    press(page, "link", "New order")
    for label, text in (("Product", "By hand"), ("Price", "2"), ("Quantity", "3")):
        tab_to(page, page.get_by_label(f"{label} of line 1"))
        page.keyboard.type(text)
    press(page, "button", "Add a line")
    press(page, "button", "Remove line 4")
    press(page, "button", "Save")
    expect(page.get_by_role("status")).to_have_text("The order is created.")
    order_id = urlsplit(page.url).query.removeprefix("id=")
    press(page, "button", "Confirm")
    expect(page.get_by_role("status")).to_have_text("The order is now confirmed.")
    press(page, "link", "Edit")
    tab_to(page, page.get_by_label("Status"))
    page.keyboard.type("can")
    press(page, "button", "Save")
    expect(page.get_by_role("status")).to_have_text("The order is saved.")
    press(page, "link", "All orders")
    tab_to(page, page.get_by_label("Search"))
    page.keyboard.type("By hand")
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label(f"Select order …{order_id[-8:]}"))
    page.keyboard.press("Space")
    press(page, "button", "Delete")
    press(page, "button", "Delete")
    expect(page.get_by_role("status")).to_contain_text("1 order is changed.")
    press(page, "button", "Log out")
    expect(page.get_by_role("status")).to_have_text("You are logged out.")


@pytest.mark.parametrize("path", ["", "orders/", "orders/new/", "users/", "events/", "audit/", "me/"])
def test_ad16_everything_that_can_be_pressed_is_reached_by_keyboard(panel: Page, path: str) -> None:
    panel.goto(f"/admin/{path}?page_size=20")
    wanted = panel.locator(FOCUSABLE).evaluate_all(
        """elements => elements
            .filter(element => element.tabIndex >= 0 && !element.disabled && element.checkVisibility())
            .map((element, number) => { element.dataset.stop = number; return element.dataset.stop; })"""
    )
    assert wanted
    seen: list[str] = []
    while seen[-1:] != wanted[-1:] and len(seen) <= len(wanted):
        panel.keyboard.press("Tab")
        stop = panel.evaluate("document.activeElement.dataset.stop")
        # A date is made of several parts, each of which is a stop of its own.
        seen += [stop] if seen[-1:] != [stop] else []
    assert seen == wanted, "each once, in the order in which they stand on the page"
