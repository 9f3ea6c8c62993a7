"""What a new order or a change leaves behind: the version, and the event that tells of it."""

from __future__ import annotations

from collections.abc import Sequence

from orders_app.history.domain import FIRST
from orders_app.orders import repository
from orders_app.orders.domain import Owner
from orders_app.orders.events import OrderEvent, OrderEventName
from orders_app.orders.models import Order
from orders_app.orders.records import OrderRecord
from orders_app.shared.clock import utcnow
from orders_app.shared.identity import Actor
from orders_app.shared.money import cents_text
from orders_app.shared.unit_of_work import UnitOfWork


def finish(uow: UnitOfWork, actor: Actor, order: Order, owner: Owner, before: OrderRecord) -> OrderRecord:
    """Count and record the change, unless nothing is different."""
    changes = _differences(before, repository.order_record(order, owner))
    if not changes:
        return before
    order.version += 1
    order.updated_at = utcnow()
    name = OrderEventName.UPDATED
    if "status" in changes:
        name = OrderEventName.STATUS_CHANGED
    elif "is_deleted" in changes:
        name = OrderEventName.DELETED if order.is_deleted else OrderEventName.RESTORED
    after = repository.order_record(order, owner)
    uow.record(_event(uow, name, actor, before, after, changes))
    return after


def add(uow: UnitOfWork, actor: Actor, records: Sequence[OrderRecord]) -> None:
    """Store new orders with the commit, in a number of statements that does not depend on how many they are.

    Their owners exist.  The commit raises SQLAlchemy's `IntegrityError` where a source has such a reference
    already.
    """
    uow.insert(*repository.rows_of(records))
    for record in records:
        uow.record(
            OrderEvent(
                name=OrderEventName.CREATED.value,
                at=record.updated_at,
                actor_id=actor.user_id,
                actor_name=actor.username,
                request_id=uow.request_id,
                owner_ids=frozenset({record.user_id}),
                order_id=record.order_id,
                sequence=record.version,
                status=record.status,
                total_price_cents=record.total_price_cents,
                began_from=FIRST,
                state=record.digest(),
            )
        )


def _differences(before: OrderRecord, after: OrderRecord) -> dict[str, list[object]]:
    """`{field: [before, after]}` for what differs, as the API writes the values."""
    changes: dict[str, list[object]] = {}
    for field in ("user", "status", "is_deleted"):
        if getattr(before, field) != getattr(after, field):
            changes[field] = [getattr(before, field), getattr(after, field)]
    if before.total_price_cents != after.total_price_cents:
        changes["total_price"] = [cents_text(before.total_price_cents), cents_text(after.total_price_cents)]
    if before.lines != after.lines:
        changes["products"] = [
            [line.as_json() for line in before.lines],
            [line.as_json() for line in after.lines],
        ]
    return changes


def _event(
    uow: UnitOfWork,
    name: OrderEventName,
    actor: Actor,
    before: OrderRecord,
    after: OrderRecord,
    changes: dict[str, list[object]],
) -> OrderEvent:
    status = changes.get("status")
    return OrderEvent(
        name=name.value,
        at=after.updated_at,
        actor_id=actor.user_id,
        actor_name=actor.username,
        request_id=uow.request_id,
        owner_ids=frozenset({after.user_id, before.user_id}),
        order_id=after.order_id,
        sequence=after.version,
        status=after.status,
        total_price_cents=after.total_price_cents,
        began_from=before.digest(),
        state=after.digest(),
        changes=changes,
        old_status=str(status[0]) if status else None,
        new_status=str(status[1]) if status else None,
    )
