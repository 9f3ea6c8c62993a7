"""Labels that nobody can multiply."""

from __future__ import annotations

import pytest

from orders_app.http.metrics import METHODS, OrdersByStatus, endpoint_label


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


def test_the_database_is_not_asked_at_every_scrape() -> None:
    asked = []

    def count() -> dict[str, int]:
        asked.append(1)
        return {"pending": 2}

    collector = OrdersByStatus(count, seconds=60)
    families = [list(collector.collect()) for _ in range(3)]
    assert len(asked) == 1
    assert families[2][0].samples[0].labels == {"status": "pending"}
    assert families[2][0].samples[0].value == 2
