"""Values in bodies: what a field takes, and what it refuses.  Nothing here is a 5xx."""

from __future__ import annotations

import json
import unicodedata
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from tests import factories
from tests.admin.visitor import Visitor
from tests.callers import ORDERS, USERS, Caller, path_of
from tests.cases.operations import each, measured
from tests.factories import body, line

WHERE = ["POST", "PUT", "PATCH"]


def send(caller: Caller, method: str, sent: Any) -> Any:
    """Make an order of it, or change one into it."""
    path = ORDERS if method == "POST" else path_of(caller.order())
    return caller(method, path, sent)


def refused(caller: Caller, field: str, value: Any, methods: list[str] = WHERE) -> bool:
    """Whether a line with this value is refused by every method, in few words, by the name of the field."""
    changed = path_of(caller.order()) if "PUT" in methods else ""
    for method in methods:
        sent = {"products": [line(), line(**{field: value})]}
        answer = caller(method, ORDERS if method == "POST" else changed, sent)
        if answer.status_code != 422:
            return False
        assert len(answer.data) < 1000
        assert list(answer.get_json()["errors"]["json"]["products"]["1"]) == [field]
    return True


def raw_line(field: str, number: str) -> bytes:
    values = {"name": '"a"', "price": "1", "quantity": "1", field: number}
    members = ", ".join(f'"{name}": {value}' for name, value in values.items())
    return f'{{"products": [{{{members}}}]}}'.encode()


@pytest.mark.parametrize("place", ["a\0b", "\0", "a\0", "\0a", "\0" * 300], ids=ascii)
def test_in07_nul_is_in_no_text(app: Flask, admin: Caller, place: str) -> None:
    assert refused(admin, "name", place)
    for sent in (
        body(status=place),
        body(user=place),
        body(total_price=place),
        body(**{place: 1}),
        body(products=[line(price=place)]),
        body(products=[line(quantity=place)]),
        body(products=[line(product_id=place)]),
    ):
        assert admin.post(ORDERS, sent).status_code == 422
    # What is not applied may be anything.
    assert admin.post(ORDERS, body(reference=place, source=place, order_id=place)).status_code == 201
    for account in (
        {"username": place, "password": "long enough"},
        {"username": "zoe", "password": f"long enough{place}"},
        {"username": "zoe", "password": "long enough", "role": place},
    ):
        assert admin.post(USERS, account).status_code == 422
        assert admin.patch(f"{USERS}{factories.user_id(app, 'bob')}/", account).status_code == 422
    for query in ("q", "user", "reference", "status", "ordering", "min_price", "created_after"):
        assert admin.get(ORDERS, query={query: place}).status_code == 422
    assert admin.get(ORDERS, query={"cursor": place}).status_code == 400


@each(
    "value",
    [
        *(2**31, 2**32, 2**63, 2**64, 10**30, -(2**31), -1, 1.5, 1e400, 1e30, 2147483647.5, float("nan")),
        *(
            str(2**31),
            str(2**63),
            str(10**30),
            "1e3",
            "-1",
            "1.5",
            "1.0",
            "many",
            "1_0",
            " 1",
            "１",
            "٣",
            "",
            "+1",
        ),
        *(True, False, None, [], {}, [1]),
    ],
)
def test_in14_a_quantity_is_a_whole_number_within_bounds(alice: Caller, value: Any) -> None:
    assert refused(alice, "quantity", value, WHERE if isinstance(value, str) else ["POST"])


def test_in14_the_largest_quantity_is_kept(alice: Caller) -> None:
    for value, kept in ((2**31 - 1, 2**31 - 1), ("2147483647", 2**31 - 1), (5.0, 5), ("0", 0), (1e3, 1000)):
        order = alice.order(products=[line(quantity=value)], total_price="1")
        assert alice.read(order).get_json()["products"][0]["quantity"] == kept


HOSTILE = [
    *("NaN", "-NaN", "sNaN", "nan", "Infinity", "-Infinity", "inf", "1e400", "1e308", "-1e400", "1e10"),
    *("1e99999999", "1e1000000000", "9e999999999999999999", "1e-400", "1E+400", "0e99999999999999999999x"),
]


@each("number", HOSTILE)
def test_in16_a_price_is_a_finite_number(app: Flask, alice: Caller, number: str) -> None:
    """Raw and quoted, of a line and of the whole, in a body and in a query."""
    for text in (number, json.dumps(number)):
        total = f'{{"products": [{{"name": "a", "price": 1, "quantity": 1}}], "total_price": {text}}}'
        for raw in (raw_line("price", text), raw_line("quantity", text), total.encode()):
            answer = alice.post(ORDERS, raw=raw)
            # What JSON has no word for is malformed if it is not even a number that some readers know.
            is_json = text.startswith('"') or text in {"NaN", "Infinity", "-Infinity"} or text[-1].isdecimal()
            assert answer.status_code == (422 if is_json else 400), raw
            assert len(answer.data) < 1000
    for name in ("min_price", "max_price"):
        assert alice.get(ORDERS, query={name: number}).status_code == 422
    assert alice.orders() == []


