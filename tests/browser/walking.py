"""A walk through the panel: the table of its pages, and what must be true of whatever page is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from gettext import GNUTranslations, NullTranslations
from typing import Any, Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, Response, ViewportSize, expect

from config import ROOT
from tests import shop as shops
from tests.callers import USERS
from tests.server.processes import ServerProcess
from tests.shop import Shop

DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 800}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
HEAVIEST: Final = 300_000
"""Bytes of a page, its assets aside."""
MADE: Final = "Made on the way"
"""A product of the orders that are made."""
TRANSLATIONS: Final = ROOT / "orders_app/admin/translations"

Pages = dict[str, tuple[str, int]]


def pages(server: ServerProcess, shop: Shop) -> Pages:
    """Every page that an address leads to: a name, the address below the server, the status."""
    users = server.as_admin("GET", f"{USERS}?page_size=200").json()
    (maria,) = (user["user_id"] for user in users if user["username"] == shops.ADMIN)
    order = f"id={shop.noted}"
    return {
        "home": ("/admin/", 200),
        "orders": ("/admin/orders/", 200),
        "orders, deleted": ("/admin/orders/?is_deleted=true", 200),
        "orders, none": ("/admin/orders/?search=nothing+matches+this", 200),
        "orders, refused": ("/admin/orders/?min_price=x&status=nope", 200),
        "order": (f"/admin/orders/details/?{order}&among=status%3Dpending", 200),
        "order, cancelled": (f"/admin/orders/details/?id={shop.cancelled}", 200),
        "order, deleted": (f"/admin/orders/details/?id={shop.deleted}", 200),
        "order, edit": (f"/admin/orders/edit/?{order}", 200),
        "order, new": ("/admin/orders/new/", 200),
        "order, print": (f"/admin/orders/print/?{order}", 200),
        "import": ("/admin/orders/import/", 200),
        "import, none such": (f"/admin/orders/import/{'0' * 32}/", 404),
        "people": ("/admin/users/", 200),
        "people, none": ("/admin/users/?search=nothing+matches+this", 200),
        "person": (f"/admin/users/details/?id={maria}", 200),
        "person, edit": (f"/admin/users/edit/?id={maria}", 200),
        "person, password": (f"/admin/users/password/?id={maria}", 200),
        "person, new": ("/admin/users/new/", 200),
        "account": ("/admin/me/", 200),
        "events": ("/admin/events/", 200),
        "events, refused": ("/admin/events/?order_id=nonsense&who=nobody", 200),
        "audit": ("/admin/audit/", 200),
        "audit, refused": ("/admin/audit/?who=nobody", 200),
        "link, not good": ("/admin/login/password/never-made/", 404),
        "no such order": ("/admin/orders/details/?id=1", 404),
        "no such page": ("/admin/nothing/", 404),
        "not by a link": ("/admin/orders/delete/", 405),
        "no such export": ("/admin/orders/export/?format=doc", 400),
        API: ("/swagger/", 200),
    }


API: Final = "swagger"
"""The one page that is no page of the panel: it speaks English, and scrolls where its code is wide."""
LISTS: Final = (
    *(
        f"orders/?{query}"
        for query in ("search=till", "status=pending,confirmed", "product=heart", "user=shop")
    ),
    *("orders/?created_after=2026-01-01", "orders/?created_before=2026-01-01", "orders/?reference=5394"),
    *("orders/?min_price=10", "orders/?max_price=10", "orders/?updated_after=2026-01-01"),
    *(f"orders/?sort={column}{desc}" for column in (3, 5, 6) for desc in ("", "&desc=1")),
    *("orders/?page_size=20&page=1", "orders/?page_size=200"),
    *("users/?search=mar", "users/?role=admin", "users/?state=disabled", "users/?page_size=20&page=1"),
    *(f"users/?sort={column}{desc}" for column in (0, 3, 6) for desc in ("", "&desc=1")),
    *("events/?who=maria", "events/?page_size=20&page=1", "audit/?who=admin", "audit/?whom=maria"),
)
"""Every filter and every ordering of every list, below `/admin/`."""


class Words:
    """What the panel says, in one of its languages."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._said = NullTranslations()
        if language != "en":
            with (TRANSLATIONS / language / "LC_MESSAGES/panel.mo").open("rb") as file:
                self._said = GNUTranslations(file)

    def __call__(self, text: str, plural: str = "", num: int = 0, **values: Any) -> str:
        said = self._said.ngettext(text, plural, num) if plural else self._said.gettext(text)
        assert plural or said != text or self.language == "en", f"{text!r} has no translation"
        return said % {"num": num, **values}


