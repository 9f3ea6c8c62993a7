"""The examples of the documentation: the original service's own, with today's further keys."""

from __future__ import annotations

from typing import Any, Final

from orders_app.orders.domain import OrderStatus, allowed_transitions
from orders_app.shared.identity import Role

BODY: Final[dict[str, Any]] = {
    "status": OrderStatus.CANCELLED.value,
    "total_price": "229",
    "products": [{"name": "affe", "price": "42", "quantity": 0}],
}

ANSWER: Final[dict[str, Any]] = {
    "order_id": "019ab0f2-6f6e-7cc3-9b9e-4f2f3c1d8a55",
    "user": "admin",
    "status": OrderStatus.CANCELLED.value,
    "total_price": "229.00",
    "products": [
        {
            "product_id": "019ab0f2-6f6e-7cc3-9b9e-4f3b8ad0e1c4",
            "name": "affe",
            "price": "42.00",
            "quantity": 0,
        }
    ],
    "is_deleted": False,
    "created_at": "2026-11-23T06:33:00.123456Z",
    "updated_at": "2026-11-23T06:33:00.123456Z",
    "version": 1,
    "allowed_transitions": [
        status.value for status in allowed_transitions(OrderStatus.CANCELLED, Role.ADMIN)
    ],
    "source": None,
    "reference": None,
}
