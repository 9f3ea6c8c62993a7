"""Loading and storing orders; no rules, no commit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.orm import Session

from orders_app.auth.models import User
from orders_app.orders.domain import Owner
from orders_app.orders.models import Order, OrderLine, OrderNote
from orders_app.orders.records import LineRecord, NoteRecord, OrderRecord
from orders_app.shared.inserts import Insert
from orders_app.shared.persistence import locking
from orders_app.shared.text import fold

_ORDER_COLUMNS: Final = (
    "id",
    "user_id",
    "status",
    "total_price_cents",
    "is_deleted",
    "created_at",
    "updated_at",
    "version",
    "source",
    "reference",
)
_LINE_COLUMNS: Final = ("id", "order_id", "position", "name", "name_folded", "price_cents", "quantity")
# Needed by every change, and so put together once.
_LOCKED: Final = locking(select(Order).where(Order.id == bindparam("order_id")))
_NAME: Final = select(User.username).where(User.id == bindparam("user_id"))


def get_order_locked(session: Session, order_id: UUID) -> Order | None:
    """An order with its lines; nobody else can change it until the transaction ends."""
    return session.scalars(_LOCKED, {"order_id": order_id}).one_or_none()


def get_orders_locked(session: Session, order_ids: Collection[UUID]) -> Sequence[Order]:
    """Those of the orders that there are, with their lines, locked as `get_order_locked` does.

    They are taken in the order of their ids, so that no two who want many wait for each other in a circle.
    """
    statement = locking(select(Order).where(Order.id.in_(order_ids)).order_by(Order.id))
    return session.scalars(statement).all()


def owners_of(session: Session, orders: Iterable[Order]) -> dict[UUID, Owner]:
    """Whose orders they are, by the id of the owner."""
    ids = {order.user_id for order in orders}
    rows = session.execute(select(User.id, User.username).where(User.id.in_(ids)))
    return {row.id: Owner(row.id, row.username) for row in rows}


def owner_of(session: Session, order: Order) -> Owner:
    """Whose order it is."""
    name = session.scalars(_NAME, {"user_id": order.user_id}).one()
    return Owner(order.user_id, name)


def line_record(line: OrderLine) -> LineRecord:
    return LineRecord(line.id, line.name, line.price_cents, line.quantity)


def order_record(order: Order, owner: Owner) -> OrderRecord:
    """The order in plain values, as it stands in the session."""
    return OrderRecord(
        order_id=order.id,
        user_id=owner.user_id,
        user=owner.username,
        status=order.status,
        total_price_cents=order.total_price_cents,
        is_deleted=order.is_deleted,
        created_at=order.created_at,
        updated_at=order.updated_at,
        version=order.version,
        source=order.source,
        reference=order.reference,
        lines=[line_record(line) for line in order.lines],
    )


def is_there(session: Session, order_id: UUID) -> bool:
    """Whether there is such an order, deleted or not."""
    return session.scalar(select(Order.id).where(Order.id == order_id)) is not None


def notes_of(connection: Connection, order_id: UUID) -> list[NoteRecord]:
    """What was written about an order, oldest first."""
    statement = select(
        OrderNote.id,
        OrderNote.order_id,
        OrderNote.sequence,
        OrderNote.at,
        OrderNote.author_name,
        OrderNote.request_id,
        OrderNote.text,
    )
    rows = connection.execute(statement.where(OrderNote.order_id == order_id).order_by(OrderNote.id))
    return [NoteRecord(*row) for row in rows]


def rows_of(records: Sequence[OrderRecord]) -> tuple[Insert, Insert]:
    """What stores new orders, and what stores their lines."""
    orders = [
        (
            record.order_id,
            record.user_id,
            record.status,
            record.total_price_cents,
            record.is_deleted,
            record.created_at,
            record.updated_at,
            record.version,
            record.source,
            record.reference,
        )
        for record in records
    ]
    lines = [
        (
            line.product_id,
            record.order_id,
            position,
            line.name,
            fold(line.name),
            line.price_cents,
            line.quantity,
        )
        for record in records
        for position, line in enumerate(record.lines)
    ]
    return Insert(Order, _ORDER_COLUMNS, orders), Insert(OrderLine, _LINE_COLUMNS, lines)
