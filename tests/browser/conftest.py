"""A Chromium without a window, and the production server that it talks to."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from tests.callers import USERS
from tests.server.processes import ADMIN_PASSWORD, BACKENDS, ServerProcess, serving, serving_on
from tests.servers import warn_loudly
from tests.shop import Shop, open_shop

PASSWORD = ADMIN_PASSWORD
COLLEAGUE = "maria"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def chromium_program() -> str | None:
    """Where the browser is."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="package")
def chromium() -> str:
    """The same; without one these tests are skipped, which is a failure under CI."""
    found = chromium_program()
    if found is None:
        reason = "NO CHROMIUM on the PATH: the browser tests do not run. On Debian: apt install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        warn_loudly(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="package")
def server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of its own, with two worker processes and two admins."""
    with serving(tmp_path_factory.mktemp("browser")) as running:
        colleague = {"username": COLLEAGUE, "password": PASSWORD, "role": "admin"}
        assert running.as_admin("POST", USERS, colleague).status == 201
        yield f"http://127.0.0.1:{running.port}"


@pytest.fixture(scope="package", params=BACKENDS)
def open_for_business(
    chromium: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    """A server of its own, on both back ends, with a real shop's days in its database."""
    with serving_on(request, tmp_path_factory.mktemp("shop")) as running:
        yield running


@pytest.fixture(scope="package")
def address(open_for_business: ServerProcess) -> str:
    return f"http://127.0.0.1:{open_for_business.port}"


@pytest.fixture(scope="package")
def shop(open_for_business: ServerProcess) -> Shop:
    """What came in there, and what people did to it."""
    return open_shop(open_for_business)


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))


@dataclass
class Watch:
    """What the browser complained about, and where it went."""

    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    expected: tuple[str, ...] = ()
    """Complaints that contain one of these belong to the test: a form that is refused, say."""

    def heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not any(text in message.text for text in self.expected):
            self.complaints.append(message.text)

    def went(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob"}:
            self.hosts.add(parts.netloc)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@contextmanager
def browser_session(browser: Browser, server: str, watch: Watch, **options: Any) -> Iterator[BrowserContext]:
    """A fresh browser session.  At its end: no complaint (violations of the policy for contents among
    them), and no request to another host.
    """
    usual: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"}
    context = browser.new_context(base_url=server, **{**usual, **options})
    context.set_default_timeout(10_000)
    context.on("console", watch.heard)
    context.on("weberror", lambda error: watch.complaints.append(str(error.error)))
    context.on("request", watch.went)
    yield context
    context.close()
    assert watch.complaints == []
    assert watch.hosts <= {urlsplit(server).netloc}


def log_in(page: Page, name: str) -> Page:
    """The panel, with somebody logged in."""
    page.goto("/admin/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Today", exact=True).wait_for()
    return page


@pytest.fixture
def context(browser: Browser, server: str, watch: Watch) -> Iterator[BrowserContext]:
    with browser_session(browser, server, watch) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def panel(page: Page) -> Page:
    """The panel, with the admin logged in."""
    return log_in(page, "admin")


@pytest.fixture
def colleague(browser: Browser, server: str, watch: Watch) -> Iterator[Page]:
    """The panel, with another admin logged in, in a browser of their own that runs no scripts."""
    with browser_session(browser, server, watch, java_script_enabled=False) as context:
        yield log_in(context.new_page(), COLLEAGUE)


def delete_opened(page: Page, reason: str = "") -> None:
    """Delete the order whose page is open; it asks for a reason first, unless there is no JavaScript."""
    at_once = page.locator('noscript form[action$="/delete/"] button')
    if at_once.count():
        at_once.click()
        return
    page.locator("[data-open=delete]").press("Enter")
    dialog = page.get_by_role("dialog")
    if reason:
        dialog.get_by_label("Reason").fill(reason)
    dialog.get_by_role("button", name="Delete").click()
