"""Orders, their lines, what is noted about them, and what is counted of them.

Money is kept as whole cents, which both databases hold exactly; the CHECK constraints repeat the
rules of `domain.py` for whoever writes past the services.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from orders_app.orders.domain import (
    LONGEST_NAME,
    LONGEST_NOTE,
    LONGEST_REFERENCE,
    LONGEST_SOURCE,
    MOST_QUANTITY,
    Line,
    OrderStatus,
)
from orders_app.shared.money import MAX_CENTS, from_cents
from orders_app.shared.persistence import Base, UTCDateTime, new_id, text_without_controls

# SQLite takes any number for an integer; what is no whole one is not equal to itself as one.
_WHOLE = "{0} = CAST({0} AS BIGINT)"
END_OF_ID: Final = 8
"""How many digits at the end of an id are indexed; ids begin with a time, and the end tells them apart."""
_STATUSES = ", ".join(f"'{status.value}'" for status in OrderStatus)


class Order(Base):
    """One order.  `version` counts its changes from 1; a deleted one stays, and is no longer listed."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint(f"status IN ({_STATUSES})", name="status_known"),
        CheckConstraint(f"total_price_cents BETWEEN 0 AND {MAX_CENTS}", name="total_price_in_range"),
        CheckConstraint(_WHOLE.format("total_price_cents"), name="total_price_whole"),
        CheckConstraint("version >= 1", name="version_positive"),
        CheckConstraint(_WHOLE.format("version"), name="version_whole"),
        CheckConstraint("(source IS NULL) = (reference IS NULL)", name="source_with_reference"),
        CheckConstraint(f"length(source) BETWEEN 1 AND {LONGEST_SOURCE}", name="source_length"),
        CheckConstraint(f"length(reference) BETWEEN 1 AND {LONGEST_REFERENCE}", name="reference_length"),
        Index("uq_orders_reference_source", "reference", "source", unique=True),
        # For each ordering an index for the lists of all, one for those of a status and one for those of an
        # owner, with the id that breaks ties: a page is read from where it begins, and nothing is sorted.
        # Behind it stand the other columns that lists of all are filtered by, to be read along the way.
        *(
            Index(f"ix_orders_{name}", "is_deleted", *columns)
            for name, columns in {
                "created": ("created_at", "id", "status", "total_price_cents", "updated_at"),
                "updated": ("updated_at", "id", "status", "total_price_cents", "created_at"),
                "total": ("total_price_cents", "id", "status", "created_at", "updated_at"),
                "by_status": ("status", "id", "total_price_cents", "created_at", "updated_at"),
                "status_created": ("status", "created_at", "id", "total_price_cents", "updated_at"),
                "status_updated": ("status", "updated_at", "id", "total_price_cents", "created_at"),
                "status_total": ("status", "total_price_cents", "id", "created_at", "updated_at"),
            }.items()
        ),
        Index("ix_orders_id_end", text(f"substr(replace(CAST(id AS VARCHAR), '-', ''), {33 - END_OF_ID})")),
        Index("ix_orders_user_created", "user_id", "is_deleted", "created_at", "id"),
        Index("ix_orders_user_updated", "user_id", "is_deleted", "updated_at", "id"),
        Index("ix_orders_user_total", "user_id", "is_deleted", "total_price_cents", "id"),
        Index("ix_orders_user_status", "user_id", "is_deleted", "status", "id"),
        Index("ix_orders_user_status_created", "user_id", "is_deleted", "status", "created_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    status: Mapped[str] = mapped_column(String(20))
    total_price_cents: Mapped[int] = mapped_column(BigInteger)
    is_deleted: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(Integer, default=1)
    source: Mapped[str | None] = mapped_column(String(LONGEST_SOURCE))
    reference: Mapped[str | None] = mapped_column(String(LONGEST_REFERENCE))

    lines: Mapped[list[OrderLine]] = relationship(
        order_by="OrderLine.position", cascade="all, delete-orphan", lazy="selectin"
    )

    @property
    def total_price(self) -> Decimal:
        return from_cents(self.total_price_cents)


class OrderLine(Base):
    """One line of an order: its `product_id` in the API is this row's id.

    `name_folded` is the name without regard to case, in any script, for searching: databases fold
    ASCII only, or as their locale happens to say.
    """

    __tablename__ = "order_lines"
    __table_args__ = (
        CheckConstraint(f"price_cents BETWEEN 0 AND {MAX_CENTS}", name="price_in_range"),
        CheckConstraint(f"quantity BETWEEN 0 AND {MOST_QUANTITY}", name="quantity_in_range"),
        CheckConstraint(_WHOLE.format("price_cents"), name="price_whole"),
        CheckConstraint(_WHOLE.format("quantity"), name="quantity_whole"),
        CheckConstraint("position >= 0", name="position_not_negative"),
        CheckConstraint("length(name) >= 1", name="name_not_empty"),
        CheckConstraint(f"length(name) <= {LONGEST_NAME}", name="name_length"),
        *text_without_controls("name"),
        Index("ix_order_lines_order_position", "order_id", "position"),
        Index("ix_order_lines_name_order", "name_folded", "order_id"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    name_folded: Mapped[str] = mapped_column(Text)
    price_cents: Mapped[int] = mapped_column(BigInteger)
    quantity: Mapped[int] = mapped_column(BigInteger)

    def as_line(self) -> Line:
        """The line as the domain knows it."""
        return Line(self.name, from_cents(self.price_cents), self.quantity, self.id)


EVERYBODY: Final = UUID(int=0)
"""The scope of the counts of all orders; no account has this id."""


class OrderCount(Base):
    """How many orders of an owner, or of all, there are of a status, and their sum; triggers keep both.

    They are spread over any number of rows (`slot`), of which a writer takes one that nobody else is
    changing.  Only what the rows add up to has a meaning.
    """

    __tablename__ = "order_counts"

    scope: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    status: Mapped[str] = mapped_column(String(20), primary_key=True)
    is_deleted: Mapped[bool] = mapped_column(primary_key=True)
    slot: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger)
    total_cents: Mapped[int] = mapped_column(BigInteger)


class OrderQuarter(Base):
    """How many orders were made in a quarter of an hour and are not deleted, and their sum, by status.

    `quarter` counts quarters of an hour since 1970, in UTC: days of every time zone begin with one.
    Kept and spread over rows as `OrderCount` is.
    """

    __tablename__ = "order_quarters"

    quarter: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    status: Mapped[str] = mapped_column(String(20), primary_key=True)
    slot: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger)
    total_cents: Mapped[int] = mapped_column(BigInteger)


class ProductName(Base):
    """A name, folded, that some line has or once had; triggers add them.

    Searching begins here: a shop has fewer names than lines.  A name may stand here twice.
    """

    __tablename__ = "product_names"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    name_folded: Mapped[str] = mapped_column(Text, index=True)


class OrderNote(Base):
    """What an admin wrote about an order; `sequence` names the event that it explains, if it does.

    Rows are added and never changed or removed: triggers of the database refuse it.  `author_name` is the
    name at the time; `author_id` is null for the command line.
    """

    __tablename__ = "order_notes"
    __table_args__ = (
        CheckConstraint("sequence >= 1", name="sequence_positive"),
        CheckConstraint(f"length(text) BETWEEN 1 AND {LONGEST_NOTE}", name="text_length"),
        *text_without_controls("text", lines=True),
        Index("ix_order_notes_order_id_id", "order_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id", ondelete="RESTRICT"))
    sequence: Mapped[int | None] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    author_name: Mapped[str] = mapped_column(String(150))
    request_id: Mapped[str] = mapped_column(String(128))
    text: Mapped[str] = mapped_column(String(LONGEST_NOTE))
