"""Lists that change in place: no new page, and all else as if there had been one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests import factories
from tests.browser.conftest import PASSWORD, Watch
from tests.browser.test_panel import new_order
from tests.callers import ORDERS, basic

ORDERS_LIST = re.compile(r"/admin/orders/(\?|$)")
pytestmark = [pytest.mark.browser, pytest.mark.server]


@pytest.fixture
def product(panel: Page) -> str:
    """A name that 25 orders have, each of another total."""
    name = f"Thimble {uuid4().hex[:8]}"
    for number in range(25):
        line = factories.line(name=name, price=str(number + 1), quantity=1)
        body = factories.body(products=[line], status="confirmed" if number % 5 else "pending")
        sent = panel.request.post(ORDERS, data=body, headers={"Authorization": basic("admin", PASSWORD)})
        assert sent.status == 201, sent.text()
    return name


@pytest.fixture
def listed(panel: Page, product: str) -> Iterator[Page]:
    """The list of these orders, twenty a page; it is still the same document in the end."""
    panel.goto(f"/admin/orders/?product={product}&page_size=20")
    panel.evaluate("window.isTheSame = true")
    yield panel
    assert panel.evaluate("window.isTheSame") is True


def totals(page: Page) -> list[str]:
    return page.locator("td[data-label=Total]").all_inner_texts()


def test_filtering_sorting_and_paging_change_the_list_alone(listed: Page, product: str) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.resource_type)

    listed.on("request", note)
    rows = listed.locator("tbody tr")
    listed.get_by_role("link", name="Total").click()
    expect(listed.locator("th[aria-sort=ascending]")).to_have_text(re.compile("Total"))
    assert totals(listed)[:2] == ["1.00", "2.00"]
    expect(listed.get_by_role("link", name="Total")).to_be_focused()
    expect(listed.locator("#told")).to_have_text(re.compile(r"^Orders 25 · 325\.00 in all\. Page 1 of 2$"))

    listed.get_by_role("link", name="Next").click()
    expect(listed.get_by_text("Page 2 of 2", exact=True)).to_be_visible()
    assert totals(listed) == ["21.00", "22.00", "23.00", "24.00", "25.00"]
    # What was clicked is gone, so one is at the beginning of the list.
    expect(listed.get_by_role("heading", level=1)).to_be_focused()
    expect(listed.locator("#told")).to_have_text(re.compile(r"Page 2 of 2$"))

    listed.get_by_role("link", name="50", exact=True).click()
    expect(rows).to_have_count(25)
    expect(listed.locator("#size-50")).to_be_focused()

    listed.get_by_label("pending").check()
    listed.get_by_role("textbox", name="Product").press("Enter")
    expect(rows).to_have_count(5)
    expect(
        listed.get_by_role("heading", level=1)
    ).to_be_focused()  # where the keys of the list are no letters
    expect(listed.get_by_label("pending")).to_be_checked()
    expect(listed.locator("#told")).to_have_text(re.compile(r"^Orders 5 "))
    assert f"status=pending&product={product.replace(' ', '+')}&sort=3" in listed.url
    assert "reference" not in listed.url
    # No page, no script, no style was asked for; the browser alone looks for the icon of each new address.
    assert [kind for kind in asked if kind != "other"] == ["fetch"] * 4


def test_a_filter_that_cannot_be_read_has_the_focus(listed: Page) -> None:
    listed.get_by_text("More filters").click()
    listed.get_by_label("Total to").fill("much")
    listed.get_by_role("button", name="Apply").click()
    expect(listed.get_by_label("Total to")).to_be_focused()
    expect(listed.get_by_text("Not a valid amount.")).to_be_visible()
    expect(listed.locator("#told")).to_have_text(re.compile("Page 1 of 2"))
    listed.get_by_role("link", name="Next").click()
    expect(listed.get_by_role("heading", level=1)).to_be_focused()


def test_back_forward_and_reload_lead_where_they_should(listed: Page) -> None:
    began = listed.url
    listed.get_by_role("link", name="Total").click()
    expect(listed.locator("th[aria-sort]")).to_have_count(1)
    listed.get_by_role("link", name="Next").click()
    expect(listed.get_by_text("Page 2 of 2", exact=True)).to_be_visible()
    second = listed.url
    listed.go_back()
    expect(listed.get_by_text("Page 1 of 2", exact=True)).to_be_visible()
    assert totals(listed)[0] == "1.00"
    listed.go_back()
    expect(listed.locator("th[aria-sort]")).to_have_count(0)
    expect(listed).to_have_url(began)
    listed.go_forward()
    listed.go_forward()
    expect(listed.get_by_text("Page 2 of 2", exact=True)).to_be_visible()
    expect(listed).to_have_url(second)
    # To a page of its own, and back to the list as it was left.
    listed.locator("tbody a.id").first.click()
    expect(listed).to_have_url(re.compile("/details/"))
    listed.go_back()
    expect(listed.get_by_text("Page 2 of 2", exact=True)).to_be_visible()
    expect(listed.get_by_role("heading", level=1)).to_contain_text("Orders 25")
    listed.reload()
    assert totals(listed)[0] == "21.00"
    listed.evaluate("window.isTheSame = true")


def test_rows_of_the_new_list_are_ticked_and_walked_through(listed: Page) -> None:
    listed.get_by_role("link", name="Next").click()
    expect(listed.get_by_text("Page 2 of 2", exact=True)).to_be_visible()
    delete = listed.get_by_role("button", name="Delete", exact=True)
    expect(delete).to_be_disabled()
    listed.keyboard.press("j")
    listed.keyboard.press("x")
    expect(delete).to_be_enabled()
    expect(listed.locator("#ticked")).to_have_text("1")
    listed.get_by_label("Select all on this page").check()
    expect(listed.locator("#ticked")).to_have_text("5")
    listed.keyboard.press("[")
    expect(listed.get_by_text("Page 1 of 2", exact=True)).to_be_visible()
    expect(listed.locator("#ticked")).to_have_text("")


def test_a_link_opens_in_another_tab_where_that_is_wanted(listed: Page) -> None:
    with listed.context.expect_page() as opened:
        listed.get_by_role("link", name="Total").click(modifiers=["Control"])
    expect(opened.value.locator("th[aria-sort]")).to_have_count(1)
    expect(listed.locator("th[aria-sort]")).to_have_count(0)


def test_while_it_is_fetched_the_list_is_busy_and_the_last_click_counts(listed: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    listed.route(ORDERS_LIST, hold)
    listed.get_by_role("link", name="Total").click()
    expect(listed.locator("#list")).to_have_attribute("aria-busy", "true")
    expect(listed.locator("#list")).to_have_class("htmx-request")
    listed.get_by_role("link", name="Status").click()
    while len(held) < 2:
        listed.wait_for_timeout(20)
    held[1].continue_()
    expect(listed.locator("th[aria-sort]")).to_have_text(re.compile("Status"))
    expect(listed.locator("#list")).not_to_have_attribute("aria-busy", "true")
    assert "sort=2" in listed.url


def test_a_server_that_cannot_be_reached_leaves_the_list(listed: Page, watch: Watch) -> None:
    watch.expected = ("Failed to fetch", "ERR_FAILED")
    before, address = totals(listed), listed.url
    listed.route(ORDERS_LIST, lambda route: route.abort())
    listed.get_by_role("link", name="Total").click()
    expect(listed.get_by_role("alert")).to_have_text("The server cannot be reached at the moment. Try again.")
    assert (totals(listed), listed.url) == (before, address)
    listed.unroute(ORDERS_LIST)
    listed.get_by_role("link", name="Total").click()
    expect(listed.locator("th[aria-sort]")).to_have_count(1)
    expect(listed.get_by_role("alert")).to_have_count(0)


def test_an_answer_that_is_no_list_is_shown_as_the_page_that_it_is(panel: Page, watch: Watch) -> None:
    watch.expected = ("503",)
    panel.goto("/admin/users/")
    page = "<title>Closed</title><h1>Closed for today</h1>"
    panel.route(
        re.compile(r"/admin/users/(\?|$)"),
        lambda route: route.fulfill(status=503, content_type="text/html", body=page),
    )
    panel.get_by_role("button", name="Apply").click()
    expect(panel.get_by_role("heading", name="Closed for today")).to_be_visible()


def test_who_is_logged_out_meanwhile_gets_to_the_log_in_page(panel: Page) -> None:
    panel.goto("/admin/orders/")
    other = panel.context.new_page()
    other.goto("/admin/")
    other.get_by_role("button", name="Log out").click()
    expect(other.get_by_role("heading", name="Log in")).to_be_visible()
    panel.get_by_role("link", name="Created").click()
    expect(panel.get_by_role("heading", name="Log in")).to_be_visible()
    expect(panel).to_have_url(re.compile(r"/admin/login/\?next=/admin/orders/"))


@pytest.mark.parametrize("path", ["users/", "events/", "audit/"])
def test_other_lists_change_in_place_too(panel: Page, path: str) -> None:
    new_order(panel, "Thimble")
    panel.goto(f"/admin/{path}")
    panel.evaluate("window.isTheSame = true")
    panel.get_by_role("link", name="20", exact=True).click()
    expect(panel.locator("#size-20")).to_be_focused()
    expect(panel).to_have_url(re.compile("page_size=20"))
    field = (
        panel.locator(".filters input:not([type=hidden])").last
        if path != "users/"
        else panel.get_by_label("Search")
    )
    field.fill("nobody-of-this-name")
    field.press("Enter")
    expect(panel.locator(".empty")).to_be_visible()
    expect(panel.locator("#told")).to_have_text(re.compile("0.*matches", re.DOTALL))
    panel.get_by_role("link", name="Clear").click()
    expect(panel.locator("tbody tr").first).to_be_visible()
    assert panel.evaluate("window.isTheSame") is True


def test_without_javascript_the_same_links_lead_to_pages(colleague: Page, product: str) -> None:
    colleague.goto(f"/admin/orders/?product={product}&page_size=20")
    colleague.get_by_role("link", name="Total").click()
    assert totals(colleague)[0] == "1.00"
    colleague.get_by_role("link", name="Next").click()
    assert totals(colleague)[0] == "21.00"
    colleague.go_back()
    assert totals(colleague)[0] == "1.00"
    colleague.get_by_label("pending").check()
    colleague.get_by_role("button", name="Apply").click()
    assert totals(colleague) == ["1.00", "6.00", "11.00", "16.00", "21.00"]


@pytest.mark.parametrize("who", ["panel", "colleague"])
def test_columns_are_chosen(request: pytest.FixtureRequest, who: str, product: str) -> None:
    page: Page = request.getfixturevalue(who)
    page.goto(f"/admin/orders/?product={product}&page_size=20&page=1")
    headings = page.locator("thead th:not(.pick)")
    usual = headings.all_inner_texts()
    menu = page.locator("details.menu", has_text="Columns of the list")
    menu.locator("summary").click()
    expect(menu.get_by_label("Order (always)")).to_be_disabled()
    for name in usual[1:]:
        menu.get_by_label(name, exact=True).uncheck()
    menu.get_by_label("Products").check()
    menu.get_by_role("button", name="Show these").click()
    expect(headings).to_have_text(["Order", "Products"])
    expect(page.locator("tbody tr")).to_have_count(5)
    expect(page.locator("td[data-label=Products]").first).to_have_text(product)
    menu.locator("summary").click()
    menu.get_by_role("button", name="The usual ones").click()
    expect(headings).to_have_text(usual)


def test_a_menu_closes_by_escape_and_by_a_click_beside_it(panel: Page) -> None:
    panel.goto("/admin/orders/")
    menu = panel.locator("details.menu", has_text="Columns of the list")
    fields = menu.get_by_role("group")
    menu.locator("summary").click()
    expect(fields).to_be_visible()
    menu.get_by_label("Version").check()
    expect(fields).to_be_visible()
    panel.keyboard.press("Escape")
    expect(fields).to_be_hidden()
    expect(menu.locator("summary")).to_be_focused()
    panel.keyboard.press("Enter")
    expect(fields).to_be_visible()
    panel.get_by_role("heading", level=1).click()
    expect(fields).to_be_hidden()
