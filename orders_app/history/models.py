"""The history of an order, one row an event."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import Mapped, mapped_column

from orders_app.history.domain import SEAL_BYTES
from orders_app.shared.persistence import Base, UTCDateTime, new_id


class OrderEventRow(Base):
    """One event of one order, written in the transaction of the change that it tells of.

    Rows are added and never changed or removed: triggers of the database refuse it.  `actor_name` is the
    name at the time; `actor_id` is null for the command line.  `began_from` and
    `state` are the digests of the order before and after the event; they are null for events from before
    these were kept.
    """

    __tablename__ = "order_events"
    __table_args__ = (
        UniqueConstraint("order_id", "sequence"),
        Index("ix_order_events_at_id", "at", "id"),
        CheckConstraint("sequence >= 1", name="sequence_positive"),
        CheckConstraint(f"length(seal) = {SEAL_BYTES}", name="seal_whole"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id", ondelete="RESTRICT"))
    sequence: Mapped[int] = mapped_column(Integer)
    event: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    actor_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    actor_name: Mapped[str] = mapped_column(String(150))
    request_id: Mapped[str] = mapped_column(String(128))
    changes: Mapped[dict[str, Any]] = mapped_column(JSON)
    old_status: Mapped[str | None] = mapped_column(String(20))
    new_status: Mapped[str | None] = mapped_column(String(20))
    began_from: Mapped[bytes | None] = mapped_column(LargeBinary(SEAL_BYTES))
    state: Mapped[bytes | None] = mapped_column(LargeBinary(SEAL_BYTES))
    seal: Mapped[bytes] = mapped_column(LargeBinary(SEAL_BYTES))
