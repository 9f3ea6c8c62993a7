"""What the service promises, once more and as plainly as possible: dictionaries, lists and no database.

Orders are kept as the API shows them, save for `allowed_transitions`, which depends on who looks.  What
only the service can know (ids and times) is `NEW` in what the model expects, and adopted from the answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from orders_app.orders.domain import TRANSITIONS, OrderStatus
from orders_app.shared.identity import Role

Shown = dict[str, Any]
NEW = object()
TRACKED = ("user", "status", "is_deleted", "total_price", "products")
"""The fields whose changes count; everything else of an order follows from them."""


class Refused(Exception):
    """The answer is an error, with this status and this code."""

    def __init__(self, status: int, code: str, **extra: Any) -> None:
        super().__init__(status, code)
        self.status = status
        self.code = code
        self.extra = extra


@dataclass
class Account:
    """Somebody, and what the service knows of them."""

    name: str
    password: str
    user_id: str
    role: str = "user"
    is_active: bool = True

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"


@dataclass
class Family:
    """A log-in: its refresh tokens, of which the last is good, and its access tokens, which all are."""

    owner: Account
    refresh: list[str]
    access: list[str]
    is_open: bool = True


@dataclass(eq=False)
class Order:
    """An order and its history."""

    shown: Shown
    events: list[dict[str, Any]] = field(default_factory=list)
    tags: dict[tuple[int, str, str], str] = field(default_factory=dict)
    """The entity tag of each version, for each role and name of the owner."""

    @property
    def order_id(self) -> str:
        return str(self.shown["order_id"])

    def tag_key(self, actor: Account) -> tuple[int, str, str]:
        """What an entity tag of this order depends on."""
        return self.shown["version"], actor.role, self.shown["user"]

    def seen_by(self, actor: Account) -> Shown:
        """The answer that this account gets."""
        moves = [] if self.shown["is_deleted"] else allowed(self.shown["status"], actor)
        return {**self.shown, "allowed_transitions": moves}


@dataclass
class Shop:
    """Everybody, everything, and the rules between them."""

    accounts: dict[str, Account] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    families: list[Family] = field(default_factory=list)
    kept: dict[tuple[str, str], tuple[Any, bytes, str]] = field(default_factory=dict)
    """For a user and an Idempotency-Key: the body, the answer, and the role that it was made for."""

    def admit(self, actor: Account) -> None:
        """Whoever is disabled gets nowhere, whatever the credentials."""
        if not actor.is_active:
            raise Refused(401, "invalid_credentials")

    def may_see(self, actor: Account, order: Order) -> bool:
        return actor.is_admin or (order.shown["user"] == actor.name and not order.shown["is_deleted"])

    def new_order(self, actor: Account, body: dict[str, Any]) -> Shown:
        """What a POST makes."""
        owner = self._owner(actor, body) or actor.name
        products = [{**line, "product_id": NEW} for line in body["products"]]
        return {
            "order_id": NEW,
            "user": owner,
            "status": body.get("status", "pending"),
            "total_price": body.get("total_price", total(products)),
            "products": products,
            "is_deleted": False,
            "created_at": NEW,
            "updated_at": NEW,
            "version": 1,
            "source": None,
            "reference": None,
        }

    def changed(
        self, actor: Account, order: Order, body: dict[str, Any], *, replace: bool, stale: bool
    ) -> Shown:
        """What a PUT or a PATCH makes of an order; `stale` says that `If-Match` names no tag that stands."""
        self._find(actor, order, stale=stale)
        before = order.shown
        if before["is_deleted"]:
            raise Refused(409, "order_deleted")
        after = dict(before)
        after["status"] = body.get("status", before["status"])
        check_move(before["status"], after["status"], actor)
        after["user"] = self._owner(actor, body) or before["user"]
        if "products" in body:
            after["products"] = lines_after(before["products"], body["products"])
        if "total_price" in body:
            after["total_price"] = body["total_price"]
        elif replace or after["products"] != before["products"]:
            after["total_price"] = total(after["products"])
        return counted(before, after)

    def seen(self, actor: Account, order: Order) -> Shown:
        """What a GET shows."""
        self._find(actor, order, stale=False)
        return order.seen_by(actor)

    def deleted(self, actor: Account, order: Order, *, stale: bool) -> Shown:
        """What a DELETE makes of an order."""
        if order.shown["is_deleted"]:
            raise Refused(404, "not_found")
        self._find(actor, order, stale=stale)
        return counted(order.shown, {**order.shown, "is_deleted": True})

    def restored(self, actor: Account, order: Order) -> Shown:
        """What a restoration makes of an order."""
        if not actor.is_admin:
            raise Refused(403, "forbidden")
        if not order.shown["is_deleted"]:
            raise Refused(409, "order_not_deleted")
        return counted(order.shown, {**order.shown, "is_deleted": False})

    def listed(self, actor: Account, wanted: dict[str, Any]) -> list[Shown]:
        """All orders that a list holds, over all its pages."""
        if not actor.is_admin and ("user" in wanted or wanted.get("is_deleted")):
            raise Refused(403, "forbidden")
        found = [order for order in self.orders if self._is_listed(actor, order.shown, wanted)]
        ordering = wanted.get("ordering", "-created_at")
        found.sort(
            key=lambda order: (sort_value(order.shown, ordering.lstrip("-")), order.order_id),
            reverse=ordering.startswith("-"),
        )
        return [order.seen_by(actor) for order in found]

    def end_log_ins(self, owner: Account) -> None:
        """What a new password or a disabled account does."""
        for family in self.families:
            if family.owner is owner:
                family.is_open = False

    def rename(self, account: Account, name: str) -> None:
        """A new name is on all orders at once; it is no change of theirs."""
        for order in self.orders:
            if order.shown["user"] == account.name:
                order.shown = {**order.shown, "user": name}
        account.name = name

    def _is_listed(self, actor: Account, shown: Shown, wanted: dict[str, Any]) -> bool:
        amount = Decimal(shown["total_price"])
        names = [line["name"].casefold() for line in shown["products"]]
        return (
            shown["is_deleted"] is bool(wanted.get("is_deleted"))
            and (actor.is_admin or shown["user"] == actor.name)
            and shown["user"] == wanted.get("user", shown["user"])
            and shown["status"] in wanted.get("status", [shown["status"]])
            and amount >= Decimal(wanted.get("min_price", "0"))
            and amount <= Decimal(wanted.get("max_price", "9999999999.99"))
            and any(wanted.get("q", "").casefold() in name for name in names)
        )

    def _find(self, actor: Account, order: Order, *, stale: bool) -> None:
        if not self.may_see(actor, order):
            raise Refused(404, "not_found")
        if stale:
            raise Refused(412, "precondition_failed", current_version=order.shown["version"])

    def _owner(self, actor: Account, body: dict[str, Any]) -> str | None:
        """The owner whom an admin names; anybody else's word counts for nothing."""
        named = body.get("user")
        if not actor.is_admin or not isinstance(named, str):
            return None
        if named not in {account.name for account in self.accounts.values()}:
            raise Refused(422, "validation_error")
        return named


