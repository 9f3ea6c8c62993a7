"""more limits in the database, and requests counted where they are limited

Revision: 0006
Follows: 0005
Date: 2026-11-25 02:50:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

WHOLE = "{0} = CAST({0} AS BIGINT)"
LIMITS = {
    "orders": {
        "total_price_whole": WHOLE.format("total_price_cents"),
        "version_whole": WHOLE.format("version"),
        "source_length": "length(source) BETWEEN 1 AND 100",
        "reference_length": "length(reference) BETWEEN 1 AND 255",
    },
    "order_lines": {
        "price_whole": WHOLE.format("price_cents"),
        "quantity_whole": WHOLE.format("quantity"),
        "position_not_negative": "position >= 0",
        "name_length": "length(name) <= 255",
    },
    "users": {"username_length": "length(username) BETWEEN 1 AND 150"},
}
TEXTS = {"order_lines": "name", "users": "username"}
WITHOUT_CONTROLS = {
    "sqlite": "{0} NOT GLOB '*[' || char(1) || '-' || char(31) || char(127) || ']*'",
    "postgresql": r"{0} !~ '[\x01-\x1f\x7f]'",
}


def limits_of(table: str) -> dict[str, str]:
    limits = dict(LIMITS[table])
    if table in TEXTS:
        name = TEXTS[table]
        limits[f"{name}_without_controls"] = WITHOUT_CONTROLS[op.get_bind().dialect.name].format(name)
    return limits


def upgrade() -> None:
    op.create_table(
        "request_counts",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.CheckConstraint("count >= 1", name=op.f("ck_request_counts_count_positive")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_request_counts_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_request_counts")),
    )
    for table in LIMITS:
        with op.batch_alter_table(table) as batch:
            for name, rule in limits_of(table).items():
                batch.create_check_constraint(op.f(f"ck_{table}_{name}"), rule)


def downgrade() -> None:
    for table in LIMITS:
        with op.batch_alter_table(table) as batch:
            for name in limits_of(table):
                batch.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
    op.drop_table("request_counts")
