"""The arithmetic of pages."""

from __future__ import annotations

import json

import pytest
from flask import Flask

from orders_app.http.pagination import Page


def headers(number: int, size: int, total: int, query: str = "") -> dict[str, str]:
    with Flask("bare").test_request_context(f"/things/?{query}"):
        return Page(number, size).headers(total)


@pytest.mark.parametrize(
    ("number", "size", "total", "pages", "following", "previous"),
    [
        (1, 50, 0, 0, None, None),
        (1, 50, 1, 1, None, None),
        (1, 50, 50, 1, None, None),
        (1, 50, 51, 2, 2, None),
        (2, 50, 51, 2, None, 1),
        (2, 10, 30, 3, 3, 1),
        (9, 10, 30, 3, None, 3),
        (5, 10, 0, 0, None, None),
        (2**31 - 1, 200, 1, 1, None, 1),
    ],
)
def test_where_a_page_stands(
    number: int, size: int, total: int, pages: int, following: int | None, previous: int | None
) -> None:
    described = json.loads(headers(number, size, total)["X-Pagination"])
    assert described == {
        "total": total,
        "total_pages": pages,
        "page": number,
        "first_page": 1,
        "last_page": max(pages, 1),
        "next_page": following,
        "previous_page": previous,
    }


@pytest.mark.parametrize("total", range(12))
@pytest.mark.parametrize("size", [1, 2, 3, 5, 12])
def test_following_next_visits_every_thing_once(total: int, size: int) -> None:
    things, seen = list(range(total)), []
    number: int | None = 1
    while number:
        page = Page(number, size)
        seen += things[page.offset : page.offset + size]
        number = json.loads(page_headers(page, total)["X-Pagination"])["next_page"]
    assert seen == things


def page_headers(page: Page, total: int) -> dict[str, str]:
    return headers(page.number, page.size, total)


def test_the_link_keeps_what_was_asked() -> None:
    link = headers(1, 1, 3, "status=a&status=b&q=%D0%9A%26&page=1&user=")["Link"]
    assert link == '</things/?status=a&status=b&q=%D0%9A%26&page=2>; rel="next"'


def test_the_last_page_links_nowhere() -> None:
    assert "Link" not in headers(3, 1, 3)


@pytest.mark.parametrize(
    ("number", "total", "past"), [(1, 0, True), (1, 1, False), (2, 10, True), (2, 11, False)]
)
def test_past_the_end(number: int, total: int, past: bool) -> None:
    assert Page(number, 10).is_past(total) is past
