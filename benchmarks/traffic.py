"""The requests of each case."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from benchmarks.checking import list_path
from benchmarks.contenders import ORDERS, Contender, path_of
from benchmarks.dataset import OWNERS, Dataset, SampleOrder, SampleUser
from benchmarks.load import UNIQUE, Group, Request, Voided
from tests.callers import basic

HOT = 100
PAGES = 5
NEVER_CHANGED = 7
"""Every seventh order is left alone by writers, so that it can be checked meanwhile."""
CHANGED = 500
_LINES = (("Blue lantern", "19.99", 2), ("Tin cup", "3.50", 1), ("Glass box", "120.00", 3))

Authorize = Callable[[Contender, SampleUser], str]


def hot(dataset: Dataset) -> Sequence[SampleOrder]:
    """The working set: the newest orders, ten of each owner."""
    return dataset.orders[-HOT:]


def bearer(contender: Contender, user: SampleUser) -> str:
    return contender.bearers[user.name]


def by_password(contender: Contender, user: SampleUser) -> str:
    return basic(user.name, user.password)


def reads(
    contender: Contender, orders: Iterable[SampleOrder], authorize: Authorize = bearer, weight: int = 1
) -> list[Group]:
    """Each of these orders, read by its owner."""
    if contender.name == "empty":
        return [Group([Request("GET", "/", (("Authorization", bearer(contender, OWNERS[0])),))])]
    requests = [
        Request("GET", path_of(order), (("Authorization", authorize(contender, order.owner)),))
        for order in orders
    ]
    return [Group(requests, weight)]


def known(contender: Contender, orders: Iterable[SampleOrder]) -> list[Group]:
    """The same from somebody who has each of them already."""
    requests = []
    for order in orders:
        answer = contender.ask("GET", path_of(order), user=order.owner)
        tag = answer.headers["ETag"]
        again = contender.ask("GET", path_of(order), user=order.owner, headers={"If-None-Match": tag})
        if again.status != 304:
            raise Voided(f"{contender.name} answered {again.status} to a known entity tag")
        headers = (("Authorization", bearer(contender, order.owner)), ("If-None-Match", tag))
        requests.append(Request("GET", path_of(order), headers))
    return [Group(requests)]


def lists(
    contender: Contender, pages: int, statuses: tuple[str | None, ...] = (None,), weight: int = 1
) -> list[Group]:
    """The first pages of every owner."""
    if contender.name == "empty":
        return reads(contender, ())
    requests = [
        Request("GET", list_path(page, status), (("Authorization", bearer(contender, owner)),))
        for page in range(1, pages + 1)
        for status in statuses
        for owner in OWNERS
    ]
    return [Group(requests, weight)]


def creations(contender: Contender, weight: int = 1) -> list[Group]:
    """New orders of three lines, no two with the same names."""
    body = json.dumps(new_order(UNIQUE))
    headers = [(("Authorization", bearer(contender, owner)),) for owner in OWNERS]
    return [Group([Request("POST", ORDERS, authorization, body) for authorization in headers], weight)]


def new_order(number: str) -> dict[str, Any]:
    """The body that makes an order of three lines."""
    lines = [{"name": f"{name} {number}", "price": price, "quantity": count} for name, price, count in _LINES]
    return {"products": lines}


def mixed(contender: Contender, dataset: Dataset) -> list[Group]:
    """80 % reads of one, half of them of the working set; 15 % lists; 5 % writes, 3 new and 2 changed."""
    some = [order for order in shuffled(dataset.orders, 2) if order.number % NEVER_CHANGED][:CHANGED]
    some += [order for order in hot(dataset) if order.number % NEVER_CHANGED]
    changes = [
        Request(
            "PATCH",
            path_of(order),
            (("Authorization", bearer(contender, order.owner)),),
            f'{{"total_price": "{UNIQUE}.25"}}',
        )
        for order in shuffled(some, 3)
    ]
    cold = shuffled(dataset.orders[:-HOT], 4)
    return [
        *reads(contender, hot(dataset), weight=40),
        *reads(contender, cold, weight=40),
        *lists(contender, PAGES, weight=15),
        *creations(contender, weight=3),
        Group(changes, 2),
    ]


def shuffled(orders: Sequence[SampleOrder], seed: int) -> list[SampleOrder]:
    """The same in an order that is no order, the same one each time."""
    return random.Random(seed).sample(orders, len(orders))