@dataclass
class Walk:
    """Somebody on their way through the panel; each page that they come to is looked at."""

    page: Page
    words: Words
    shop: Shop
    name: str
    axe: dict[str, Any] | None = None
    """How axe-core looks at pages; None where it does not."""
    found: list[str] = field(default_factory=list)
    """What is wrong, with the page where it is."""

    def __post_init__(self) -> None:
        self._data = _data_of(self.shop, self.name)
        self.page.on("response", self._came)
        self.page.add_init_script(
            "document.addEventListener('securitypolicyviolation', "
            "event => console.error('refused by the policy: ' + event.blockedURI + event.violatedDirective))"
        )

    def log_in(self, password: str = shops.PASSWORD) -> None:
        self.page.goto("/admin/")
        self.page.locator("[name=username]").fill(self.name)
        self.page.locator("[name=password]").fill(password)
        self.button("Log in").click()
        expect(self.page.get_by_role("heading", name=self.words("Today"), exact=True)).to_be_visible()
        self.page.wait_for_load_state()  # a page is shown before its script hears any key

    def go(self, path: str, status: int = 200, *, looks_for_barriers: bool = True) -> None:
        """Open an address, and look at the page."""
        answer = self.page.goto(path)
        assert answer is not None
        self._must(answer.status == status, f"{path}: {answer.status}")
        size = len(answer.body())
        self._must(size < HEAVIEST, f"{path}: {size} bytes")
        self.look(path, looks_for_barriers=looks_for_barriers)

    def look(self, name: str, *, looks_for_barriers: bool = True) -> None:
        """Look at the page that is shown."""
        page = self.page
        language = page.locator("html").get_attribute("lang")
        is_panels = not page.url.endswith("/swagger/")
        if is_panels:
            self._must(language == self.words.language, f"{name}: its language is {language}")
            assert page.viewport_size is not None
            widest = page.evaluate("document.documentElement.scrollWidth")
            self._must(widest <= page.viewport_size["width"], f"{name}: {widest} pixels wide")
            if self.words.language != "en":
                for text in self._untranslated():
                    self._must(False, f"{name}: not translated: {text}")
        if self.axe is not None and looks_for_barriers:
            for barrier in _barriers(page, self.axe):
                self._must(False, f"{name}: {barrier}")

    def button(self, text: str, within: Locator | None = None) -> Locator:
        return (within or self.page).get_by_role("button", name=self.words(text), exact=True).last

    def link(self, text: str) -> Locator:
        return self.page.get_by_role("link", name=self.words(text), exact=True).last

    def field(self, label: str, within: Locator | None = None, **values: Any) -> Locator:
        return (within or self.page).get_by_label(self.words(label, **values), exact=True).last

    def told(self, text: str, plural: str = "", num: int = 0, **values: Any) -> None:
        """The page says this, and is looked at."""
        said = self.words(text, plural, num, **values)
        expect(self.page.get_by_role("status").filter(has_text=said)).to_be_visible()
        self.look(text, looks_for_barriers=False)

    def _must(self, holds: bool, complaint: str) -> None:
        if not holds:
            self.found.append(complaint)

    def _came(self, answer: Response) -> None:
        if answer.status >= 400 and not answer.request.is_navigation_request():
            self.found.append(f"{answer.request.url}: {answer.status}")

    def _untranslated(self) -> Iterator[str]:
        for text in self.page.evaluate(_TEXTS):
            rest = self._data.sub("", text)
            if re.search("[A-Za-z]{3}", rest):
                yield text


_TEXTS: Final = """() => {
  const found = [document.title];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    if (!texts.currentNode.parentElement.closest("script, style, noscript, datalist, kbd, blockquote")) {
      found.push(texts.currentNode.data.trim());
    }
  }
  for (const name of ["aria-label", "title", "placeholder", "alt", "data-label"]) {
    for (const element of document.querySelectorAll(`[${name}]`)) {
      found.push(element.getAttribute(name));
    }
  }
  return found.filter(Boolean);
}"""
"""All that can be read or read out on a page, but what people wrote and the names of keys."""
_NO_WORDS: Final = (
    *(
        r"[0-9a-f]{8}-[0-9a-f-]+",
        r"…[0-9a-f]+",
        r"[A-Z]\w+/[A-Z]\w+",
        r"\b(Basic|CSV|JSON Lines|XLSX|PDF|API|English)\b",
    ),
    *(r"\b(Prometheus|general\.log|csv|jsonl|xlsx|till)\b",),
)
"""Ids, time zones, names of formats and files: the same in every language."""


def _data_of(shop: Shop, name: str) -> re.Pattern[str]:
    """What came in from the shop, or was typed by its people."""
    exact = {*shop.products, *shops.PEOPLE, name, f"new-{name}", shops.VIEW, MADE}
    longest_first = sorted(exact, key=len, reverse=True)
    return re.compile("|".join([*map(re.escape, longest_first), *_NO_WORDS]))


def _barriers(page: Page, options: dict[str, Any]) -> Iterator[str]:
    for violation in (
        Axe().run(page, options={"resultTypes": ["violations"], **options}).response["violations"]
    ):
        if violation["impact"] in {"serious", "critical"}:
            yield f"{violation['id']}: {[node['html'] for node in violation['nodes']][:3]}"
