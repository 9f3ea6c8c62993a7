"""The check of answers finds a wrong one and a stale one."""

from __future__ import annotations

import http.client
import json
import math
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest

from benchmarks.checking import (
    cents_text,
    change_and_read_back,
    check_orders,
    check_page,
    check_served,
    differences,
)
from benchmarks.contenders import Contender
from benchmarks.dataset import OWNERS, Dataset, SampleOrder, SampleUser
from benchmarks.load import Request, Voided
from tests.server.processes import Answer

DATASET = Dataset.of(300)
ORDER = DATASET.orders[0]


def shown(order: SampleOrder, total: int) -> dict[str, Any]:
    """The order as every contender is to answer it."""
    lines = [
        {
            "product_id": str(row.line_id),
            "name": row.name,
            "price": cents_text(row.price_cents),
            "quantity": row.quantity,
        }
        for row in order.lines
    ]
    return {
        "order_id": str(order.order_id),
        "user": order.owner.name,
        "status": order.status,
        "total_price": cents_text(total),
        "products": lines,
        "is_deleted": False,
        "created_at": order.created_at.isoformat().replace("+00:00", "Z"),
        "version": 1,
    }


class Server(Contender):
    """Answers from the data set; `spoil` is given each order before it is answered."""

    def __init__(self, spoil: Callable[[dict[str, Any]], object] = id, stale_from: float = math.inf) -> None:
        super().__init__("test", 0, Mock(), {})
        self.stored = {str(order.order_id): order.total_cents for order in DATASET.orders}
        self.before = dict(self.stored)
        self.spoil = spoil
        self.stale_from = stale_from
        self.reads = 0

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        user: SampleUser | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        assert user is not None
        if "?" in path:
            found, total = DATASET.page(user, int(path.partition("page=")[2].partition("&")[0]))
            return self.answer([self.shown(order) for order in found], {"total": total})
        [order] = [order for order in DATASET.orders if str(order.order_id) in path]
        if method == "PATCH":
            self.stored[str(order.order_id)] = round(float(body["total_price"]) * 100)
        return self.answer(self.shown(order))

    def shown(self, order: SampleOrder) -> dict[str, Any]:
        self.reads += 1
        known = self.before if self.reads > self.stale_from else self.stored
        answer = shown(order, known[str(order.order_id)])
        self.spoil(answer)
        return answer

    def answer(self, content: Any, pagination: Any = None) -> Answer:
        headers = http.client.HTTPMessage()
        headers["X-Pagination"] = json.dumps(pagination)
        return Answer(200, headers, json.dumps(content).encode())


def test_right_answers_pass() -> None:
    server = Server()
    check_orders(server, DATASET.orders[:3])
    check_page(server, DATASET, OWNERS[3], 2)
    change_and_read_back(server, DATASET.orders[-1], in_list=True)
    check_page(server, DATASET, DATASET.orders[-1].owner, 1)


WRONG: dict[str, Callable[[dict[str, Any]], object]] = {
    "user": lambda order: order.update(user="somebody"),
    "status": lambda order: order.pop("status"),
    "total_price": lambda order: order.update(total_price=float(order["total_price"])),
    "is_deleted": lambda order: order.update(is_deleted=True),
    "created_at": lambda order: order.update(created_at="2020-01-01T00:00:01Z"),
    "products": lambda order: order["products"].reverse(),
    "product_id": lambda order: order["products"][0].pop("product_id"),
    "price": lambda order: order["products"][1].update(price="1.00"),
    "quantity": lambda order: order["products"][2].update(quantity=0),
}


@pytest.mark.parametrize("field", WRONG)
def test_a_wrong_field_is_found(field: str) -> None:
    with pytest.raises(Voided, match=field):
        check_orders(Server(WRONG[field]), [ORDER])
    with pytest.raises(Voided, match=field):
        check_page(Server(WRONG[field]), DATASET, OWNERS[0])


def test_each_difference_is_named() -> None:
    answer = shown(ORDER, ORDER.total_cents)
    assert differences(ORDER, ORDER.total_cents, answer) == []
    assert differences(ORDER, ORDER.total_cents, {**answer, "created_at": None, "user": 1}) == [
        f"user is 1, not {ORDER.owner.name!r}",
        f"created_at is None, not {ORDER.created_at}",
    ]


@pytest.mark.parametrize("in_list", [False, True])
@pytest.mark.parametrize("stale_from", [1, 2, 4])
def test_a_stale_answer_after_a_change_is_found(in_list: bool, stale_from: int) -> None:
    with pytest.raises(Voided, match="total_price"):
        change_and_read_back(Server(stale_from=stale_from), DATASET.orders[-1], in_list=in_list)


def test_a_list_of_other_orders_is_found() -> None:
    lacking = Dataset(DATASET.orders[:-10], DATASET.by_id)
    with pytest.raises(Voided, match="other orders"):
        check_page(Server(), lacking, OWNERS[5])


def test_a_wrong_count_is_found() -> None:
    lacking = Dataset(DATASET.orders[10:], DATASET.by_id)
    with pytest.raises(Voided, match="30 orders of shop-5, not 29"):
        check_page(Server(), lacking, OWNERS[5])


def test_another_status_is_found() -> None:
    server = Server()
    server.answer = lambda *_: Answer(500, http.client.HTTPMessage(), b"oops")  # type: ignore[method-assign]
    with pytest.raises(Voided, match="500, not 200"):
        check_orders(server, [ORDER])


@pytest.mark.parametrize(
    ("statuses", "from_cache", "is_good"),
    [
        (["hit", "hit", "fwd=miss; stored", "hit"], True, True),
        (["hit", "fwd=miss", "fwd=miss", "fwd=miss"], True, False),
        (["fwd=bypass", "fwd=bypass"], False, True),
        (["fwd=bypass", "hit"], False, False),
        ([None, None], True, True),
    ],
)
def test_where_answers_come_from_is_checked(
    statuses: list[str | None], from_cache: bool, is_good: bool
) -> None:
    server, remaining = Server(), iter(statuses)

    def ask(*_: Any, **__: Any) -> Answer:
        headers = http.client.HTTPMessage()
        if status := next(remaining):
            headers["Cache-Status"] = f"orders; {status}"
        return Answer(200, headers, b"")

    server.ask = ask  # type: ignore[method-assign]
    requests = [Request("GET", "/")] * len(statuses)
    if is_good:
        check_served(server, requests, from_cache=from_cache)
    else:
        with pytest.raises(Voided, match="from its cache"):
            check_served(server, requests, from_cache=from_cache)
