"""A Chromium without a window, and the production server that it talks to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from tests.servers import free_port, wait_until, warn_loudly

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "browser-password-1"
COLLEAGUE = "maria"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="package")
def chromium() -> str:
    """Where the browser is; without one these tests are skipped, which is a failure under CI."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
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
    folder = tmp_path_factory.mktemp("browser")
    port = free_port()
    settings = {
        "DATABASE_URL": f"sqlite:///{folder}/orders.db",
        "CACHE_DIR": str(folder / "cache"),
        "LOG_DIR": str(folder / "logs"),
        "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
        "SECRET_KEY": "k3y-for-sessions-" + "0123456789abcdef" * 2,
        "JWT_SECRET_KEY": "k3y-for-tokens-" + "fedcba9876543210" * 2,
        "PORT": str(port),
        "WORKERS": "2",
    }
    environment = {**os.environ, **settings, "REDIS_URL": "", "TRUSTED_HOSTS": "", "HOST": "127.0.0.1"}
    flask = [sys.executable, "-m", "flask", "--app", "wsgi"]
    accounts = [["users", "create", name, "--admin", "--password", PASSWORD] for name in ("admin", COLLEAGUE)]
    for command in (["db", "upgrade"], *accounts):
        subprocess.run([*flask, *command], cwd=ROOT, env=environment, check=True, capture_output=True)
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "serve.py"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, (folder / "server.log").read_text()
        try:
            with urlopen(f"{address}/healthz") as response:  # noqa: S310  (our own address)
                return bool(response.status == 200)
        except OSError:
            return False

    try:
        wait_until(answers, what="the server", seconds=30)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


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
    context = browser.new_context(
        base_url=server, viewport={"width": 1280, "height": 800}, reduced_motion="reduce", **options
    )
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
    page.get_by_role("heading", name="Orders at a glance").wait_for()
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
