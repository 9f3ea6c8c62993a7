"""what a change of an order began from: the digest that shows a tampering between two changes

Revision: 0007
Follows: 0006
Date: 2026-11-25 08:15:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    if "began_from" in {column["name"] for column in sa.inspect(op.get_bind()).get_columns("order_events")}:
        return
    # Events that are there keep their seals, which say nothing of it; it is null for them.
    op.add_column("order_events", sa.Column("began_from", sa.LargeBinary(length=32), nullable=True))


def downgrade() -> None:
    """Nothing: what is in the column is under seals, which would not be good without it."""
