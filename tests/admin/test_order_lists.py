"""The list of orders: filters, search, sorting, pages, and addresses that nobody meant."""

from __future__ import annotations

import html
import re

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from orders_app.extensions import unit_of_work
from orders_app.orders import services
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


def shown(page: str) -> tuple[str, list[str]]:
    """What stands beside the heading, and the names of the links between pages."""
    text = html.unescape(page)
    [count] = re.findall(r'<span class="count">([^<]*)</span>', text)
    count = count.partition(" · ")[0]
    pages = text.partition('aria-label="Pages"')[2].partition("</nav>")[0]
    return count, re.findall(r">(First|Previous|Next|Last)<", pages)


def test_of_very_many_it_is_said_that_they_are_more(
    panel: Visitor, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [made_order(admin, user="alice", total_price="5")["order_id"] for _ in range(45)][::-1]
    for module in ("orders.view", "history"):
        monkeypatch.setattr(f"orders_app.admin.{module}.MOST_COUNTED", 30)
    address = "/admin/orders/?min_price=1&page_size=20"
    assert shown(panel.get(address).text) == ("more than 20", ["Next"])
    assert shown(panel.get(f"{address}&page=1").text) == ("more than 40", ["First", "Previous", "Next"])
    assert shown(panel.get(f"{address}&page=2").text) == ("45", ["First", "Previous"])
    assert shown(panel.get(f"{address}&page=77").text) == ("more than 20", ["Next"])
    pages = [listed(panel, min_price="1", page_size="20", page=str(page)) for page in range(3)]
    assert [order_id for page in pages for order_id in page] == made
    assert listed(panel, min_price="1", page_size="20", page="77") == pages[0]
    # What is kept or few is always told: by owner and status, and what was looked up.
    assert shown(panel.get("/admin/orders/?user=alice&page_size=20").text) == ("45", ["Next", "Last"])
    assert shown(panel.get(f"/admin/orders/?search={made[3]}").text) == ("1", [])
    assert shown(panel.get("/admin/events/?page_size=20").text) == ("more than 20", ["Next"])
    assert shown(panel.get("/admin/events/?page_size=20&page=2").text)[0] == "45"


@pytest.mark.parametrize("few", [1_000, 1])
def test_a_text_is_found_wherever_it_stands(
    app: Flask, panel: Visitor, session: Session, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr("orders_app.orders.searching.FEW", few)
    ids = []
    admin = factories.actor("admin")
    for owner, name, reference in (
        ("alice", "Earl Grey", "A-1001"),
        ("alice", "Cake", "A-1002"),
        ("bob", "Grey cup", "B-1003"),
    ):
        with unit_of_work() as uow:
            new = factories.new_order(
                factories.order_line(name=name), owner=owner, source="shop", reference=reference
            )
            ids.append(str(services.create_order(uow, actor=admin, new=new).order_id))
    tea, cake, cup = ids
    for text, found in {
        "grey": [cup, tea],
        "ALICE": [cake, tea],
        "b-1003": [cup],
        "100": [cup, cake, tea],
        "-1002": [cake],
        tea: [tea],
        tea.replace("-", "").upper(): [tea],
        tea[:23]: [tea],
        tea[-9:]: [tea],
        "…" + tea[-8:]: [tea],
        "%": [],
        "nothing like it": [],
    }.items():
        assert listed(panel, search=text) == found, text
    assert listed(panel, search="grey", user="alice") == [tea]
    assert listed(panel, search="100", user="bob") == [cup]
