"""Pictures of the panel with a real shop's days in it: `python -m tests.browser.screenshots`.

Those of `KEPT` go to `docs/images/panel/`, where the documents show them. With `--all FOLDER` every page is
taken in every way, to be looked at.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, expect, sync_playwright

from config import ROOT
from tests import shop as shops
from tests.browser.conftest import FLAGS, chromium_program
from tests.browser.walking import DESKTOP, PHONE, Walk, Words, pages
from tests.callers import ORDERS
from tests.server.processes import ServerProcess, serving
from tests.shop import Shop, open_shop

FOLDER: Final = ROOT / "docs/images/panel"
README: Final = ROOT / "docs/images/panel.png"
FILE: Final = shops.DAYS[-1]
BENCH_PYTHON: Final = ROOT / ".venv-bench/bin/python"
DAYS: Final = 30
TALL: Final = {**DESKTOP, "height": 900}
WAYS: Final[dict[str, dict[str, Any]]] = {
    "desktop": {"locale": "en-GB", "viewport": TALL},
    "dark": {"locale": "en-GB", "viewport": TALL, "color_scheme": "dark"},
    "phone": {"locale": "en-GB", "viewport": PHONE},
    "phone-dark": {"locale": "en-GB", "viewport": PHONE, "color_scheme": "dark"},
    "ru": {"locale": "ru-RU", "viewport": TALL},
    "ru-phone": {"locale": "ru-RU", "viewport": PHONE},
}
"""How pages are taken; the first way is the usual one."""


def _edit_in_place(page: Page) -> None:
    page.locator('[data-key="e"]').click()
    expect(page.locator("#order-lines form")).to_be_visible()


def _ask_why(page: Page) -> None:
    page.locator("[data-open=delete]").click()
    page.get_by_role("dialog").locator("textarea").fill("Entered twice, see the one before.")


def _show_keys(page: Page) -> None:
    page.keyboard.press("?")


def _tick(page: Page) -> None:
    for box in page.locator("td.pick input").all()[:3]:
        box.check()


def _ask_for_all(page: Page) -> None:
    _tick(page)
    page.locator("#selected [value=cancelled]").click()
    page.locator("#reason").fill("The supplier has none left.")


def _show_columns(page: Page) -> None:
    page.locator("details.menu", has=page.locator("[name=column]")).locator("summary").click()


def _delete(page: Page) -> None:
    _ask_why(page)
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(".undoable")).to_be_visible()


def _upload(page: Page) -> None:
    page.locator("[type=file]").set_input_files(FILE)
    page.locator("#user").fill("shop")
    page.locator("form", has=page.locator("[type=file]")).locator("button").click()
    expect(page.locator("select").first).to_be_visible()


def _link(page: Page) -> None:
    page.locator('form[action$="/link/"] button').click()


def _export(page: Page) -> None:
    page.locator("details.menu", has=page.locator("a[download]")).locator("summary").click()


ACTS: Final[dict[str, tuple[str, Callable[[Page], None]]]] = {
    "order, edited in place": ("order", _edit_in_place),
    "order, asked why": ("order", _ask_why),
    "orders, ticked": ("orders, pending", _tick),
    "orders, asked why": ("orders, pending", _ask_for_all),
    "orders, exported": ("orders, pending", _export),
    "orders, columns": ("orders, pending", _show_columns),
    "order, deleted now": ("order", _delete),
    "import, checked": ("import", _upload),
    "keys": ("orders", _show_keys),
    "person, link": ("person", _link),
}
"""What is to be seen only after something was pressed: the page where, and what."""
KEPT: Final = (
    *(("home", way) for way in ("desktop", "dark", "phone", "ru")),
    *(("orders", way) for way in ("desktop", "dark", "phone", "ru-phone")),
    *(("order", way) for way in ("desktop", "dark", "phone", "ru")),
    *(("orders, ticked", "desktop"), ("orders, asked why", "desktop"), ("orders, exported", "desktop")),
    *(
        ("order, edited in place", "desktop"),
        ("order, asked why", "desktop"),
        ("order, cancelled", "desktop"),
    ),
    *(("orders, columns", "desktop"), ("import, checked", "desktop"), ("order, deleted now", "desktop")),
    *(("order, new", "desktop"), ("order, print", "desktop"), ("overtaken", "desktop")),
    *(("people", "desktop"), ("person", "desktop"), ("person, link", "desktop"), ("account", "desktop")),
    *(("events", "desktop"), ("audit", "desktop"), ("keys", "desktop"), ("log in", "phone")),
)
"""The pictures that the documents show."""


def main() -> int:
    """Take them; the exit status is 1 where a page is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.browser.screenshots", description="Pictures of the panel."
    )
    parser.add_argument(
        "--all", type=Path, metavar="FOLDER", help="every page in every way, into this folder"
    )
    wanted = parser.parse_args()
    folder = wanted.all or FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, serving(Path(place) / "server") as server:
        print("Bringing the shop's orders in …", flush=True)
        shop = open_shop(server, DAYS)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_program(), args=list(FLAGS))
            for way in WAYS:
                for path in _taken(browser, server, shop, way, folder, everything=wanted.all is not None):
                    print(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path, flush=True)
            browser.close()
    _shrink(folder)
    if wanted.all is None:
        README.write_bytes((FOLDER / "orders.png").read_bytes())
    print(f"{sum(path.stat().st_size for path in folder.glob('*.png')):,} bytes in {folder}")
    return 0