@each("number", ["1e99999999", "1e1000000", "1e1000000000", "9.99e99999999", "1e-99999999"])
def test_in17_a_huge_exponent_costs_nothing(app: Flask, alice: Caller, number: str) -> None:
    """Neither time nor an answer that writes it out."""
    for field in ("price", "quantity"):
        for text in (number, f'"{number}"'):
            raw = raw_line(field, text)
            answer = measured(app, "POST", ORDERS, raw=raw, authorization=alice.authorization or "")
            assert answer.status == 422
            assert len(answer.body) < 1000
            assert answer.seconds < 0.1
    path = f"{ORDERS}?min_price={number}"
    assert alice.get(path).status_code == 422


@pytest.mark.parametrize(
    "amount", ["1.005", "0.001", "2.675", "1.000", "0.999", "9999999999.991", "1e-3", "1.10000", "-0.001"]
)
def test_in19_an_amount_is_never_rounded(alice: Caller, amount: str) -> None:
    assert refused(alice, "price", amount)
    for text in (amount, f'"{amount}"'):
        assert alice.post(ORDERS, raw=raw_line("price", text)).status_code == 422
        total = b'{"products": [{"name": "a", "price": 1, "quantity": 1}], "total_price": %s}' % text.encode()
        assert alice.post(ORDERS, raw=total).status_code == 422
    assert {order["total_price"] for order in alice.orders()} <= {"84.00"}, "those to be changed, unchanged"


@each("amount", ["0.01", "0.10", "1.1", "2.67", "1e2", "4.35", "9999999999.99", "0.29", "-0"])
def test_in19_what_has_two_places_is_kept_to_the_cent(alice: Caller, amount: str) -> None:
    for text in (amount, f'"{amount}"'):
        answer = alice.post(ORDERS, raw=raw_line("price", text))
        order = alice.read(answer.get_json()).get_json()
        assert Decimal(order["products"][0]["price"]) == Decimal(amount) == Decimal(order["total_price"])
        assert order["total_price"] == f"{abs(Decimal(amount)):.2f}"


@each(
    "amount",
    [
        *("10000000000", "10000000000.00", "9999999999.995", "99999999999999999999.99", "-1", "-0.01"),
        *(
            10**10,
            10**30,
            1e300,
            -1,
            True,
            None,
            [],
            {},
            "",
            " ",
            "0x10",
            "1_0",
            "１２",
            "٣",
            "1,5",
            "9" * 5000,
            "+ 1",
        ),
    ],
)
def test_in20_an_amount_fits_its_column(alice: Caller, amount: Any) -> None:
    assert refused(alice, "price", amount, ["POST"])
    assert alice.post(ORDERS, body(total_price=amount)).status_code == 422
    assert alice.patch(path_of(alice.order()), {"total_price": amount}).status_code == 422


@pytest.mark.parametrize(
    "lines",
    [
        [line(price="9999999999.99", quantity=2)],
        [line(price="9999999999.99", quantity=2**31 - 1)],
        [line(price="9999999999.99", quantity=1), line(price="0.01", quantity=1)],
        [line(price="9999999999.99", quantity=2**31 - 1)] * 2000,
    ],
    ids=lambda lines: f"{len(lines)} of {lines[0]['quantity']}",
)
def test_in20_the_sum_fits_its_column(alice: Caller, lines: list[dict[str, Any]]) -> None:
    for method in WHERE:
        answer = send(alice, method, {"products": lines})
        assert answer.status_code == 422
        assert "total_price" in answer.get_json()["errors"]["json"]
    fits = alice.order(products=lines[:20], total_price="9999999999.99")
    assert alice.read(fits).get_json()["total_price"] == "9999999999.99", "taken as given when given"


FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


@each(
    "name, kept",
    [
        ("x", "x"),
        ("x" * 255, "x" * 255),
        ("  x  ", "x"),
        ("\u00a0x\u3000", "x"),
        (" " * 300 + "x" + " " * 300, "x"),
        ("e\u0301", "\u00e9"),
        ("e\u0301" * 255, "\u00e9" * 255),
        ("\u212b", "\u00c5"),
        ("z\u0351\u036b\u0343\u036a\u0302", unicodedata.normalize("NFC", "z\u0351\u036b\u0343\u036a\u0302")),
        (FAMILY, FAMILY),
        (FAMILY * 51, FAMILY * 51),
        ("\U0001f600" * 255, "\U0001f600" * 255),
        ("\u05e9\u05dc\u05d5\u05dd", "\u05e9\u05dc\u05d5\u05dd"),
        ("a\u200bb", "a\u200bb"),
    ],
)
def test_in23_names_are_counted_in_code_points_and_kept_as_nfc(alice: Caller, name: str, kept: str) -> None:
    order = alice.order(products=[line(name=name)])
    for found in (order, alice.read(order).get_json(), alice.orders()[0]):
        assert found["products"][0]["name"] == kept
    same = alice.put(path_of(order), {**order, "products": [{**order["products"][0], "name": name}]})
    assert same.get_json()["version"] == 1, "another spelling of the same name changes nothing"


