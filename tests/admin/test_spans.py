"""Days that are a click away above the list of orders: today, yesterday, last month …"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest
import time_machine

from tests import factories
from tests.admin.visitor import Visitor, made_order
from tests.callers import Caller

LINK = re.compile(r'<a id="span-\d" href="/admin/orders/\?([^"]*)" hx-boost="true"([^>]*)>([^<]*)</a>')


@pytest.fixture
def on_the_last_of_october() -> Iterator[None]:
    """At half past nine in the evening in London, where the clocks went back a week ago."""
    with time_machine.travel(datetime(2026, 10, 31, 21, 30, tzinfo=UTC), tick=False):
        yield


def spans(page: str) -> dict[str, tuple[list[tuple[str, str]], bool]]:
    """What each link asks for, and whether it is said to be what is shown."""
    return {
        html.unescape(label): (parse_qsl(html.unescape(query)), "aria-current" in more)
        for query, more, label in LINK.findall(page)
    }


def days(page: str) -> dict[str, tuple[str, str]]:
    return {
        label: (dict(asked)["created_after"], dict(asked)["created_before"])
        for label, (asked, _) in spans(page).items()
    }


@pytest.mark.usefixtures("on_the_last_of_october")
@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        (
            "Europe/London",
            {
                "Today": ("2026-10-31", "2026-11-01"),
                "Yesterday": ("2026-10-30", "2026-10-31"),
                "Last 7 days": ("2026-10-25", "2026-11-01"),
                "This month": ("2026-10-01", "2026-11-01"),
                "Last month": ("2026-09-01", "2026-10-01"),
            },
        ),
        (
            "Asia/Vladivostok",
            {
                "Today": ("2026-11-01", "2026-11-02"),
                "Yesterday": ("2026-10-31", "2026-11-01"),
                "Last 7 days": ("2026-10-26", "2026-11-02"),
                "This month": ("2026-11-01", "2026-11-02"),
                "Last month": ("2026-10-01", "2026-11-01"),
            },
        ),
    ],
)
def test_today_is_the_day_where_the_person_is(
    panel: Visitor, zone: str, expected: dict[str, tuple[str, str]]
) -> None:
    panel.client.set_cookie("orders_time_zone", zone, path="/admin")
    assert days(panel.get("/admin/orders/").text) == expected


def test_a_span_keeps_all_else_that_is_asked_for(panel: Visitor) -> None:
    query = [("status", "pending"), ("status", "confirmed"), ("user", "a&b"), ("created_after", "2020-01-01")]
    query += [("sort", "3"), ("desc", "1"), ("page", "7")]
    asked, is_here = spans(panel.get("/admin/orders/", query_string=query).text)["Yesterday"]
    assert not is_here
    kept = [pair for pair in query if pair[0] not in {"created_after", "page"}]
    assert asked[:-2] == kept
    assert [name for name, _ in asked[-2:]] == ["created_after", "created_before"]


def test_it_leads_to_the_orders_of_these_days_and_says_so(panel: Visitor, admin: Caller) -> None:
    new = made_order(admin, products=[factories.line(name="Lamp")])
    first = spans(panel.get("/admin/orders/").text)
    for label, is_listed in (
        ("Today", True),
        ("Last 7 days", True),
        ("This month", True),
        ("Last month", False),
    ):
        page = panel.get("/admin/orders/", query_string=first[label][0]).text
        assert (new["order_id"] in page) is is_listed, label
        here = {name for name, (_, is_here) in spans(page).items() if is_here}
        assert label in here
        assert here == {name for name in first if dict(first[name][0]) == dict(first[label][0])}
