"""The OpenAPI document: valid, complete and true.  (`Caller` holds every answer of the suite against it.)"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from openapi_spec_validator import validate

from orders_app.http.metrics import endpoint_label
from orders_app.orders.domain import OrderStatus
from tests import factories
from tests.callers import ORDERS, USERS, Caller
from tests.document import Document

METHODS = {"get", "post", "put", "patch", "delete"}
PUBLIC = {"/api/v1/login/", "/api/v1/refresh/", "/api/v1/logout/"}


@pytest.fixture
def document(app: Flask) -> Document:
    found: Document = app.extensions["orders_document"]
    return found


@pytest.fixture
def content(document: Document) -> dict[str, Any]:
    return document.content


def operations(content: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, item in content["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def test_the_document_is_valid(content: dict[str, Any]) -> None:
    assert content["openapi"].startswith("3.")
    validate(content)


def test_every_route_of_the_api_is_in_it(app: Flask, content: dict[str, Any]) -> None:
    served = {
        (endpoint_label(rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    documented = {(path, method) for path, method, _ in operations(content) if path.startswith("/api/")}
    assert documented == served


def test_both_schemes_are_on_everything_that_is_not_public(content: dict[str, Any]) -> None:
    schemes = content["components"]["securitySchemes"].values()
    assert {(scheme["type"], scheme["scheme"]) for scheme in schemes} == {
        ("http", "basic"),
        ("http", "bearer"),
    }
    for path, method, operation in operations(content):
        security = operation.get("security", content["security"])
        if path in PUBLIC:
            assert security == [], (path, method)
        elif path.startswith("/api/"):
            assert {name for entry in security for name in entry} == set(
                content["components"]["securitySchemes"]
            )
            assert "401" in operation["responses"], (path, method)


def test_every_operation_says_what_it_does(content: dict[str, Any]) -> None:
    for path, method, operation in operations(content):
        assert operation.get("summary"), (path, method)
        assert operation.get("tags"), (path, method)
        for status, answer in operation["responses"].items():
            assert answer.get("description") or "$ref" in answer, (path, method, status)


def test_every_operation_has_a_name_of_its_own(content: dict[str, Any]) -> None:
    """Generated clients call them by it."""
    names = [operation.get("operationId", "") for _, _, operation in operations(content)]
    assert all(re.fullmatch(r"[a-z][A-Za-z]+", name) for name in names), names
    assert len(set(names)) == len(names)


def test_links_lead_to_operations_and_fill_in_what_these_take(
    document: Document, content: dict[str, Any]
) -> None:
    targets = {operation["operationId"]: (path, operation) for path, _, operation in operations(content)}
    linked = set()
    for _, _, operation in operations(content):
        for answer in operation["responses"].values():
            for link in document.resolve(answer).get("links", {}).values():
                path, target = targets[link["operationId"]]
                taken = [*target.get("parameters", []), *content["paths"][path].get("parameters", [])]
                names = {name for item in taken for name in (item["name"], f"{item['in']}.{item['name']}")}
                filled = set(link.get("parameters", {}))
                assert filled <= names, link
                assert {item["name"] for item in taken if item.get("required")} <= filled, link
                assert "requestBody" not in link or "requestBody" in target, link
                linked.add(link["operationId"])
    assert linked >= {
        "readOrder",
        "changeOrder",
        "deleteOrder",
        "restoreOrder",
        "readOrderHistory",
        "changeUser",
    }


def test_the_links_of_a_new_order_can_be_followed(content: dict[str, Any], alice: Caller) -> None:
    made = alice.post(ORDERS, factories.body())
    links = content["paths"][ORDERS]["post"]["responses"]["201"]["links"]
    assert links["Change"]["parameters"] == {
        "order_id": "$response.body#/order_id",
        "header.If-Match": "$response.header.ETag",
    }
    path = f"{ORDERS}{made.get_json()['order_id']}/"
    condition = {"If-Match": made.headers["ETag"]}
    assert alice.patch(path, {"status": "confirmed"}, headers=condition).status_code == 200
    assert alice.patch(path, {"status": "pending"}, headers=condition).status_code == 412


def test_an_empty_parameter_is_documented_as_allowed(content: dict[str, Any]) -> None:
    """`tests/api/test_input.py` shows that it counts as not given."""
    found = [
        parameter
        for _, _, operation in operations(content)
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "query"
    ]
    assert found
    assert all(parameter["allowEmptyValue"] is True for parameter in found)


@pytest.mark.parametrize(
    ("schema", "field", "good", "bad"),
    [
        ("NewUser", "username", ["alice", "a b", "ä"], ["a:b", "a\nb", "a\u202eb", " "]),
        ("NewUser", "password", ["12345678", " pass word "], ["123\n4567", "\x7f1234567", "\x851234567"]),
        ("LineIn", "name", ["affe", "a:b"], ["a\u2028b", "a\u2066b", "\t"]),
        ("LineIn", "price", ["1.50", 1.5, "0"], ["١.50", "1.505", "-1"]),
    ],
)
def test_patterns_tell_what_is_taken(
    document: Document,
    content: dict[str, Any],
    admin: Caller,
    schema: str,
    field: str,
    good: list[Any],
    bad: list[Any],
) -> None:
    """The schema of a field and the service agree on each of these."""
    described = document.validator(content["components"]["schemas"][schema]["properties"][field])
    for value in [*good, *bad]:
        assert described.is_valid(value) is (value in good), value
        if schema == "LineIn":
            answer = admin.post(ORDERS, {"products": [factories.line(**{field: value})]})
        else:
            answer = admin.post(USERS, {"username": "carol", field: value})
        assert answer.status_code in ({201, 409} if value in good else {422}), (value, answer.text)


def test_what_has_a_body_documents_how_it_is_refused(content: dict[str, Any]) -> None:
    for path, method, operation in operations(content):
        if "requestBody" in operation:
            assert {"400", "413", "415", "422"} <= set(operation["responses"]), (path, method)


def test_the_statuses_are_the_domains(document: Document, content: dict[str, Any]) -> None:
    statuses = [status.value for status in OrderStatus]
    assert content["components"]["schemas"]["Order"]["properties"]["status"]["enum"] == statuses


def test_the_example_of_the_document_works(
    document: Document, content: dict[str, Any], admin: Caller
) -> None:
    media = content["paths"][ORDERS]["post"]
    body = media["requestBody"]["content"]["application/json"]
    example = body.get("example") or next(iter(body["examples"].values()))["value"]
    answer = admin.post(ORDERS, example)
    assert answer.status_code == 201
    shown = media["responses"]["201"]["content"]["application/json"]
    promised = shown.get("example") or next(iter(shown["examples"].values()))["value"]
    made = answer.get_json()
    assert set(promised) == set(made)
    for key in (
        "user",
        "status",
        "total_price",
        "is_deleted",
        "version",
        "allowed_transitions",
        "source",
        "reference",
    ):
        assert promised[key] == made[key], key
    document.validator(shown["schema"]).validate(promised)


def test_bodies_of_the_suite_fit_their_schemas(document: Document, content: dict[str, Any]) -> None:
    schema = content["paths"][ORDERS]["post"]["requestBody"]["content"]["application/json"]["schema"]
    good = {
        "products": [
            {"name": "a", "price": "1.00", "quantity": 1},
            {"name": "b", "price": 1.5, "quantity": "2"},
        ]
    }
    document.validator(schema).validate(good)


def test_answers_without_a_schema_are_noticed(document: Document, alice: Caller) -> None:
    """The check itself can fail."""
    answer = alice.get(ORDERS)
    answer.set_data(b'[{"order_id": 5}]')
    with pytest.raises(Exception, match=r"is not of type 'string'|is a required property"):
        document.check("GET", ORDERS, answer)
    answer.status_code = 418
    with pytest.raises(AssertionError):
        document.check("GET", ORDERS, answer)


@pytest.mark.parametrize("path", ["/swagger/", "/swagger"])
def test_swagger_ui_needs_no_other_host(anonymous: Caller, path: str) -> None:
    answer = anonymous.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    for source in re.findall(r"""(?:src|href)\s*=\s*["']([^"'#]+)""", answer.text):
        if not source.startswith("data:"):
            url = urlsplit(urljoin("http://localhost/swagger/", source))
            assert url.netloc == "localhost", source
            assert anonymous.get(url.path).status_code == 200, source
    policy = answer.headers["Content-Security-Policy"]
    scripts = next(part for part in policy.split(";") if part.strip().startswith("script-src"))
    assert "unsafe" not in scripts
    assert "http" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
