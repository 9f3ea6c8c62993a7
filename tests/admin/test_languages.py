"""Every page in the language of who reads it, times in their zone, and nothing left untranslated."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from flask import Flask

from config import ROOT
from orders_app.admin.frame import messages
from orders_app.admin.frame.languages import LANGUAGES
from orders_app.orders.domain import OrderStatus, allowed_transitions, check_transition
from orders_app.shared.errors import Conflict
from orders_app.shared.identity import Role
from tests.admin.visitor import Visitor, made_order, order_fields
from tests.callers import ORDERS, Caller

TRANSLATIONS = ROOT / "orders_app" / "admin" / "translations"
RUSSIAN = {"Accept-Language": "ru-RU,ru;q=0.9,en;q=0.5"}
OTHERS = sorted(set(LANGUAGES) - {"en"})


def gathered(folder: Path) -> Any:
    """What the panel says now, as `make translations` gathers it."""
    makefile = (ROOT / "Makefile").read_text()
    words = makefile.partition("\nMESSAGES := ")[2].partition("\n")[0].split()
    pot = folder / "panel.pot"
    subprocess.run(
        [
            *(sys.executable, "-m", "babel.messages.frontend", "-q", "extract"),
            *("-F", str(TRANSLATIONS / "babel.cfg"), *(part for word in words for part in ("-k", word))),
            *("-o", str(pot), "."),
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return read_po(io.BytesIO(pot.read_bytes()))


def catalogue(read: Any) -> dict[Any, Any]:
    """Its messages by their texts, of which those with a plural have two."""
    return {
        tuple(message.id) if isinstance(message.id, (list, tuple)) else message.id: message
        for message in read
        if message.id
    }


def texts_of(message: Any) -> tuple[str, ...]:
    """What it becomes: one text, or one for each form of the plural."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


@pytest.mark.parametrize("language", OTHERS)
def test_all_that_the_panel_says_is_translated(tmp_path: Path, language: str) -> None:
    folder = TRANSLATIONS / language / "LC_MESSAGES"
    there = catalogue(read_po(io.BytesIO((folder / "panel.po").read_bytes()), locale=language))
    assert there.keys() == catalogue(gathered(tmp_path)).keys(), "make translations"
    for message in there.values():
        assert all(texts_of(message)), message.id
        assert not message.fuzzy, message.id
        assert not message.check(), message.id
    compiled = catalogue(read_mo(io.BytesIO((folder / "panel.mo").read_bytes())))
    strings = {key: texts_of(message) for key, message in there.items()}
    assert {key: texts_of(message) for key, message in compiled.items()} == strings, "make translations"


def test_a_page_is_in_the_language_of_the_browser(panel: Visitor, admin: Caller) -> None:
    made_order(admin, products=[{"name": "Чайник", "price": "1234.50", "quantity": 1}])
    page = panel.get("/admin/orders/", headers=RUSSIAN).text
    assert '<html lang="ru">' in page
    assert ">Новый заказ<" in page
    assert ">ожидает<" in page
    assert "1\xa0234,50" in page
    english = panel.get("/admin/orders/", headers={"Accept-Language": "fr, en-GB;q=0.5"}).text
    assert '<html lang="en">' in english
    assert ">pending<" in english
    assert "1,234.50" in english


def test_what_is_refused_is_told_in_the_language_too(panel: Visitor) -> None:
    fields = order_fields(("", "-1", "1"), total_price="x" * 30)
    data = {"csrf_token": panel.token(), **fields}
    page = panel.client.post("/admin/orders/new/", data=data, headers=RUSSIAN)
    assert page.status_code == 422
    for text in ("Не должно быть пустым.", "Не должно быть отрицательным.", "Это не сумма."):
        assert text in page.text
    gone = panel.get("/admin/orders/details/?id=nonsense", headers=RUSSIAN)
    assert (gone.status_code, "Не найдено" in gone.text) == (404, True)


def test_who_comes_first_does_not_choose_for_others(panel: Visitor, admin: Caller) -> None:
    order = made_order(admin)
    admin.delete(f"{ORDERS}{order['order_id']}/")
    path = f"/admin/orders/details/?id={order['order_id']}"
    assert ">deleted<" in panel.get(path).text
    page = panel.get(path, headers=RUSSIAN).text
    assert ">удалён<" in page
    assert ">deleted<" not in page


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("nothing/", 404, "Такой страницы нет."),
        ("orders/delete/", 405, "Так эту страницу открыть нельзя."),
    ],
)
def test_what_the_framework_refuses_is_told_in_the_language_too(
    panel: Visitor, path: str, status: int, said: str
) -> None:
    answer = panel.get(f"/admin/{path}", headers=RUSSIAN)
    assert (answer.status_code, said in answer.text) == (status, True)


@pytest.mark.parametrize("accepted", ["", "*", "tlh", "ru\0", "-", "en-XX", "x" * 5000, "ru;q=nonsense"])
def test_a_strange_header_is_no_error(panel: Visitor, accepted: str) -> None:
    headers = {"Accept-Language": accepted} if "\0" not in accepted else {}
    assert panel.get("/admin/", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("zone", "known"),
    [("Europe/Moscow", True), ("../../etc/passwd", False), ("/etc/localtime", False), ("Mars/Crater", False)],
)
def test_times_are_those_of_the_browser(panel: Visitor, admin: Caller, zone: str, known: bool) -> None:
    order = made_order(admin)
    panel.client.set_cookie("orders_time_zone", zone, path="/admin")
    page = panel.get(f"/admin/orders/details/?id={order['order_id']}")
    assert page.status_code == 200
    assert f"Times are those of {zone if known else 'UTC'}." in page.text


def test_texts_that_name_something_are_recognised(app: Flask) -> None:
    """As the services and the schemas put them: a change of a text there has to be one here."""
    with pytest.raises(Conflict) as refused:
        check_transition(OrderStatus.COMPLETED, OrderStatus.PENDING, Role.ADMIN)
    assert not allowed_transitions(OrderStatus.COMPLETED, Role.ADMIN)
    with app.test_request_context(headers=RUSSIAN):
        assert messages.said(refused.value.detail) == (
            "Заказ со статусом «выполнен» не может получить статус «ожидает»."
        )
        assert messages.said("Longer than 255 characters.") == "Длиннее 255 символов."
        assert messages.said("100 % of what nobody translated") == "100 % of what nobody translated"
        assert messages.said("") == ""
