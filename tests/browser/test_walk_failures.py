"""What is seen in the panel when something fails on our side, or too much is asked, in both languages."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests import shop as shops
from tests.browser.conftest import Watch
from tests.browser.test_walk import EVERYWHERE, walking
from tests.browser.walking import Walk
from tests.server.processes import ServerProcess, serving
from tests.shop import Shop, open_shop

pytestmark = [pytest.mark.browser, pytest.mark.server]
GO_BACK = "Your browser may still have what you typed: go back to try again."
PLACES = ("English, desktop", "Russian, phone")


@pytest.fixture(scope="module")
def failing(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of its own, which soon gives up on a database that is locked, and on wrong passwords."""
    with serving(
        tmp_path_factory.mktemp("failing"),
        DATABASE_TIMEOUT_SECONDS="1",
        LOGIN_FAILURES_PER_ACCOUNT=str(shops.FAILED),
    ) as running:
        yield running


@pytest.fixture(scope="module")
def its_shop(failing: ServerProcess) -> Shop:
    return open_shop(failing)


@pytest.fixture(params=PLACES)
def walk(
    request: pytest.FixtureRequest, browser: Browser, failing: ServerProcess, its_shop: Shop, watch: Watch
) -> Iterator[Walk]:
    address = f"http://127.0.0.1:{failing.port}"
    with walking(browser, address, its_shop, watch, "admin", **EVERYWHERE[request.param]) as walk:
        watch.expected = ("403", "429", "500", "503")
        yield walk


@contextmanager
def database(server: ServerProcess) -> Iterator[sqlite3.Connection]:
    path = Path(server.environment["DATABASE_URL"].removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


@contextmanager
def spoilt(server: ServerProcess, order_id: str) -> Iterator[None]:
    """An order's time of its last change is no time."""
    read = "SELECT updated_at FROM orders WHERE id = replace(?, '-', '')"
    write = "UPDATE orders SET updated_at = ? WHERE id = replace(?, '-', '')"
    with database(server) as connection:
        (time,) = connection.execute(read, (order_id,)).fetchone()
        connection.execute(write, ("never", order_id))
        try:
            yield
        finally:
            connection.execute(write, (time, order_id))


def test_too_many_wrong_passwords(walk: Walk) -> None:
    """429: it stands above the form, and says for how long."""
    walk.page.goto("/admin/")
    for _ in range(shops.FAILED + 1):
        walk.page.locator("[name=username]").fill(f"nobody-{walk.words.language}")
        walk.page.locator("[name=password]").fill("not the password")
        walk.button("Log in").click()
        expect(walk.page.locator("[name=password]")).to_have_value("")
    sentence = walk.words("Too many failed log-ins. Please try again in %(seconds)s seconds.", seconds="99")
    said = re.escape(sentence).replace("99", r"\d+")
    expect(walk.page.get_by_role("alert")).to_have_text(re.compile(said))
    walk.look("too many log-ins")


def test_a_database_that_is_locked(walk: Walk, failing: ServerProcess, its_shop: Shop) -> None:
    """503: nothing is changed, pages are still shown, what was typed is not lost, and later it works."""
    walk.log_in()
    walk.go(f"/admin/orders/details/?id={its_shop.noted}")
    note = f"Kept for later, {walk.words.language}."
    with database(failing) as held:
        held.execute("BEGIN IMMEDIATE")
        walk.page.locator("#note").fill(note)
        walk.button("Write it down").click()
        expect(walk.page.locator(".code")).to_have_text("503")
        expect(walk.page.get_by_text(walk.words(GO_BACK))).to_be_visible()
        walk.look("the database is locked")
        walk.page.go_back()
        expect(walk.page.locator("#note")).to_have_value(note)
        walk.page.reload()
        walk.look("an order while the database is locked")
        expect(walk.page.locator("blockquote", has_text=note)).to_have_count(0)
    walk.page.locator("#note").fill(note)
    walk.button("Write it down").click()
    walk.told("The note is written down.")


def test_an_error_of_ours(walk: Walk, failing: ServerProcess, its_shop: Shop) -> None:
    """500: an id to tell to whoever keeps the service, and a way back."""
    walk.log_in()
    with spoilt(failing, its_shop.confirmed):
        walk.go(f"/admin/orders/details/?id={its_shop.confirmed}", 500)
        expect(walk.page.locator(".code")).to_have_text("500")
    walk.link("To the first page").click()
    expect(walk.page.get_by_role("heading", name=walk.words("Today"), exact=True)).to_be_visible()
