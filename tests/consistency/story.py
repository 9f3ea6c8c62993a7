"""Histories made by hand: a service that does one thing after the other, all of it right, to be spoiled."""

from __future__ import annotations

import copy
from typing import Any

from tests.consistency.checker import check
from tests.consistency.records import (
    Asked,
    Expected,
    Final,
    Finding,
    Kind,
    Operation,
    Outcome,
    StoredAnswer,
    StoredEvent,
    event_text,
    seen,
)

STATUS_OF = {Kind.CREATE: 201, Kind.DELETE: 204}


class Story:
    """What happens is told one operation after the other; each takes one tick of the clock."""

    def __init__(self) -> None:
        self.log: list[Operation] = []
        self.final = Final()
        self.snapshots: dict[str, dict[int, dict[str, Any]]] = {}
        self.now = 0

    def findings(self, expected: Expected | None = None) -> set[Finding]:
        return {found.kind for found in check(self.log, self.final, expected)}

    def operation(self, kind: Kind, user: str = "alice", **more: Any) -> Operation:
        """Log an operation that succeeds unless it says otherwise."""
        self.now += 2
        number = len(self.log) + 1
        values: dict[str, Any] = {
            "number": number,
            "request_id": f"r{number}",
            "user": user,
            "is_admin": user == "admin",
            "kind": kind,
            "started": self.now - 1,
            "ended": self.now,
            "outcome": Outcome.OK,
            "status": STATUS_OF.get(kind, 200),
            **more,
        }
        operation = Operation(**values)
        self.log.append(operation)
        return operation

    def create(self, user: str = "alice", key: str | None = None) -> str:
        """An order of this user; returns its id."""
        order_id = f"order-{len(self.final.orders) + 1}"
        order = {
            "order_id": order_id,
            "user": user,
            "status": "pending",
            "total_price": "1.00",
            "products": [{"product_id": f"line-of-{order_id}", "name": "a", "price": "1.00", "quantity": 1}],
            "is_deleted": False,
            "created_at": f"at {self.now + 2:06}",
            "version": 0,
        }
        self.final.orders[order_id] = order
        self.final.positions[order_id] = [0]
        self.snapshots[order_id] = {}
        operation = self.operation(Kind.CREATE, user, order_id=order_id, key=key)
        operation.sent = {"products": [["a", "1.00", 1]], "total_price": "1.00", "user": user}
        self.record(operation, order_id, {}, "order.created")
        operation.seen = (seen(order),)
        if key is not None:
            self.final.answers.append(StoredAnswer(user=user, order_id=order_id, status=201))
        return order_id

    def change(self, order_id: str, by: str = "alice", kind: Kind = Kind.PATCH, **fields: Any) -> Operation:
        """A change that is made."""
        order = self.final.orders[order_id]
        changes = {name: [order[name], value] for name, value in fields.items()}
        order.update(fields)
        operation = self.operation(kind, by, order_id=order_id, sent=dict(fields))
        names = {Kind.DELETE: "order.deleted", Kind.RESTORE: "order.restored"}
        name = names.get(kind, "order.status_changed" if "status" in fields else "order.updated")
        self.record(operation, order_id, changes, name)
        if kind is not Kind.DELETE:
            operation.seen = (seen(order),)
        return operation

    def record(self, operation: Operation, order_id: str, changes: dict[str, Any], name: str) -> None:
        """The next version of an order and its event."""
        order = self.final.orders[order_id]
        order["version"] += 1
        order["updated_at"] = f"at {self.now:06}"
        fields: dict[str, Any] = {
            "sequence": order["version"],
            "event": name,
            "at": order["updated_at"],
            "user": operation.user,
            "request_id": operation.request_id,
            "changes": changes,
            "old_status": changes.get("status", [None, None])[0],
            "new_status": changes.get("status", [None, None])[1],
        }
        text = event_text({"event_id": f"event-{len(self.final.events)}", **fields})
        self.final.events.append(StoredEvent(order_id=order_id, text=text, **fields))
        if "status" in changes:
            self.final.status_lines.append((order_id, operation.request_id))
        self.snapshots[order_id][order["version"]] = copy.deepcopy(order)

    def read(self, order_id: str, user: str = "alice", version: int | None = None, **other: Any) -> Operation:
        """The order as it is, or as it was at a version, or as it never was."""
        order = self.snapshots[order_id][version or self.final.orders[order_id]["version"]]
        return self.operation(Kind.READ, user, order_id=order_id, seen=(seen({**order, **other}),))

    def show(self, *order_ids: str, user: str = "alice", **asked: Any) -> Operation:
        """A page of a list with these orders as they are."""
        shown = tuple(seen(self.final.orders[order_id]) for order_id in order_ids)
        return self.operation(Kind.LIST, user, seen=shown, asked=Asked(**asked))

    def events(self, order_id: str, count: int) -> Operation:
        texts = [event.text for event in self.final.events if event.order_id == order_id]
        return self.operation(Kind.EVENTS, order_id=order_id, events=tuple(texts[:count]))

    def refuse(self, order_id: str, status: int, kind: Kind = Kind.PATCH, user: str = "alice") -> Operation:
        return self.operation(kind, user, order_id=order_id, outcome=Outcome.FAILED, status=status)

    def lose(self, operation: Operation) -> Operation:
        """Nobody got its answer."""
        operation.outcome, operation.status, operation.seen = Outcome.UNKNOWN, 0, ()
        operation.reason = "ConnectionResetError"
        if operation.kind is Kind.CREATE:
            operation.order_id = None
        return operation
