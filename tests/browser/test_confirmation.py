"""The confirmation of an order, from its page to a file."""

from __future__ import annotations

import io
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page
from pypdf import PdfReader

from tests.browser.test_panel import new_order

pytestmark = [pytest.mark.browser, pytest.mark.server]


@pytest.mark.parametrize("who", ["panel", "colleague"])
def test_the_file_is_downloaded_under_its_name(request: pytest.FixtureRequest, who: str) -> None:
    page: Page = request.getfixturevalue(who)
    order_id = urlsplit(new_order(page, "Samovar")).query.removeprefix("id=")
    with page.expect_download() as started:
        page.get_by_role("link", name="PDF").click()
    assert started.value.suggested_filename == f"order-{order_id[-8:]}.pdf"
    [sheet] = PdfReader(io.BytesIO(started.value.path().read_bytes())).pages
    assert "Samovar" in sheet.extract_text()
