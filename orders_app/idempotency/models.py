"""The answers that are kept for requests sent again, one row a key."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from orders_app.shared.persistence import Base, UTCDateTime

_DIGEST_BYTES = 32


class IdempotencyKey(Base):
    """The first answer to one request, written in the transaction of what it did.

    `scope` is the digest of who asked for what under which key; the key itself is not kept.  `role` is
    the role that the answer was made for.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (CheckConstraint("status BETWEEN 200 AND 299", name="status_of_success"),)

    scope: Mapped[bytes] = mapped_column(LargeBinary(_DIGEST_BYTES), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(String(20))
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(_DIGEST_BYTES))
    status: Mapped[int] = mapped_column(Integer)
    headers: Mapped[dict[str, str]] = mapped_column(JSON)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