@each(
    "name",
    [
        *("", " ", "   ", "\u00a0", "\u3000\u2003", "\u200b", "\u200b\u200d\ufeff", "\u2060", "\u00ad"),
        *("x" * 256, "\U0001f600" * 256, FAMILY * 52, "x" * 100_000, "e\u0301" * 256),
        *(
            "\u202ea",
            "a\u202db",
            "a\u2066b\u2069",
            "\u2028",
            "a\u2028b",
            "a\u2029b",
            "a\nb",
            "a\tb",
            "a\x1bb",
            "a\x85b",
        ),
        *("\uffff", "\U000e0fff\U0010ffff", "a\ufdd0b"),
        *(5, None, True, [], {}, ["x"]),
    ],
)
def test_in23_what_is_no_name(alice: Caller, name: Any) -> None:
    assert refused(alice, "name", name, WHERE if name in ("", "\u2028", "a\nb") else ["POST"])


VERBATIM = [
    "'; DROP TABLE orders; --",
    '" OR ""="',
    "%",
    "_",
    "100%_",
    "\\",
    "\\'",
    "\\x00",
    "{{7*7}}",
    "{% debug %}",
    "${jndi:ldap://127.0.0.1/x}",
    "../../../etc/passwd",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "%s%n%d{0}",
    "=1+1",
    "null",
    "https://example.org/?a=b&c=d#e",
]


@pytest.mark.parametrize("name", VERBATIM)
def test_in24_names_are_text_and_nothing_else(app: Flask, alice: Caller, admin: Caller, name: str) -> None:
    """Kept and returned as they are; found by themselves alone; shown by the panel, not run."""
    order = alice.order(products=[line(name=name)])
    alice.order(products=[line(name="something else")])
    assert order["products"][0]["name"] == name
    assert alice.read(order).get_json() == order
    assert alice.orders(q=name) == [order]
    changed = alice.patch(path_of(order), {"products": [line(name=f"{name} {name}")]}).get_json()
    assert changed["products"][0]["name"] == f"{name} {name}"
    history = alice.get(path_of(order, "events")).get_json()
    assert history[1]["changes"]["products"][0][0]["name"] == name
    page = Visitor.logged_in(app).get(f"/admin/orders/details/?id={order['order_id']}").text
    # Times and ids may hold a 49 of their own; what was worked out would stand twice.
    assert "49 49" not in page
    for tag in ("<script>alert", "<img src=x"):
        assert tag not in page
    assert len(admin.orders()) == 2


def test_in35_what_each_method_needs(alice: Caller) -> None:
    order = alice.order(status="confirmed")
    path = path_of(order)
    incomplete: list[dict[str, Any]] = [{}, {"status": "pending"}, {"total_price": "1"}, {"products": None}]
    for sent in incomplete:
        answer = alice.put(path, sent)
        assert answer.status_code == 422
        assert "products" in answer.get_json()["errors"]["json"]
    nothing = alice.patch(path, {})
    assert nothing.status_code == 200
    assert nothing.get_json() == order
    assert nothing.headers["ETag"] == alice.read(order).headers["ETag"]
    for field in ("products", "status", "total_price"):
        answer = alice.patch(path, {field: None})
        assert answer.status_code == 422
        assert list(answer.get_json()["errors"]["json"]) == [field]
    assert alice.read(order).get_json() == order
    assert len(alice.get(path_of(order, "events")).get_json()) == 1


def test_in36_an_order_has_a_line(alice: Caller) -> None:
    order = alice.order()
    empty: list[dict[str, Any]] = [{}, {"status": "confirmed"}, order]
    for sent in ({**others, "products": []} for others in empty):
        for method in ("PATCH", "PUT"):
            answer = alice(method, path_of(order), sent)
            assert answer.status_code == 422
            assert "products" in answer.get_json()["errors"]["json"]
        assert alice.post(ORDERS, sent).status_code == 422
    assert alice.read(order).get_json() == order


@pytest.mark.parametrize(
    "status", ["nope", "PENDING", "Pending", " pending", "", None, 0, ["pending"], {}, True]
)
def test_in38_a_status_is_one_of_four(alice: Caller, status: Any) -> None:
    order = alice.order()
    assert alice.post(ORDERS, body(status=status)).status_code == 422
    assert alice.put(path_of(order), body(status=status)).status_code == 422
    assert alice.patch(path_of(order), {"status": status}).status_code == 422
    assert alice.orders() == [order]
