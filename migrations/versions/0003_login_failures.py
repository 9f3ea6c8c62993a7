"""failed log-ins

Revision: 0003
Follows: 0002
Date: 2026-11-24 00:30:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('login_failures',
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.CheckConstraint('count >= 1', name=op.f('ck_login_failures_count_positive')),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_login_failures'))
    )
    op.create_index(op.f('ix_login_failures_started_at'), 'login_failures', ['started_at'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_login_failures_started_at'), table_name='login_failures')
    op.drop_table('login_failures')
