"""The jobs in Django's admin, each from its first page."""

from __future__ import annotations

import csv
import sqlite3
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from benchmarks.jobs.hand import Hand
from benchmarks.jobs.work import Work
from tests.shop import ADMIN, PASSWORD, REASON


class DjangoAdmin:
    """A browser that is logged in, and the database behind it."""

    name = "Django's admin"

    def __init__(self, page: Page, database: Path, folder: Path) -> None:
        self.page, self.database, self.folder = page, database, folder

    def log_in(self) -> None:
        self.page.goto("/admin/")
        self.page.locator("#id_username").fill(ADMIN)
        self.page.locator("#id_password").fill(PASSWORD)
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("heading", name="Site administration")).to_be_visible()

    def find(self, work: Work) -> Hand:
        hand = self._orders()
        hand.fill(self._search(), work.product)
        hand.enter(self.page.locator(".paginator").first)
        month = self.page.locator(".toplinks a", has_text=f"{work.day:%B} {work.day.year}")
        day = self.page.locator(".toplinks a", has_text=f"{work.day:%B} {work.day.day}")
        if month.count():
            hand.click(month, day)
        of_day = self._back().filter(has_text=f"{work.day:%B} {work.day.year}")
        hand.click(self._exactly(day, f"{work.day:%B} {work.day.day}"), of_day)
        expect(self._rows()).to_have_count(1)
        hand.click(self._opened(work.found), self._form())
        return hand

    def confirm_ten(self, work: Work) -> Hand:
        hand = self._orders()
        pending = self._filter().locator(".selected", has_text="Pending")
        hand.click(self._filter().get_by_role("link", name="Pending"), pending)
        boxes = self.page.locator("td.action-checkbox input")
        hand.click(boxes.nth(0))
        hand.shift_click(boxes.nth(9))
        hand.pick(self._actions(), "Confirm")
        hand.click(self._run(), self._told())
        assert {self._of(order_id, "status") for order_id in work.pending} == {"confirmed"}
        return hand

    def correct(self, work: Work) -> Hand:
        hand = self._by_reference(work.corrected_reference, work.corrected)
        hand.replace(self.page.locator("#id_lines-0-quantity"), str(work.quantity))
        hand.click(self.page.locator("[name=_save]"), self._told())
        assert f"{self._of(work.corrected, 'total'):.2f}" == work.total
        return hand

    def who_cancelled(self, work: Work) -> Hand:
        hand = self._by_reference(work.cancelled_reference, work.cancelled)
        told = self.page.locator("#change-history tr", has_text="cancelled")
        hand.click(self.page.get_by_role("link", name="History"), told)
        expect(told).to_contain_text(ADMIN)
        expect(told).to_contain_text(REASON)
        return hand

    def export(self, work: Work) -> Hand:
        hand = self._orders()
        month = self.page.locator(".toplinks a", has_text=f"{work.month:%B} {work.month.year}")
        hand.click(month, self._back())
        hand.click(self.page.locator("#action-toggle"))
        everything = self.page.locator(".question a")
        if everything.is_visible():
            hand.click(everything)
        hand.pick(self._actions(), "Export as CSV")
        path = self.folder / "django.csv"
        hand.download(self._run(), path)
        with path.open(newline="") as file:
            assert {row["order_id"] for row in csv.DictReader(file)} == work.of_month
        return hand

    def _orders(self) -> Hand:
        self.page.goto("/admin/")
        hand = Hand(self.page)
        link = self.page.locator("#content-main").get_by_role("link", name="Orders", exact=True)
        hand.click(link, self._search())
        return hand

    def _by_reference(self, reference: str, order_id: str) -> Hand:
        hand = self._orders()
        hand.fill(self._search(), reference)
        hand.enter(self._opened(order_id))
        hand.click(self._opened(order_id), self._form())
        return hand

    def _search(self) -> Locator:
        return self.page.locator("#searchbar")

    def _filter(self) -> Locator:
        return self.page.locator("#changelist-filter")

    def _actions(self) -> Locator:
        return self.page.locator("select[name=action]")

    def _run(self) -> Locator:
        return self.page.locator("button[name=index]")

    def _rows(self) -> Locator:
        return self.page.locator("#result_list tbody tr")

    def _back(self) -> Locator:
        return self.page.locator(".toplinks a.date-back")

    def _told(self) -> Locator:
        return self.page.locator(".messagelist .success")

    def _form(self) -> Locator:
        return self.page.locator("#order_form")

    def _opened(self, order_id: str) -> Locator:
        return self.page.locator(f'#result_list a[href*="{order_id}"]')

    @staticmethod
    def _exactly(links: Locator, text: str) -> Locator:
        return links.get_by_text(text, exact=True)

    def _of(self, order_id: str, column: str) -> Any:
        """What stands in the database."""
        with sqlite3.connect(self.database) as connection:
            connection.row_factory = sqlite3.Row
            statement = "SELECT * FROM shop_admin_order WHERE id = ?"
            return connection.execute(statement, [order_id.replace("-", "")]).fetchone()[column]
