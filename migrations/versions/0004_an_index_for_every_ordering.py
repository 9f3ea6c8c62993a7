"""an index for every ordering

Revision: 0004
Follows: 0003
Date: 2026-11-24 00:33:00
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_orders_by_status": ["is_deleted", "status", "id"],
    "ix_orders_user_updated": ["user_id", "is_deleted", "updated_at", "id"],
    "ix_orders_user_total": ["user_id", "is_deleted", "total_price_cents", "id"],
    "ix_orders_user_status": ["user_id", "is_deleted", "status", "id"],
}


def upgrade() -> None:
    for name, columns in INDEXES.items():
        op.create_index(name, "orders", columns)


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, table_name="orders")
