"""The confirmation of an order as a PDF: all of it, on any number of sheets, in any script."""

from __future__ import annotations

import io
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from pypdf import PdfReader

from orders_app.extensions import unit_of_work
from orders_app.orders import services
from orders_app.orders.domain import MOST_LINES
from tests import factories
from tests.admin.visitor import Visitor, edit_fields, made_order, text_of
from tests.callers import ORDERS, Caller

PDF = "/admin/orders/pdf/"
RUSSIAN = {"Accept-Language": "ru-RU,ru;q=0.9"}


def file_of(panel: Visitor, order: dict[str, Any], **more: Any) -> bytes:
    answer = panel.get(f"{PDF}?id={order['order_id']}", **more)
    assert (answer.status_code, answer.content_type) == (200, "application/pdf")
    return answer.data


def sheets(file: bytes) -> list[str]:
    """The text of each sheet, with single spaces."""
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(file), strict=True).pages]


def with_lines(number: int, **others: Any) -> dict[str, Any]:
    return {
        "products": [
            factories.line(name=f"Product {n}", price=f"{n}", quantity=2) for n in range(1, number + 1)
        ]
    } | others


def test_it_is_linked_and_tells_what_was_ordered(app: Flask, panel: Visitor) -> None:
    lines = [
        factories.order_line(name="Tea & <b>cake</b>", quantity=3),
        factories.order_line(name="Cup", quantity=1_000),
    ]
    with app.app_context(), unit_of_work() as uow:
        new = factories.new_order(*lines, owner="alice", source="shop", reference="A-1001")
        order_id = str(services.create_order(uow, actor=factories.actor("admin"), new=new).order_id)
    page = panel.get(f"/admin/orders/details/?id={order_id}").text
    [link] = re.findall(rf'<a class="button" href="({PDF}[^"]+)" download', page)
    panel.client.set_cookie("orders_time_zone", "Europe/Athens", path="/admin")
    answer = panel.get(link)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="order-{order_id[-8:]}.pdf"'
    assert answer.headers["Cache-Control"] == "no-store"
    [sheet] = sheets(answer.data)
    printed = text_of(panel.get(f"/admin/orders/print/?id={order_id}").text)
    moment = re.search(r"Date (.*?) Customer", printed)
    assert moment is not None
    for text in (
        "Order confirmation",
        f"Order {order_id}",
        "Reference A-1001",
        f"Date {moment[1]} (Europe/Athens)",
        "Customer alice",
        "Status pending",
        "No. Product Quantity Price Amount",
        "1 Tea & <b>cake</b> 3 ",
        "2 Cup 1,000 ",
        "Page 1 of 1",
    ):
        assert text in sheet
    # The sums are those of the page for paper.
    assert re.findall(r"[\d,]+\.\d\d", sheet) == re.findall(r"[\d,]+\.\d\d", printed)


def test_headings_are_repeated_and_sheets_are_counted(panel: Visitor, admin: Caller) -> None:
    order = made_order(admin, **with_lines(300))
    found = sheets(file_of(panel, order))
    assert len(found) > 5
    for place, sheet in enumerate(found, start=1):
        assert sheet.count("No. Product Quantity Price Amount") == 1
        assert f"Page {place} of {len(found)}" in sheet
        assert f"Order confirmation …{order['order_id'][-8:]}" in sheet
    whole = " ".join(found)
    assert re.findall(r"Product (\d+) 2 ", whole) == [str(n) for n in range(1, 301)]
    assert [place for place, sheet in enumerate(found, start=1) if "Order total" in sheet] == [len(found)]
    assert "Order total 90,300.00" in found[-1]
    assert "Product 300" in found[-1]


@pytest.mark.parametrize("lines", [*range(22, 34)])
def test_a_total_never_stands_on_a_sheet_of_its_own(panel: Visitor, admin: Caller, lines: int) -> None:
    """However many lines there are, as far as two sheets go."""
    found = sheets(file_of(panel, made_order(admin, **with_lines(lines, total_price="1"))))
    assert "Sum of the lines" in found[-1]
    assert f"Product {lines} " in found[-1]


