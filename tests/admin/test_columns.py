"""The columns of the list that somebody chose: theirs alone, kept on the server, for nothing in queries."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from orders_app.admin.orders.columns import ARRANGED
from orders_app.admin.orders.filters import COLUMNS, USUAL
from orders_app.desk.domain import Preferences
from orders_app.desk.repository import get_preferences
from orders_app.desk.services import set_preferences
from orders_app.extensions import read_connection, unit_of_work
from orders_app.orders import services
from orders_app.shared.money import cents_text
from tests import factories
from tests.admin.visitor import Visitor, listed, made_order, text_of
from tests.api.test_queries import statements
from tests.callers import USERS, Caller

LIST = "/admin/orders/"
CHOOSE = "/admin/orders/columns/"
PASSWORD = "maria-password-1"
USUAL_HEADINGS = ["Order", "Owner", "Status", "Total", "Lines", "Created", "Changed"]


def headings(page: str) -> list[str]:
    """What stands above the columns."""
    return [
        text_of(part)
        for part in re.findall(r'<th scope="col" class="[^"]*col-[^>]*>(.*?)</th>', page, re.DOTALL)
    ]


def cells(page: str) -> dict[str, str]:
    """The first row, by the headings that a phone shows in it."""
    row = page.partition("<tbody>")[2].partition("</tr>")[0]
    found = re.findall(r'<td data-label="([^"]+)"[^>]*>(.*?)</td>', row, re.DOTALL)
    return {label: text_of(part) for label, part in found}


def ticked(page: str) -> list[str]:
    return re.findall(r'name="column" value="(\w+)" checked', page)


def test_every_column_has_its_place() -> None:
    assert sorted(ARRANGED) == sorted(COLUMNS)
    assert [name for name in ARRANGED if name in USUAL] == list(USUAL)


def test_all_columns_can_be_shown(panel: Visitor, app: Flask) -> None:
    lines = [factories.order_line(name=name, quantity=3) for name in ("Kettle", "Чайник", "Cup", "Tray")]
    with app.app_context(), unit_of_work() as uow:
        new = factories.new_order(*lines, owner="alice", source="shop", reference="A-1")
        order = services.create_order(uow, actor=factories.actor("admin"), new=new)
    assert headings(panel.get(LIST).text) == USUAL_HEADINGS
    told = panel.follow(panel.post(CHOOSE, column=list(COLUMNS), back=LIST)).text
    assert "The list shows the columns that you chose." in told
    assert ticked(told) == list(ARRANGED)
    found = cells(told)
    assert list(found) == headings(told)
    assert len(found) == len(COLUMNS)
    assert (found["Reference"], found["Source"], found["Version"], found["Deleted"]) == (
        "A-1",
        "shop",
        "1",
        "no",
    )
    assert (found["Lines"], found["Pieces"]) == ("4", "12")
    assert found["Products"] == "Kettle, Чайник and 2 more"
    assert (found["Owner"], found["Total"]) == ("alice", f"{float(cents_text(order.total_price_cents)):,.2f}")


def test_a_choice_is_kept_and_forgotten(app: Flask, panel: Visitor, admin: Caller) -> None:
    order = made_order(admin)
    admin.delete(f"/api/v1/orders/{order['order_id']}/")
    kept = made_order(admin)
    back = f"{LIST}?status=pending&sort=3&page_size=20"
    answer = panel.post(CHOOSE, column=["status", "is_deleted"], back=back)
    assert answer.location == back
    page = panel.follow(answer).text
    assert headings(page) == ["Order", "Status", "Deleted"]
    assert "The usual ones" in page
    assert cells(panel.get(f"{LIST}?is_deleted=true").text)["Deleted"] == "yes"
    other_browser = Visitor.logged_in(app)
    assert headings(other_browser.get(LIST).text) == ["Order", "Status", "Deleted"]
    # What it is sorted by need not be shown, and links name the same column as ever.
    assert listed(other_browser, sort="3") == [kept["order_id"]]
    assert 'href="/admin/orders/?sort=2&amp;' in other_browser.get(LIST).text
    again = panel.follow(panel.post(CHOOSE, usual="1", column=["version"])).text
    assert "The list shows the usual columns again." in again
    assert headings(again) == USUAL_HEADINGS
    assert "The usual ones" not in again


def test_one_column_always_remains(panel: Visitor, admin: Caller) -> None:
    order = made_order(admin)
    for sent in ({}, {"column": ["nonsense", "\0", "x" * 5_000]}):
        page = panel.follow(panel.post(CHOOSE, **sent)).text
        assert headings(page) == ["Order"]
        assert listed(panel) == [order["order_id"]]
        assert re.search(r'value="order_id" checked disabled', page)


def test_a_choice_is_of_one_person_and_leaves_their_language(
    app: Flask, panel: Visitor, admin: Caller
) -> None:
    made_order(admin)
    admin("POST", USERS, {"username": "maria", "password": PASSWORD, "role": "admin"})
    colleague = Visitor(app)
    colleague.log_in("maria", PASSWORD)
    panel.post("/admin/me/preferences/", locale="ru", time_zone="Europe/Moscow")
    page = panel.follow(panel.post(CHOOSE, column=["version"])).text
    assert headings(page) == ["Заказ", "Версия"]
    assert headings(colleague.get(LIST).text) == USUAL_HEADINGS
    panel.post("/admin/me/preferences/", locale="en", time_zone="")
    assert headings(panel.get(LIST).text) == ["Order", "Version"]


def test_a_column_that_is_no_more_is_passed_over(app: Flask, panel: Visitor, admin: Caller) -> None:
    made_order(admin)
    panel.post(CHOOSE, column=["status"])
    columns = {"orders": ["weather", "status"], "other": ["name"]}
    user_id = factories.user_id(app, "admin")
    with app.app_context(), unit_of_work() as uow:
        set_preferences(uow, user_id=user_id, preferences=Preferences(columns=columns), locales=())
    assert headings(panel.get(LIST).text) == ["Order", "Status"]
    panel.post(CHOOSE, usual="1")
    with app.app_context(), read_connection() as connection:
        assert get_preferences(connection, user_id).columns == {"other": ["name"]}


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example/", "/admin/login/", "javascript:1"])
def test_it_leads_back_to_the_panel_only(panel: Visitor, back: str) -> None:
    assert panel.post(CHOOSE, back=back).location == LIST


def test_more_columns_cost_no_more_statements(app: Flask, panel: Visitor, admin: Caller) -> None:
    for _ in range(3):
        made_order(admin)
    panel.get(LIST)
    with statements(app) as few:
        panel.get(LIST)
    panel.post(CHOOSE, column=list(COLUMNS))
    with statements(app) as all_of_them:
        assert "Version" in panel.get(LIST).text
    assert len(all_of_them) == len(few)
