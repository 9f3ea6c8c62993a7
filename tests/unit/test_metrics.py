"""Labels that nobody can multiply."""

from __future__ import annotations

import pytest

from orders_app.http.metrics import METHODS, endpoint_label


@pytest.mark.parametrize(
    ("rule", "label"),
    [
        ("/api/v1/orders/", "/api/v1/orders/"),
        ("/api/v1/orders/<order_id>/", "/api/v1/orders/{order_id}/"),
        ("/a/<uuid:x>/<int(min=1):y>/b", "/a/{x}/{y}/b"),
        ("/static/<path:filename>", "/static/{filename}"),
    ],
)
def test_a_rule_is_written_as_openapi_does(rule: str, label: str) -> None:
    assert endpoint_label(rule) == label


def test_the_methods_are_a_closed_list() -> None:
    assert {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} == METHODS
