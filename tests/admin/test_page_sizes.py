"""A page is as large among ten times as many orders."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

from flask import Flask
from sqlalchemy import insert

from orders_app.extensions import db
from orders_app.orders.models import Order, OrderLine
from orders_app.shared.clock import utcnow
from tests import factories
from tests.admin.visitor import Visitor

FEW = 120
"""More than a page holds, so that it is full both times."""
STATUSES = ("pending", "confirmed", "completed", "cancelled")
PAGES = ("", "orders/", "orders/?page=1", "orders/?status=pending,completed&sort=3", "users/")
SLIGHTLY = 0.02


def add(app: Flask, first: int, number: int) -> None:
    """Orders of the last weeks, each of two lines."""
    with app.app_context():
        session = db.session()
        owner = factories.user_id(app, "alice")
        numbers = range(first, first + number)
        ids = {number: uuid4() for number in numbers}
        session.execute(insert(Order), [_order(ids[number], owner, number) for number in numbers])
        lines = [
            {
                "id": uuid4(),
                "order_id": ids[number],
                "position": position,
                "name": "Lamp",
                "name_folded": "lamp",
                "price_cents": 1250,
                "quantity": 2,
            }
            for number in numbers
            for position in (0, 1)
        ]
        session.execute(insert(OrderLine), lines)
        session.commit()
        db.session.remove()


def _order(order_id: UUID, owner: UUID, number: int) -> dict[str, object]:
    at = utcnow() - timedelta(hours=number % 600, seconds=1)
    return {
        "id": order_id,
        "user_id": owner,
        "status": STATUSES[number % 4],
        "total_price_cents": 5000,
        "is_deleted": False,
        "created_at": at,
        "updated_at": at,
        "version": 1,
    }


def test_pages_do_not_grow_with_the_data(app: Flask, panel: Visitor) -> None:
    sizes: list[dict[str, int]] = []
    for first, number in ((0, FEW), (FEW, 9 * FEW)):
        add(app, first, number)
        answers = {path: panel.get(f"/admin/{path}") for path in PAGES}
        assert {answer.status_code for answer in answers.values()} == {200}
        assert f"{(first + number):,}" in answers["orders/"].text
        sizes.append({path: len(answer.data) for path, answer in answers.items()})
    few, many = sizes
    grown = {path: many[path] / few[path] - 1 for path in PAGES}
    assert {path: growth for path, growth in grown.items() if abs(growth) > SLIGHTLY} == {}
