"""Every action of the panel, in both languages, on a desk and on a phone, with a real shop's days in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests import shop as shops
from tests.browser.conftest import Watch, browser_session
from tests.browser.test_ad16_accessibility import tab_to
from tests.browser.test_walk import walking
from tests.browser.walking import DESKTOP, MADE, PHONE, Walk, Words
from tests.callers import ORDERS, USERS
from tests.server.processes import ServerProcess
from tests.shop import Shop

pytestmark = [pytest.mark.browser, pytest.mark.server]
REFUSED = ("400", "403", "404", "405", "409", "422")
NEW_PASSWORD = "a password of my own"
PLACES = {
    "English, desktop": ("anna", {"locale": "en-GB", "viewport": DESKTOP}),
    "Russian, desktop": ("boris", {"locale": "ru-RU", "viewport": DESKTOP}),
    "English, phone": ("clara", {"locale": "en-GB", "viewport": PHONE}),
    "Russian, phone": ("dmitri", {"locale": "ru-RU", "viewport": PHONE}),
}


@pytest.fixture(params=PLACES)
def walk(
    request: pytest.FixtureRequest,
    browser: Browser,
    address: str,
    open_for_business: ServerProcess,
    shop: Shop,
    watch: Watch,
) -> Iterator[Walk]:
    """An admin of their own, logged in."""
    name, options = PLACES[request.param]
    body = {"username": name, "password": shops.PASSWORD, "role": "admin"}
    assert open_for_business.as_admin("POST", USERS, body).status in {201, 409}
    with walking(browser, address, shop, watch, name, **options) as walk:
        watch.expected = REFUSED
        walk.log_in()
        yield walk


def line_field(walk: Walk, what: str, number: int = 1) -> Locator:
    return walk.field("%(what)s of line %(number)s", what=walk.words(what), number=number)


def make_orders(server: ServerProcess, number: int) -> list[str]:
    body = {"products": [{"name": MADE, "price": "2.50", "quantity": 4}]}
    return [str(server.as_admin("POST", ORDERS, body).json()["order_id"]) for _ in range(number)]


def test_an_order(walk: Walk, open_for_business: ServerProcess) -> None:
    page = walk.page
    walk.link("New order").click()
    walk.button("Save").click()
    expect(page.locator(".error").first).to_be_visible()
    walk.look("a new order refused")
    for what, text in (("Product", MADE), ("Price", "2.50"), ("Quantity", "4")):
        line_field(walk, what).fill(text)
    walk.button("Save").click()
    walk.told("The order is created.")
    order_id = page.url.partition("id=")[2]

    walk.link("Edit").click()
    expect(page.locator("#order-lines form")).to_be_visible()
    walk.look("edited in place")
    line_field(walk, "Quantity").fill("5")
    walk.button("Add a line").click()
    walk.button("Save").click()
    walk.told("The order is saved.")
    expect(page.locator("#order-lines")).to_contain_text(walk.words("Sum of the lines"))

    page.locator("#note").fill("Blue paper, please.")
    walk.button("Write it down").click()
    walk.told("The note is written down.")
    expect(page.locator("blockquote")).to_have_text("Blue paper, please.")

    another = page.context.new_page()
    another.goto(page.url)
    another.get_by_role("button", name=walk.words("Confirm"), exact=True).click()
    expect(another.get_by_role("status")).to_be_visible()
    another.close()
    walk.button("Confirm").click()
    expect(page.get_by_role("alert")).to_be_visible()
    walk.look("a button of a page that is out of date")

    walk.link("Edit").click()
    line_field(walk, "Quantity").fill("6")
    status = open_for_business.as_admin("PATCH", f"{ORDERS}{order_id}/", {"total_price": "1.00"}).status
    assert status == 200
    walk.button("Save").click()
    expect(page.locator(".meanwhile")).to_be_visible()
    walk.look("overtaken")
    walk.button("Save my entries over it").click()
    walk.told("The order is saved.")
    walk.button("Complete").click()
    walk.told("The order is now %(status)s.", status=walk.words("completed"))
    with page.expect_navigation():
        walk.link("Print").click()
    walk.look("paper")


def test_an_order_that_is_not_wanted(walk: Walk, open_for_business: ServerProcess) -> None:
    (order_id,) = make_orders(open_for_business, 1)
    page = walk.page
    page.goto(f"/admin/orders/details/?id={order_id}")
    page.locator("[data-open=delete]").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    walk.look("asked for a reason")
    walk.field("Reason", dialog).fill("Entered twice.")
    walk.button("Delete", dialog).click()
    walk.told("The order is deleted. It is kept, and can be restored here.")
    walk.button("Restore").click()
    walk.told("The order is restored.")
    page.locator("[data-open=cancel]").click()
    walk.field("Reason", dialog).fill("Out of stock.")
    walk.button("Cancel the order", dialog).click()
    walk.told("The order is now %(status)s.", status=walk.words("cancelled"))
    expect(page.locator("blockquote")).to_have_text(["Out of stock.", "Entered twice."])


def test_many_orders_at_once(walk: Walk, open_for_business: ServerProcess) -> None:
    made = make_orders(open_for_business, 3)
    found = f"/admin/orders/?search={made[0]}"
    walk.page.goto("/admin/orders/?page_size=20")
    boxes = walk.page.locator("td.pick input")
    boxes.nth(6).click()
    boxes.nth(2).click(modifiers=["Shift"])
    expect(walk.page.locator("td.pick input:checked")).to_have_count(5)

    def with_all(action: str) -> None:
        page = walk.page
        page.goto(f"/admin/orders/?product={MADE}&user=admin&sort=5&desc=1")
        for order_id in made:
            page.locator(f'[value^="{order_id}@"]').check()
        walk.look("ticked")
        walk.button(action).click()

    with_all("Confirm")
    walk.told("%(num)d order is changed.", "%(num)d orders are changed.", 3)
    with_all("Cancel the order")
    for_three = walk.words("%(num)d order", "%(num)d orders", 3)
    expect(
        walk.page.get_by_role("heading", name=f"{walk.words('Cancel the order')}: {for_three}")
    ).to_be_visible()
    walk.look("asked whether to cancel")
    walk.field("Reason").fill("The supplier has none left.")
    walk.button("Cancel the order").click()
    walk.told("%(num)d order is changed.", "%(num)d orders are changed.", 3)
    with_all("Complete")
    walk.told("%(num)d is left as it is.", "%(num)d are left as they are.", 3)
    with_all("Delete")
    walk.button("Delete").click()
    walk.told("%(num)d order is changed.", "%(num)d orders are changed.", 3)
    walk.go(found)
    expect(walk.page.locator("td.pick")).to_have_count(0)
    walk.page.goto(f"{found}&is_deleted=true")
    walk.page.locator("td.pick input").check()
    walk.button("Restore").click()
    walk.told("%(num)d order is changed.", "%(num)d orders are changed.", 1)


def test_views_and_files(walk: Walk, tmp_path: Path) -> None:
    page = walk.page
    page.goto("/admin/orders/")
    walk.field("Search").fill("heart")
    walk.field("pending").check()
    walk.button("Apply").click()
    page.get_by_text(walk.words("Keep this view"), exact=True).click()
    walk.field("Name of the view").fill(walk.name)
    walk.look("a view to be kept")
    walk.field("Shared with all admins").check()
    walk.button("Keep it").click()
    walk.told("The view “%(name)s” is kept.", name=walk.name)
    page.goto("/admin/orders/")
    page.locator(".kept").get_by_role("link", name=walk.name).click()
    expect(walk.field("Search")).to_have_value("heart")
    shown = page.locator("tbody tr").count()
    assert shown > 1

    for kind, begins in (("csv", b"order"), ("jsonl", b'{"order_id":'), ("xlsx", b"PK")):
        page.locator("details.menu", has=page.locator("a[download]")).locator("summary").click()
        with page.expect_download() as download:
            page.locator(f'a[download][href*="format={kind}"]').click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        assert path.suffix == f".{kind}"
        assert path.read_bytes().removeprefix(b"\xef\xbb\xbf").startswith(begins)
        if kind == "jsonl":
            orders = [json.loads(line) for line in path.read_text().splitlines()]
            assert {order["status"] for order in orders} == {"pending"}
            assert len(orders) == shown
        page.goto(page.url)

    walk.button("Forget this view").click()
    walk.told("The view is forgotten.")


def test_a_person(walk: Walk, browser: Browser, address: str, watch: Watch) -> None:
    page, name = walk.page, f"new-{walk.name}"
    walk.link("People").click()
    walk.link("New user").click()
    walk.field("User name").fill("x:y")
    walk.button("Save").click()
    expect(page.locator(".error").first).to_be_visible()
    walk.look("a new user refused")
    walk.field("User name").fill(name)
    walk.page.locator("[name=role]").select_option("admin")
    walk.button("Save").click()
    walk.told("The user %(name)s is created.", name=name)
    walk.button("Make a one-time link").click()
    link = walk.field("Link").input_value()
    walk.look("a link")
    options = {"locale": walk.words.language, "viewport": page.viewport_size}
    with browser_session(browser, address, watch, **options) as context:
        theirs = Walk(context.new_page(), walk.words, walk.shop, name)
        theirs.go(link)
        for label in ("New password", "New password, again"):
            theirs.field(label).fill(NEW_PASSWORD)
        theirs.button("Set the password").click()
        expect(theirs.page.get_by_role("heading", name=walk.words("Your password is set"))).to_be_visible()
        theirs.look("a link used")
        theirs.go(link, 404)
        theirs.log_in(NEW_PASSWORD)
        page.goto("/admin/users/?search=" + name)
        page.get_by_role("cell").get_by_role("link", name=name, exact=True).click()
        walk.button("End all log-ins").click()
        walk.told("%(num)d log-in has ended.", "%(num)d log-ins have ended.", 1)
        theirs.page.reload()
        theirs.told("Your log-in has ended. Please log in again.")
        assert not theirs.found, "\n".join(theirs.found)
    walk.button("Disable").click()
    walk.told("%(name)s is disabled and logged out.", name=name)
    walk.button("Enable").click()
    walk.told("%(name)s may log in again.", name=name)
    walk.link("Edit").click()
    page.locator("[name=role]").select_option("user")
    walk.button("Save").click()
    walk.told("The user %(name)s is saved.", name=name)
    walk.link("Set a password").click()
    walk.field("New password").fill("short")
    walk.button("Save").click()
    expect(page.locator(".error").first).to_be_visible()
    walk.look("a password refused")
    walk.field("New password").fill(NEW_PASSWORD)
    walk.button("Save").click()
    walk.told("%(name)s has a new password.", name=name)


def test_ones_own_account(walk: Walk, browser: Browser, address: str, shop: Shop, watch: Watch) -> None:
    page = walk.page
    own, other = walk.words, Words("en" if walk.words.language == "ru" else "ru")
    page.locator("a.who").click()
    for words, zone in ((other, "Asia/Tokyo"), (own, "")):
        page.locator("#locale").select_option(words.language)
        page.locator("#time_zone").fill(zone)
        walk.button("Save").click()
        walk.words = words
        walk.told("Your preferences are saved.")
        expect(page.locator(".foot")).to_contain_text(zone or shop.time_zone)
    with browser_session(browser, address, watch, locale=own.language) as context:
        elsewhere = Walk(context.new_page(), own, shop, walk.name)
        elsewhere.log_in()
        page.reload()
        walk.look("logged in elsewhere")
        others = page.locator("tbody tr").count() - 1
        walk.button("End all others").click()
        walk.told("%(num)d other log-in has ended.", "%(num)d other log-ins have ended.", others)
        elsewhere.page.reload()
        expect(elsewhere.page.locator("[name=password]")).to_be_visible()
    for present in ("mistaken", shops.PASSWORD):
        walk.field("Present password").fill(present)
        for label in ("New password", "New password, again"):
            walk.field(label).fill(NEW_PASSWORD)
        walk.button("Change the password").click()
        walk.look(f"a new password: {present}")
    expect(page.get_by_role("status")).to_be_visible()
    walk.log_in(NEW_PASSWORD)
    # As it was, for whoever walks here next.
    page.goto("/admin/me/")
    walk.field("Present password").fill(NEW_PASSWORD)
    for label in ("New password", "New password, again"):
        walk.field(label).fill(shops.PASSWORD)
    walk.button("Change the password").click()
    walk.log_in()
    walk.button("Log out").click()
    walk.told("You are logged out.")
    page.go_back()
    page.reload()
    expect(page.locator("[name=password]")).to_be_visible()


def test_an_order_is_found_corrected_and_confirmed_with_keys_alone(
    browser: Browser, address: str, open_for_business: ServerProcess, shop: Shop, watch: Watch
) -> None:
    """By somebody who knows the keys; one who knows none walks in `test_ad16_accessibility.py`."""
    make_orders(open_for_business, 2)
    with walking(browser, address, shop, watch) as walk:
        walk.log_in()
        page, keys = walk.page, walk.page.keyboard
        keys.type("go")
        expect(page).to_have_url(re.compile("/admin/orders/$"))
        expect(page.get_by_role("heading", level=1)).to_contain_text("Orders")
        page.wait_for_load_state()
        keys.press("/")
        expect(walk.field("Search")).to_be_focused()
        keys.type("the way")
        keys.press("Enter")
        expect(page.locator("tbody tr").first).to_be_visible()
        expect(page).to_have_url(re.compile("search=the"))
        expect(walk.link("Clear")).to_be_visible()  # the list has come: it has nothing to clear before
        keys.press("j")
        keys.press("j")
        here = page.locator("tr.here a.id")
        expect(here).to_be_focused()
        order = here.get_attribute("title")
        keys.press("Enter")
        expect(page.get_by_role("heading", name=f"Order {order}")).to_be_visible()
        page.wait_for_load_state()
        keys.press("e")
        quantity = line_field(walk, "Quantity")
        expect(quantity).to_be_visible()
        tab_to(page, quantity)
        keys.type("7")
        keys.press("Enter")
        walk.told("The order is saved.")
        expect(page.locator("#order-lines")).to_contain_text("17.50")
        tab_to(page, walk.button("Confirm"))
        keys.press("Enter")
        walk.told("The order is now %(status)s.", status="confirmed")
        tab_to(page, walk.link("Back to the list"))
        keys.press("Enter")
        expect(page.locator("tbody")).to_contain_text("17.50")
        expect(walk.field("Search")).to_have_value("the way")