def _taken(
    browser: Browser, server: ServerProcess, shop: Shop, way: str, folder: Path, *, everything: bool
) -> Iterator[Path]:
    addresses = {name: path for name, (path, _) in pages(server, shop).items()}
    addresses["orders, pending"] = "/admin/orders/?status=pending&sort=5"
    names = (
        [*addresses, *ACTS, "overtaken", "log in"] if everything else [name for name, of in KEPT if of == way]
    )
    with _logged_in(browser, server, shop, way) as page:
        for name in names:
            if name == "log in":
                page.context.clear_cookies()
                page.goto("/admin/login/")
            elif name == "overtaken":
                _overtake(page, server, shop)
            else:
                where, act = ACTS.get(name, (name, None))
                page.goto(addresses[where])
                if act is not None:
                    act(page)
            page.wait_for_load_state("networkidle")
            words = name.replace(",", "").split()
            path = folder / ("-".join([*words, *([] if way == "desktop" else [way])]) + ".png")
            page.screenshot(path=path)
            yield path


@contextmanager
def _logged_in(browser: Browser, server: ServerProcess, shop: Shop, way: str) -> Iterator[Page]:
    context = browser.new_context(
        base_url=f"http://127.0.0.1:{server.port}",
        timezone_id=shop.time_zone,
        reduced_motion="reduce",
        **WAYS[way],
    )
    walk = Walk(context.new_page(), Words(WAYS[way]["locale"][:2]), shop, shops.ADMIN)
    walk.log_in()
    yield walk.page
    context.close()


def _overtake(page: Page, server: ServerProcess, shop: Shop) -> None:
    """Somebody else changes the order while a form is filled in."""
    order_id = shop.pending[-1]
    page.goto(f"/admin/orders/edit/?id={order_id}")
    order = server.as_admin("GET", f"{ORDERS}{order_id}/").json()
    first, *others = order["products"]
    lines = [{**first, "quantity": first["quantity"] + 2}, *others]
    server.as_admin("PATCH", f"{ORDERS}{order_id}/", {"products": lines})
    page.locator('[name="line-price"]').first.fill("2.10")
    page.locator('[name="save"]').click()
    expect(page.locator(".meanwhile")).to_be_visible()


def _shrink(folder: Path) -> None:
    """Leave 256 colours, if the environment of the benchmarks is there: its library does it."""
    if BENCH_PYTHON.exists():
        script = Path(__file__).with_name("shrink.py")
        subprocess.run([str(BENCH_PYTHON), str(script), str(folder)], check=True)


if __name__ == "__main__":
    sys.exit(main())
