"""Views of the list under names: one's own, and those that are shared."""

from __future__ import annotations

import html
import re

import pytest
from flask import Flask

from tests.admin.visitor import Visitor, made_order
from tests.callers import Caller

KEEP = "/admin/orders/views/keep/"
FORGET = "/admin/orders/views/forget/"
LIST = "/admin/orders/"
PASSWORD = "maria-password-1"


@pytest.fixture
def colleague(app: Flask, admin: Caller) -> Visitor:
    admin("POST", "/api/v1/users/", {"username": "maria", "password": PASSWORD, "role": "admin"})
    visitor = Visitor(app)
    assert visitor.log_in("maria", PASSWORD).status_code == 302
    return visitor


def names(panel: Visitor) -> list[str]:
    """The views that the list offers."""
    part = panel.get(LIST).text.partition('aria-label="Kept views"')[2].partition("</ul>")[0]
    return [html.unescape(name).strip() for name in re.findall(r"<a [^>]*>([^<]+)", part)]


def test_a_view_is_kept_found_and_forgotten(panel: Visitor, admin: Caller) -> None:
    wanted, other = made_order(admin, status="confirmed"), made_order(admin)
    query = "status=confirmed&sort=3&desc=1"
    kept = panel.post(KEEP, name=" To ship ", query=f"{query}&next=//evil.example&page=7")
    assert kept.location == f"{LIST}?{query}"
    page = panel.follow(kept).text
    assert "The view “To ship” is kept." in page
    assert wanted["order_id"] in page
    assert other["order_id"] not in page
    assert names(panel) == ["To ship"]
    again = panel.post(KEEP, name="to SHIP", query="status=cancelled")
    assert again.status_code == 302
    assert names(panel) == ["to SHIP"]
    [view_id] = re.findall(r'name="view_id" value="([^"]+)"', panel.get(f"{LIST}?status=cancelled").text)
    assert "The view is forgotten." in panel.follow(panel.post(FORGET, view_id=view_id)).text
    assert names(panel) == []
    assert "This view is gone already." in panel.follow(panel.post(FORGET, view_id=view_id)).text


def test_others_see_what_is_shared_and_nothing_else(panel: Visitor, colleague: Visitor) -> None:
    panel.post(KEEP, name="Mine", query="status=pending")
    panel.post(KEEP, name="Ours", query="status=completed", is_shared="1")
    assert names(panel) == ["Mine", "Ours"]
    assert names(colleague) == ["Ours"]
    [mine] = re.findall(r'name="view_id" value="([^"]+)"', panel.get(f"{LIST}?status=pending").text)
    assert "gone already" in colleague.follow(colleague.post(FORGET, view_id=mine)).text
    assert names(panel) == ["Mine", "Ours"]


@pytest.mark.parametrize(
    ("name", "why"),
    [("", "Must not be empty."), ("x" * 61, "Longer than 60 characters."), ("a\x07b", "Control characters")],
)
def test_a_name_that_is_none_keeps_nothing(panel: Visitor, name: str, why: str) -> None:
    page = panel.follow(panel.post(KEEP, name=name, query="status=pending")).text
    assert "The view is not kept." in page
    assert why in page
    assert names(panel) == []
