"""Orders from a file, clicked through: chosen, mapped, watched, paused, finished, rejects taken home."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Watch
from tests.browser.test_ad16_accessibility import PHONE, found_by_axe

pytestmark = [pytest.mark.browser, pytest.mark.server]
ORDERS = 2_500
"""Three parts, as a part has a thousand."""


def shop(folder: Path, source: str, orders: int = ORDERS) -> Path:
    """The file of a shop that names its columns as nobody would guess, with two rows that are refused."""
    path = folder / f"{source}.csv"
    rows = [f"{source}-{number};Lamp <b>{number}</b>;2,5;1" for number in range(orders)]
    good = [row.replace("2,5", "2.50") for row in rows]
    path.write_text(
        "\n".join(["Nr;Was;Wieviel kostet es;Stück", *good, rows[0], f"{source}-x;;1;1"]), "utf-8"
    )
    return path


def upload(page: Page, path: Path) -> None:
    page.goto("/admin/orders/")
    page.get_by_role("link", name="Import", exact=True).press("Enter")
    page.get_by_label("File", exact=True).set_input_files(path)
    page.get_by_label("Owner of orders that name none").fill("admin")
    page.get_by_role("button", name="Upload and check").press("Enter")
    expect(page.get_by_role("heading", name="How the file is read")).to_be_visible()


def map_columns(page: Page) -> None:
    """By keyboard alone: a select takes the first letters of what it holds."""
    expect(page.get_by_text("CSV with semicolons between the cells.")).to_be_visible()
    for column, typed in (
        ("Nr", "Order"),
        ("Was", "Product"),
        ("Wieviel kostet es", "Price"),
        ("Stück", "Quantity"),
    ):
        page.get_by_label(column, exact=True).focus()
        page.keyboard.type(typed)
        expect(page.get_by_label(column, exact=True)).to_have_value(
            {"Order": "order", "Product": "name"}.get(typed, typed.lower())
        )


def figure(page: Page, label: str) -> str:
    return page.locator(".facts div", has=page.get_by_text(label, exact=True)).locator("dd").inner_text()


def taken_home(page: Page) -> list[list[str]]:
    """The rejects file, as it is downloaded."""
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the refused rows").click()
    return list(csv.reader(download.value.path().read_text("utf-8").splitlines()))


def is_wider_than_its_page(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def watched(panel: Page) -> list[dict[str, Any]]:
    """Start it, look at it after its first part, pause it in its second; what axe says of the page then."""
    held: list[Route] = []
    parts: list[str] = []

    def hold_the_second(route: Route) -> None:
        parts.append(route.request.url)
        if len(parts) == 2:
            held.append(route)
        else:
            route.continue_()

    panel.route("**/run/", hold_the_second)
    panel.get_by_role("button", name="Import", exact=True).press("Enter")
    bar = panel.get_by_role("progressbar", name="Progress")
    expect(bar).to_have_js_property("value", 1000)
    expect(bar).to_have_js_property("max", ORDERS)
    expect(panel.locator("#far")).to_have_text("1,000 of 2,500 orders")
    expect(panel.get_by_role("status")).to_have_text("1,000 of 2,500 orders")
    expect(panel.get_by_role("button", name="Pause")).to_be_focused()
    barriers = found_by_axe(panel)
    panel.keyboard.press("Enter")
    held[0].continue_()
    expect(panel.get_by_role("status")).to_contain_text("Paused.")
    expect(panel.get_by_role("button", name="Go on")).to_be_focused()
    assert len(parts) == 2
    panel.unroute("**/run/")
    return barriers


@pytest.mark.parametrize("phone", [False, True])
def test_an_import_is_watched_paused_and_gone_on_with(panel: Page, tmp_path: Path, phone: bool) -> None:
    source = "phone" if phone else "desk"
    if phone:
        panel.set_viewport_size(PHONE)
    panel.goto("/admin/orders/import/")
    barriers = {"first page": found_by_axe(panel)}
    upload(panel, shop(tmp_path, source))
    expect(
        panel.get_by_text("Say which column is this: Order number, Product, Price, Quantity.")
    ).to_be_visible()
    barriers["nothing mapped"] = found_by_axe(panel)
    map_columns(panel)
    panel.get_by_role("button", name="Check", exact=True).press("Enter")
    expect(panel.get_by_role("heading", name="Checked: this is what would come in")).to_be_visible()
    assert (figure(panel, "Orders to bring in"), figure(panel, "Lines refused")) == ("2,500", "2")
    expect(panel.get_by_role("cell", name="Lamp <b>0</b>").first).to_be_visible()
    panel.get_by_text("More options").click()
    barriers["checked"] = found_by_axe(panel)
    assert not is_wider_than_its_page(panel)

    barriers["under way"] = watched(panel)

    # Whoever comes back later finds it where it stopped.
    panel.goto("/admin/orders/import/")
    panel.get_by_role("link", name=f"{source}.csv").click()
    expect(panel.get_by_role("progressbar", name="Progress")).to_have_js_property("value", 2000)
    barriers["paused"] = found_by_axe(panel)
    panel.get_by_role("button", name="Go on").press("Enter")
    done = panel.get_by_role("status")
    expect(done).to_have_text("Done. 2,500 orders were brought in. 2 lines were refused.")
    expect(done).to_be_focused()
    barriers["done"] = found_by_axe(panel)
    assert not is_wider_than_its_page(panel)
    rejects = taken_home(panel)
    assert rejects[0] == ["file", "line", "reason", "Nr", "Was", "Wieviel kostet es", "Stück"]
    assert [row[1:3] for row in rejects[1:]] == [
        ["2502", "Wieviel kostet es: Not a valid amount."],
        ["2503", "Was: Must not be empty."],
    ]
    panel.get_by_role("button", name="Remove the file").click()
    expect(panel.get_by_text("The file is removed. What was brought in from it stays.")).to_be_visible()
    assert {place: found for place, found in barriers.items() if found} == {}


def test_a_connection_that_is_lost_and_comes_back(panel: Page, watch: Watch, tmp_path: Path) -> None:
    watch.expected = ("ERR_INTERNET_DISCONNECTED",)
    upload(panel, shop(tmp_path, "train"))
    map_columns(panel)
    panel.get_by_role("button", name="Check", exact=True).press("Enter")
    go = panel.get_by_role("button", name="Import", exact=True)
    expect(go).to_be_visible()
    panel.context.set_offline(True)
    go.click()
    expect(panel.get_by_role("status")).to_contain_text("The server did not answer.", timeout=20_000)
    panel.context.set_offline(False)
    panel.get_by_role("button", name="Go on").click()
    expect(panel.get_by_role("status")).to_contain_text("Done. 2,500 orders were brought in.")


def test_without_scripts_a_press_brings_in_a_part(colleague: Page, tmp_path: Path) -> None:
    upload(colleague, shop(tmp_path, "plain", 1_500))
    map_columns(colleague)
    colleague.get_by_role("button", name="Check", exact=True).click()
    expect(colleague.locator("noscript .hint")).to_be_visible()
    colleague.get_by_role("button", name="Import", exact=True).click()
    expect(colleague.get_by_text("1,000 of 1,500 orders")).to_be_visible()
    colleague.get_by_role("button", name="Go on").click()
    expect(colleague.get_by_role("status")).to_contain_text("Done. 1,500 orders were brought in.")
    assert len(taken_home(colleague)) == 3


def test_too_large_a_file_is_told_before_it_is_sent(panel: Page, tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(33 * 1024 * 1024)
    panel.goto("/admin/orders/import/")
    field = panel.get_by_label("File", exact=True)
    field.set_input_files(path)
    panel.get_by_role("button", name="Upload and check").click()
    assert "larger than 32 MiB" in field.evaluate("field => field.validationMessage")
    assert panel.url.endswith("/admin/orders/import/")
    field.set_input_files(shop(tmp_path, "small", 1))
    panel.get_by_role("button", name="Upload and check").click()
    expect(panel.get_by_role("heading", name="How the file is read")).to_be_visible()


def test_too_large_a_file_without_scripts(colleague: Page, watch: Watch, tmp_path: Path) -> None:
    watch.expected = ("413",)
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(40 * 1024 * 1024)
    colleague.goto("/admin/orders/import/")
    colleague.get_by_label("File", exact=True).set_input_files(path)
    colleague.get_by_role("button", name="Upload and check").click()
    expect(colleague.get_by_text("The file is larger than 32 MiB.")).to_be_visible()