def test_the_longest_order_of_the_longest_names(panel: Visitor, admin: Caller) -> None:
    names = ["W" * 255, "a longer name " * 17]
    lines = [factories.line(name=names[n % 2].strip(), price="9999", quantity=100) for n in range(MOST_LINES)]
    order = made_order(admin, products=lines)
    pages = PdfReader(io.BytesIO(file_of(panel, order))).pages
    last = " ".join(pages[-1].extract_text().split())
    assert f"Page {len(pages)} of {len(pages)}" in last
    assert re.findall(r"([\d,]+) a longer name ", last)[-1] == "2,000"
    assert "Order total 1,999,800,000.00" in last


@pytest.mark.parametrize(
    ("name", "is_written_as"),
    [
        ("Чайник «Заря»", None),
        ("Ελληνικός καφές", None),
        ("Ñandú, Łódź, Ďáblice, Þór", None),
        ("½ × 3 € — “quoted”", None),
        ("中文 한국어", "□□ □□□"),
        ("Pot \U0001fad6", "Pot □"),
        ("\U000f0000", "□"),
    ],
)
def test_every_script_is_written_and_what_the_font_lacks_breaks_nothing(
    panel: Visitor, admin: Caller, name: str, is_written_as: str | None
) -> None:
    order = made_order(admin, products=[factories.line(name=name), factories.line(name="Kettle")])
    [sheet] = sheets(file_of(panel, order))
    assert f"1 {is_written_as or name} 2 42.00 84.00 2 Kettle" in sheet


def test_the_same_version_is_the_same_file(panel: Visitor, admin: Caller) -> None:
    order = made_order(admin, **with_lines(60))
    once = file_of(panel, order)
    assert file_of(panel, order) == once
    assert (
        panel.post(
            f"/admin/orders/edit/?id={order['order_id']}", **edit_fields(order, status="confirmed")
        ).status_code
        == 302
    )
    assert file_of(panel, order) != once


def test_several_at_once_do_not_get_in_each_others_way(app: Flask, panel: Visitor, admin: Caller) -> None:
    orders = [
        made_order(admin, products=[factories.line(name=name * 9)])
        for name in ("Чай ", "Καφές ", "Žluť ", "Tea ")
    ]
    alone = [file_of(panel, order) for order in orders]
    visitors = [Visitor.logged_in(app) for _ in orders]
    with ThreadPoolExecutor(len(orders)) as pool:
        for _ in range(5):
            assert list(pool.map(file_of, visitors, orders)) == alone


def test_it_says_what_it_is_in_the_language_of_the_reader(panel: Visitor, admin: Caller) -> None:
    order = made_order(admin, user="alice")
    for headers, lang, title, text in (
        ({}, "en", "Order confirmation", "Page 1 of 1"),
        (RUSSIAN, "ru", "Подтверждение заказа", "Страница 1 из 1"),
    ):
        file = file_of(panel, order, headers=headers)
        reader = PdfReader(io.BytesIO(file))
        assert reader.metadata is not None
        assert reader.metadata.title == f"{title} …{order['order_id'][-8:]}"
        assert reader.metadata.creation_date is not None
        assert f"{reader.metadata.creation_date:%Y-%m-%dT%H:%M:%S}" == order["updated_at"][:19]
        assert str(reader.root_object["/Lang"]) == lang
        assert text in sheets(file)[0]


def test_a_deleted_order_is_called_so(panel: Visitor, admin: Caller) -> None:
    order = made_order(admin)
    admin.delete(f"{ORDERS}{order['order_id']}/")
    assert "Status pending, deleted" in sheets(file_of(panel, order))[0]


@pytest.mark.parametrize("query", ["", "?id=", "?id=1", "?id=019ab0f2-6f6e-7cc3-9b9e-4f2f3c1d8a55"])
def test_what_is_no_order_has_none(panel: Visitor, query: str) -> None:
    answer = panel.get(PDF + query)
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
