"""The list of orders: filters, search, sorting, pages, and addresses that nobody meant."""

from __future__ import annotations

import html
import re

import pytest
from flask import Flask

from tests import factories
from tests.admin.visitor import Visitor, listed, made_order
from tests.callers import Caller


def test_filters_search_and_sorting(app: Flask, panel: Visitor, admin: Caller) -> None:
    tea = made_order(
        admin, user="alice", products=[factories.line(name="Earl Grey 100%", price="5", quantity=1)]
    )
    cake = made_order(
        admin, user="bob", status="confirmed", products=[factories.line(name="Cake", price="9")]
    )
    ids = [cake["order_id"], tea["order_id"]]
    assert listed(panel) == ids
    assert listed(panel, status="confirmed") == [cake["order_id"]]
    assert listed(panel, user="ALICE") == [tea["order_id"]]
    assert listed(panel, min_price="10") == [cake["order_id"]]
    assert listed(panel, max_price="10") == [tea["order_id"]]
    assert listed(panel, created_after="2999-01-01") == []
    assert listed(panel, created_before="2999-01-01") == ids
    for text in (
        "earl",
        "0%",
        "lic",
        tea["order_id"],
        tea["order_id"][-8:],
        "…" + tea["order_id"][-8:].upper(),
    ):
        assert listed(panel, search=text) == [tea["order_id"]], text
    assert listed(panel, search="_") == []
    assert listed(panel, sort="3") == [tea["order_id"], cake["order_id"]]
    assert listed(panel, sort="3", desc="1") == ids
    assert listed(panel, search="earl", status="confirmed") == []


@pytest.mark.parametrize(
    "query",
    [
        {"page": "100000000000000000000"},
        {"page": "9" * 5000},
        {"page": "-5"},
        {"page": "x"},
        {"page_size": "100000"},
        {"page_size": "-1"},
        {"sort": "99"},
        {"sort": "0"},
        {"sort": "-1"},
        {"_external": "1", "_scheme": "javascript"},
        {"_scheme": "x", "_method": "FOO", "_anchor": "a"},
        {"endpoint": "x", "self": "y", "filename": "z"},
        {"url": "http:/evil.example"},
        {"flt0_0": "x", "flt": "y"},
    ],
)
def test_absurd_addresses_are_read_as_well_as_they_can_be(
    panel: Visitor, admin: Caller, query: dict[str, str]
) -> None:
    order = made_order(admin)
    answer = panel.get("/admin/orders/", query_string=query)
    assert answer.status_code == 200
    assert order["order_id"] in answer.text
    assert "evil" not in answer.text
    assert "://" not in answer.text
    for path in ("/admin/users/", "/admin/events/"):
        assert panel.get(path, query_string=query).status_code == 200


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"status": "nope"}, "There is no such status."),
        ({"min_price": "x"}, "Not a valid amount."),
        ({"min_price": "5", "max_price": "1"}, "Must not be less than min_price."),
        (
            {"created_after": "2026-02-01", "created_before": "2026-01-01"},
            "Must not be before created_after.",
        ),
        ({"created_after": "yesterday"}, "Not a valid date and time"),
        ({"created_before": "0000-00-00"}, "there is no such moment"),
        ({"search": "a\0b"}, "Control characters are not allowed."),
        ({"search": "x" * 300}, "Longer than 255 characters."),
        ({"user": "\x01"}, "Control characters are not allowed."),
    ],
)
def test_a_filter_that_cannot_be_read_is_named(panel: Visitor, query: dict[str, str], message: str) -> None:
    answer = panel.get("/admin/orders/", query_string=query)
    assert answer.status_code == 200
    assert message in answer.text


def test_pages_do_not_overlap_and_links_keep_the_filters(panel: Visitor, admin: Caller) -> None:
    for _ in range(23):
        made_order(admin, user="alice")
    first = listed(panel, user="alice", page_size="20")
    second = listed(panel, user="alice", page_size="20", page="1")
    assert (len(first), len(second), len({*first, *second})) == (20, 3, 23)
    assert listed(panel, user="alice", page_size="20", page="77") == second
    page = html.unescape(panel.get("/admin/orders/?user=alice&page_size=20&x=y").text)
    following = re.findall(r'rel="next" href="([^"]+)"', page)[0]
    assert "user=alice" in following
    assert "page=1" in following
    assert "x=y" not in following
