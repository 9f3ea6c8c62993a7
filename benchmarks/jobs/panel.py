"""The jobs in the panel of the service, each from its first page."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from benchmarks.jobs.hand import Hand
from benchmarks.jobs.work import Work
from tests.callers import ORDERS
from tests.server.processes import ServerProcess
from tests.shop import ADMIN, PASSWORD, REASON


class Panel:
    """A browser that is logged in, and the server behind it."""

    name = "the panel"

    def __init__(self, page: Page, server: ServerProcess, folder: Path) -> None:
        self.page, self.server, self.folder = page, server, folder

    def log_in(self) -> None:
        self.page.goto("/admin/login/")
        self.page.get_by_label("User name").fill(ADMIN)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("heading", name="Today", exact=True)).to_be_visible()

    def find(self, work: Work) -> Hand:
        hand = self._orders()
        hand.fill(self.page.get_by_label("Search"), work.product)
        self._type_date(hand, "Created from", work.day)
        self._type_date(hand, "Created before", work.day + timedelta(days=1))
        hand.enter(self._opened(work.found))
        expect(self._rows()).to_have_count(1)
        hand.click(self._opened(work.found), self._title(work.found))
        return hand

    def confirm_ten(self, work: Work) -> Hand:
        hand = self._start()
        hand.click(self.page.locator(".counts a[href*=pending]"), self.page.locator("#selected"))
        boxes = self.page.locator("td.pick input")
        hand.click(boxes.nth(0))
        hand.shift_click(boxes.nth(9))
        hand.click(self.page.get_by_role("button", name="Confirm"), self.page.get_by_role("status"))
        assert {self._order(order_id)["status"] for order_id in work.pending} == {"confirmed"}
        return hand

    def correct(self, work: Work) -> Hand:
        hand = self._by_reference(work.corrected_reference, work.corrected)
        form = self.page.locator("#order-lines form")
        hand.click(self.page.get_by_role("link", name="Edit"), form)
        hand.replace(self.page.get_by_label("Quantity of line 1"), str(work.quantity))
        hand.enter(self.page.get_by_role("status"))
        order = self._order(work.corrected)
        assert (order["products"][0]["quantity"], order["total_price"]) == (work.quantity, work.total)
        return hand

    def who_cancelled(self, work: Work) -> Hand:
        hand = self._by_reference(work.cancelled_reference, work.cancelled)
        told = self.page.locator(".timeline > li", has_text="cancelled")
        expect(told).to_contain_text(ADMIN)
        expect(told).to_contain_text(REASON)
        return hand

    def export(self, work: Work) -> Hand:
        hand = self._orders()
        hand.click(
            self.page.get_by_role("link", name="Last month"), self.page.get_by_role("link", name="Clear")
        )
        menu = self.page.locator("summary", has_text="Export")
        link = self.page.get_by_role("link", name="JSON Lines")
        hand.click(menu, link)
        path = self.folder / "panel.jsonl"
        hand.download(link, path)
        ids = {json.loads(line)["order_id"] for line in path.read_text().splitlines()}
        assert ids == work.of_month
        return hand

    def _start(self) -> Hand:
        self.page.goto("/admin/")
        return Hand(self.page)

    def _orders(self) -> Hand:
        hand = self._start()
        menu = self.page.get_by_role("navigation", name="Main")
        hand.click(menu.get_by_role("link", name="Orders"), self.page.get_by_label("Search"))
        return hand

    def _by_reference(self, reference: str, order_id: str) -> Hand:
        hand = self._orders()
        hand.fill(self.page.get_by_label("Search"), reference)
        hand.enter(self._opened(order_id))
        hand.click(self._opened(order_id), self._title(order_id))
        return hand

    def _type_date(self, hand: Hand, label: str, day: date) -> None:
        what = self.page.get_by_label(label)
        hand.fill(what, f"{day:%m%d%Y}")
        expect(what).to_have_value(day.isoformat())

    def _rows(self) -> Locator:
        return self.page.locator("tbody tr")

    def _opened(self, order_id: str) -> Locator:
        return self.page.locator(f'tbody a[href*="{order_id}"]')

    def _title(self, order_id: str) -> Locator:
        return self.page.locator("h1", has_text=order_id)

    def _order(self, order_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.server.as_admin("GET", f"{ORDERS}{order_id}/").json()
        return found
