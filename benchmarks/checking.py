"""Whether answers are right: field by field what the data set says, and never what a change has replaced."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from benchmarks.contenders import ORDERS, Contender, path_of
from benchmarks.dataset import PAGE, Dataset, SampleOrder, SampleUser
from benchmarks.load import Request, Voided
from tests.server.processes import Answer

READ_BACK = 6
"""Reads after a change, each on a connection of its own, so that every worker has a turn."""


def cents_text(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def differences(order: SampleOrder, total_cents: int, answer: Mapping[str, Any]) -> list[str]:
    """What of this answer is not what the order is, in words; empty where all of it is right."""
    expected: dict[str, Any] = {
        "order_id": str(order.order_id),
        "user": order.owner.name,
        "status": order.status,
        "total_price": cents_text(total_cents),
        "is_deleted": False,
        "products": [
            {
                "product_id": str(line.line_id),
                "name": line.name,
                "price": cents_text(line.price_cents),
                "quantity": line.quantity,
            }
            for line in order.lines
        ],
    }
    found = [
        f"{name} is {answer.get(name)!r}, not {value!r}"
        for name, value in expected.items()
        if answer.get(name) != value
    ]
    if _moment(answer.get("created_at")) != order.created_at:
        found.append(f"created_at is {answer.get('created_at')!r}, not {order.created_at}")
    return found


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


def answered(contender: Contender, answer: Answer, status: int = 200) -> Any:
    """The JSON of an answer.  Raises `Voided` where the status is another one."""
    if answer.status != status:
        raise Voided(f"{contender.name} answered {answer.status}, not {status}: {answer.body[:300]!r}")
    return answer.json()


def check_orders(contender: Contender, orders: Iterable[SampleOrder]) -> None:
    """Read each as its owner.  Raises `Voided` for a wrong or stale answer."""
    for order in orders:
        answer = answered(contender, contender.ask("GET", path_of(order), user=order.owner))
        _hold(contender, order, answer)


def check_page(
    contender: Contender, dataset: Dataset, viewer: SampleUser, number: int = 1, status: str | None = None
) -> None:
    """Read a page of a list.  Raises `Voided` where it, or the count of all, is not what it should be."""
    expected, total = dataset.page(viewer, number, status)
    answer = contender.ask("GET", list_path(number, status), user=viewer)
    found = answered(contender, answer)
    if [row["order_id"] for row in found] != [str(order.order_id) for order in expected]:
        raise Voided(f"{contender.name}: page {number} of {viewer.name} holds other orders")
    for order, row in zip(expected, found, strict=True):
        _hold(contender, order, row)
    if total_in(answer) != total:
        raise Voided(f"{contender.name}: {total_in(answer)} orders of {viewer.name}, not {total}")


def list_path(number: int = 1, status: str | None = None) -> str:
    """Where a page of twenty is."""
    chosen = f"&status={status}" if status else ""
    return f"{ORDERS}?page={number}&page_size={PAGE}{chosen}"


def total_in(answer: Answer) -> int:
    """How many orders the list has that this is a page of."""
    return int(json.loads(answer.headers["X-Pagination"])["total"])


def count_orders(contender: Contender, admin: SampleUser) -> int:
    """How many orders there are."""
    answer = contender.ask("GET", list_path(), user=admin)
    answered(contender, answer)
    return total_in(answer)


def change_and_read_back(contender: Contender, order: SampleOrder, *, in_list: bool) -> None:
    """Change the total of an order on the first page of its owner, and read it as often as is telling.

    Raises `Voided` where any read, of the order or of the list, shows what the change replaced.
    """
    total = contender.total_of(order) + 101
    body = {"total_price": cents_text(total)}
    answered(contender, contender.ask("PATCH", path_of(order), body, user=order.owner))
    contender.totals[order.order_id] = total
    for _ in range(READ_BACK):
        check_orders(contender, [order])
        if in_list:
            rows = answered(contender, contender.ask("GET", list_path(), user=order.owner))
            [row] = [row for row in rows if row["order_id"] == str(order.order_id)]
            _hold(contender, order, row)


def check_served(contender: Contender, requests: Sequence[Request], *, from_cache: bool) -> None:
    """Whether answers come from where they are meant to, so far as a contender says so (RFC 9211).

    Raises `Voided` where any comes from a cache that is off, or most do not from one that is warm.
    """
    answers = [contender.ask("GET", asked.path, headers=dict(asked.headers)) for asked in requests]
    said = [status for answer in answers if (status := answer.headers["Cache-Status"])]
    hits = sum("hit" in status for status in said)
    if said and (hits < len(said) / 2 if from_cache else hits):
        raise Voided(f"{contender.name} answered {hits} of {len(said)} from its cache")


def check_created(contender: Contender, owner: SampleUser, body: Mapping[str, Any]) -> None:
    """Make an order and read it.  Raises `Voided` where it is not what was sent."""
    made = answered(contender, contender.ask("POST", ORDERS, body, user=owner), 201)
    read = answered(contender, contender.ask("GET", f"{ORDERS}{made['order_id']}/", user=owner))
    total = sum(round(float(line["price"]) * 100) * line["quantity"] for line in body["products"])
    for answer in (made, read):
        lines = [{name: row[name] for name in ("name", "price", "quantity")} for row in answer["products"]]
        if (lines, answer["total_price"]) != (body["products"], cents_text(total)):
            raise Voided(f"{contender.name} made another order than was sent: {answer}")


def _hold(contender: Contender, order: SampleOrder, answer: Mapping[str, Any]) -> None:
    found = differences(order, contender.total_of(order), answer)
    if found:
        raise Voided(f"{contender.name} answers wrongly for order {order.number}: {'; '.join(found)}")
