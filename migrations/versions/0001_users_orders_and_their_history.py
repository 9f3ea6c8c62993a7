"""users, orders and their history

Revision: 0001
Follows: 
Date: 2026-11-23 22:58:52.154211
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('users',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('username', sa.String(length=150), nullable=False),
    sa.Column('username_key', sa.String(length=450), nullable=False),
    sa.Column('password_hash', sa.String(length=255), nullable=True),
    sa.Column('role', sa.String(length=20), nullable=False),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("role IN ('user', 'admin')", name=op.f('ck_users_role_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_users')),
    sa.UniqueConstraint('username_key', name=op.f('uq_users_username_key'))
    )
    op.create_table('view_versions',
    sa.Column('scope', sa.Uuid(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('scope', name=op.f('pk_view_versions'))
    )
    op.create_table('orders',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.String(length=20), nullable=False),
    sa.Column('total_price_cents', sa.BigInteger(), nullable=False),
    sa.Column('is_deleted', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('source', sa.String(length=100), nullable=True),
    sa.Column('reference', sa.String(length=255), nullable=True),
    sa.CheckConstraint("status IN ('pending', 'confirmed', 'cancelled', 'completed')", name=op.f('ck_orders_status_known')),
    sa.CheckConstraint('(source IS NULL) = (reference IS NULL)', name=op.f('ck_orders_source_with_reference')),
    sa.CheckConstraint('total_price_cents BETWEEN 0 AND 999999999999', name=op.f('ck_orders_total_price_in_range')),
    sa.CheckConstraint('version >= 1', name=op.f('ck_orders_version_positive')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_orders_user_id_users'), ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_orders'))
    )
    op.create_index('ix_orders_created', 'orders', ['is_deleted', 'created_at', 'id'], unique=False)
    op.create_index('ix_orders_status', 'orders', ['is_deleted', 'status', 'created_at', 'id'], unique=False)
    op.create_index('ix_orders_total', 'orders', ['is_deleted', 'total_price_cents', 'id'], unique=False)
    op.create_index('ix_orders_updated', 'orders', ['is_deleted', 'updated_at', 'id'], unique=False)
    op.create_index('ix_orders_user_created', 'orders', ['user_id', 'is_deleted', 'created_at', 'id'], unique=False)
    op.create_index('uq_orders_source_reference', 'orders', ['source', 'reference'], unique=True)
    op.create_table('token_families',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('current_jti', sa.Uuid(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_token_families_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_token_families'))
    )
    op.create_index(op.f('ix_token_families_expires_at'), 'token_families', ['expires_at'], unique=False)
    op.create_index('ix_token_families_user_id', 'token_families', ['user_id'], unique=False)
    op.create_table('order_events',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('order_id', sa.Uuid(), nullable=False),
    sa.Column('sequence', sa.Integer(), nullable=False),
    sa.Column('event', sa.String(length=40), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor_id', sa.Uuid(), nullable=True),
    sa.Column('actor_name', sa.String(length=150), nullable=False),
    sa.Column('request_id', sa.String(length=128), nullable=False),
    sa.Column('changes', sa.JSON(), nullable=False),
    sa.Column('old_status', sa.String(length=20), nullable=True),
    sa.Column('new_status', sa.String(length=20), nullable=True),
    sa.CheckConstraint('sequence >= 1', name=op.f('ck_order_events_sequence_positive')),
    sa.ForeignKeyConstraint(['actor_id'], ['users.id'], name=op.f('fk_order_events_actor_id_users'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_order_events_order_id_orders'), ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_order_events')),
    sa.UniqueConstraint('order_id', 'sequence', name=op.f('uq_order_events_order_id_sequence'))
    )
    op.create_index(op.f('ix_order_events_at'), 'order_events', ['at'], unique=False)
    op.create_table('order_lines',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('order_id', sa.Uuid(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('name_folded', sa.Text(), nullable=False),
    sa.Column('price_cents', sa.BigInteger(), nullable=False),
    sa.Column('quantity', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('length(name) >= 1', name=op.f('ck_order_lines_name_not_empty')),
    sa.CheckConstraint('price_cents BETWEEN 0 AND 999999999999', name=op.f('ck_order_lines_price_in_range')),
    sa.CheckConstraint('quantity BETWEEN 0 AND 2147483647', name=op.f('ck_order_lines_quantity_in_range')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_order_lines_order_id_orders'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_order_lines'))
    )
    op.create_index('ix_order_lines_order_position', 'order_lines', ['order_id', 'position'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_order_lines_order_position', table_name='order_lines')
    op.drop_table('order_lines')
    op.drop_index(op.f('ix_order_events_at'), table_name='order_events')
    op.drop_table('order_events')
    op.drop_index('ix_token_families_user_id', table_name='token_families')
    op.drop_index(op.f('ix_token_families_expires_at'), table_name='token_families')
    op.drop_table('token_families')
    op.drop_index('uq_orders_source_reference', table_name='orders')
    op.drop_index('ix_orders_user_created', table_name='orders')
    op.drop_index('ix_orders_updated', table_name='orders')
    op.drop_index('ix_orders_total', table_name='orders')
    op.drop_index('ix_orders_status', table_name='orders')
    op.drop_index('ix_orders_created', table_name='orders')
    op.drop_table('orders')
    op.drop_table('view_versions')
    op.drop_table('users')
