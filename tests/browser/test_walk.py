"""Every page of the panel, in both languages, on a desk and on a phone, with a real shop's days in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests import shop as shops
from tests.browser.conftest import Watch, browser_session
from tests.browser.walking import API, DESKTOP, LISTS, PHONE, Walk, Words, pages
from tests.callers import USERS
from tests.server.processes import BACKENDS, ServerProcess
from tests.shop import Shop

pytestmark = [pytest.mark.browser, pytest.mark.server]
REFUSED = ("400", "403", "404", "405")
EVERYTHING: dict[str, Any] = {}
COLOURS: dict[str, Any] = {"runOnly": ["color-contrast"]}


@contextmanager
def walking(
    browser: Browser, address: str, shop: Shop, watch: Watch, name: str = shops.ADMIN, **options: Any
) -> Iterator[Walk]:
    """A walk in a browser of its own; at its end nothing may be wrong."""
    axe = options.pop("axe", None)
    watch.expected = REFUSED
    with browser_session(browser, address, watch, timezone_id=shop.time_zone, **options) as context:
        walk = Walk(context.new_page(), Words(options.get("locale", "en")[:2]), shop, name, axe)
        yield walk
        assert not walk.found, "\n".join(walk.found)


EVERYWHERE: dict[str, dict[str, Any]] = {
    "English, desktop": {"locale": "en-GB", "viewport": DESKTOP, "axe": EVERYTHING},
    "Russian, desktop, dark": {
        "locale": "ru-RU",
        "viewport": DESKTOP,
        "color_scheme": "dark",
        "axe": COLOURS,
    },
    "English, phone": {"locale": "en-GB", "viewport": PHONE},
    "Russian, phone": {"locale": "ru-RU", "viewport": PHONE, "axe": EVERYTHING},
}
_SQLITE, _POSTGRESQL = BACKENDS
EVERY_PLACE = [
    *((_SQLITE, where) for where in EVERYWHERE),
    # What the languages and sizes look like does not depend on what stands behind them.
    pytest.param(*_POSTGRESQL.values, "English, desktop", marks=_POSTGRESQL.marks),
]


@pytest.mark.parametrize(("open_for_business", "where"), EVERY_PLACE, indirect=["open_for_business"])
def test_every_page(
    browser: Browser, address: str, open_for_business: ServerProcess, shop: Shop, watch: Watch, where: str
) -> None:
    with walking(browser, address, shop, watch, **EVERYWHERE[where]) as walk:
        walk.go("/admin/login/?next=/admin/orders/")
        walk.log_in()
        for name, (path, status) in pages(open_for_business, shop).items():
            # Swagger UI is somebody else's page, and has a test of its own.
            walk.go(path, status, looks_for_barriers=name != API)


@pytest.mark.parametrize("where", ["English, desktop", "Russian, phone"])
def test_every_filter_and_ordering(
    browser: Browser, address: str, shop: Shop, watch: Watch, where: str
) -> None:
    with walking(browser, address, shop, watch, **EVERYWHERE[where]) as walk:
        walk.log_in()
        for path in LISTS:
            walk.go(f"/admin/{path}", looks_for_barriers=False)
            expect(walk.page.locator(".wrong")).to_have_count(0)


def test_what_the_panel_is_made_of_is_fetched_once(
    browser: Browser, address: str, shop: Shop, watch: Watch
) -> None:
    with walking(browser, address, shop, watch) as walk:
        walk.log_in()
        fetched = "performance.getEntriesByType('resource').map(one => [one.name, one.transferSize])"
        walk.page.reload()
        first = walk.page.evaluate(fetched)
        assert len(first) >= 6
        walk.go("/admin/orders/")  # which needs a script more
        for path in ("/admin/", "/admin/orders/"):
            walk.go(path)
            assert {name: size for name, size in walk.page.evaluate(fetched) if size} == {}


@pytest.mark.parametrize("language", ["en", "ru"])
def test_nobody_gets_anywhere_without_a_log_in(
    browser: Browser, address: str, open_for_business: ServerProcess, shop: Shop, watch: Watch, language: str
) -> None:
    with walking(browser, address, shop, watch, locale=language) as walk:
        for path, _ in pages(open_for_business, shop).values():
            if path.startswith("/admin/") and "/login/" not in path:
                walk.go(path)
                expect(walk.page.get_by_role("heading", name=walk.words("Log in"))).to_be_visible()
                expect(walk.page.locator("nav, table")).to_have_count(0)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_who_is_no_admin_is_told_so(
    browser: Browser, address: str, open_for_business: ServerProcess, shop: Shop, watch: Watch, language: str
) -> None:
    """Not one from the beginning, and no more one from the middle of the work on."""
    name = f"stand-in-{language}"
    body = {"username": name, "password": shops.PASSWORD, "role": "admin"}
    made = open_for_business.as_admin("POST", USERS, body).json()
    with walking(browser, address, shop, watch, name, locale=language, axe=EVERYTHING) as walk:
        walk.page.goto("/admin/")
        walk.page.locator("[name=username]").fill(shops.CUSTOMER)
        walk.page.locator("[name=password]").fill(shops.PASSWORD)
        walk.button("Log in").click()
        no_admin = walk.words("This account is no admin's: the panel is for admins only.")
        expect(walk.page.get_by_role("alert")).to_have_text(no_admin)
        walk.look("refused")

        walk.log_in()
        walk.go("/admin/orders/")
        path = f"{USERS}{made['user_id']}/"
        assert open_for_business.as_admin("PATCH", path, {"role": "user"}).status == 200
        walk.page.locator("td a.id").first.click()
        walk.told("Your log-in has ended. Please log in again.")
        expect(walk.page.locator("nav, table")).to_have_count(0)