def allowed(status: str, actor: Account) -> list[str]:
    """What this account may make of an order that stands there."""
    moves = TRANSITIONS[OrderStatus(status)]
    return [to.value for to, least in moves.items() if least is Role.USER or actor.is_admin]


def check_move(status: str, to: str, actor: Account) -> None:
    """Raise `Refused` for a move that the table does not have, or not for this account."""
    if to == status:
        return
    if OrderStatus(to) not in TRANSITIONS[OrderStatus(status)]:
        extra = {"from": status, "to": to, "allowed": allowed(status, actor)}
        raise Refused(409, "invalid_transition", **extra)
    if to not in allowed(status, actor):
        raise Refused(403, "forbidden")


def lines_after(before: list[Shown], sent: Iterable[dict[str, Any]]) -> list[Shown]:
    """The lines of an order: the first that names one of its own keeps that id, all others get new ones."""
    free = {line["product_id"] for line in before}
    lines = []
    for line in sent:
        named = line.get("product_id")
        lines.append({**line, "product_id": named if named in free else NEW})
        free.discard(named)
    return lines


def total(lines: Iterable[Shown]) -> str:
    """The sum of price times quantity."""
    return f"{sum((Decimal(line['price']) * line['quantity'] for line in lines), Decimal(0)):.2f}"


def counted(before: Shown, after: Shown) -> Shown:
    """The order afterwards: a new version if anything changed, and the old one to the letter otherwise."""
    if all(before[name] == after[name] for name in TRACKED):
        return before
    return {**after, "version": before["version"] + 1, "updated_at": NEW}


def event_of(before: Shown | None, after: Shown, *, user: str, request_id: str) -> dict[str, Any]:
    """The event that tells of a change; its id and its time are not the model's to know."""
    event: dict[str, Any] = {
        "sequence": after["version"],
        "event": "order.created",
        "user": user,
        "request_id": request_id,
        "changes": {},
    }
    if before is None:
        return event
    changes = {name: [before[name], after[name]] for name in TRACKED if before[name] != after[name]}
    name = "order.updated"
    if "status" in changes:
        name = "order.status_changed"
        event |= {"old_status": before["status"], "new_status": after["status"]}
    elif "is_deleted" in changes:
        name = "order.deleted" if after["is_deleted"] else "order.restored"
    return event | {"event": name, "changes": changes}


def sort_value(shown: Shown, name: str) -> Any:
    """What a list is ordered by."""
    if name == "total_price":
        return Decimal(shown[name])
    return shown[name] if name == "status" else datetime.fromisoformat(shown[name])
