"""lists that stay fast: indexes that hold what is filtered by, counts of orders, names of products

Revision: 0008
Follows: 0007
Date: 2026-11-25 23:05:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

OLD = {
    "ix_orders_created": ["is_deleted", "created_at", "id"],
    "ix_orders_updated": ["is_deleted", "updated_at", "id"],
    "ix_orders_total": ["is_deleted", "total_price_cents", "id"],
    "ix_orders_by_status": ["is_deleted", "status", "id"],
    "ix_orders_status": ["is_deleted", "status", "created_at", "id"],
}
NEW = {
    "ix_orders_created": ["is_deleted", "created_at", "id", "status", "total_price_cents", "updated_at"],
    "ix_orders_updated": ["is_deleted", "updated_at", "id", "status", "total_price_cents", "created_at"],
    "ix_orders_total": ["is_deleted", "total_price_cents", "id", "status", "created_at", "updated_at"],
    "ix_orders_by_status": ["is_deleted", "status", "id", "total_price_cents", "created_at", "updated_at"],
    "ix_orders_status_created": ["is_deleted", "status", "created_at", "id", "total_price_cents", "updated_at"],
    "ix_orders_status_updated": ["is_deleted", "status", "updated_at", "id", "total_price_cents", "created_at"],
    "ix_orders_status_total": ["is_deleted", "status", "total_price_cents", "id", "created_at", "updated_at"],
}
OF_ALL = {"sqlite": "'" + 32 * "0" + "'", "postgresql": "'00000000-0000-0000-0000-000000000000'::uuid"}

# One writer at a time: a plain upsert never waits.
SQLITE_COUNT = """
    INSERT INTO order_counts (scope, status, is_deleted, slot, number)
    VALUES ({row}.user_id, {row}.status, {row}.is_deleted, 0, {by}),
           ({of_all}, {row}.status, {row}.is_deleted, 0, {by})
    ON CONFLICT (scope, status, is_deleted, slot) DO UPDATE SET number = number + {by};
"""
SQLITE_NAME = """
    INSERT INTO product_names (name_folded) SELECT NEW.name_folded
    WHERE NOT EXISTS (SELECT 1 FROM product_names WHERE name_folded = NEW.name_folded);
"""
SQLITE = {
    "orders_counted_in": ("AFTER INSERT ON orders", "+"),
    "orders_counted_out": ("AFTER DELETE ON orders", "-"),
    "orders_counted_anew": (
        "AFTER UPDATE OF user_id, status, is_deleted ON orders WHEN (OLD.user_id, OLD.status, OLD.is_deleted) "
        "IS NOT (NEW.user_id, NEW.status, NEW.is_deleted)",
        "-+",
    ),
}
SQLITE_NAMES = {
    "order_lines_named": "AFTER INSERT ON order_lines",
    "order_lines_renamed": "AFTER UPDATE OF name_folded ON order_lines",
}

# Any row of a scope and status that nobody holds is as good as another: only their sum has a meaning.
# So no transaction ever waits for another one here, and no two can wait for each other in a circle.
POSTGRESQL_ADD = """
    CREATE FUNCTION order_counts_add(its_scope uuid, its_status varchar, deleted boolean, change bigint)
    RETURNS void LANGUAGE plpgsql AS $$ BEGIN
        UPDATE order_counts SET number = number + change WHERE ctid = (
            SELECT ctid FROM order_counts
            WHERE scope = its_scope AND status = its_status AND is_deleted = deleted
            LIMIT 1 FOR UPDATE SKIP LOCKED
        );
        IF NOT FOUND THEN
            INSERT INTO order_counts (scope, status, is_deleted, slot, number)
            VALUES (its_scope, its_status, deleted, floor(random() * 2147483647)::integer, change)
            ON CONFLICT (scope, status, is_deleted, slot) DO UPDATE SET number = order_counts.number + change;
        END IF;
    END $$
"""
POSTGRESQL_COUNT = """
    CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM order_counts_add(counted.scope, status, is_deleted, change) FROM (
            SELECT scopes.scope, status, is_deleted, sum(change)::bigint AS change
            FROM ({changed}) AS changed, LATERAL (VALUES (user_id), ({of_all})) AS scopes (scope)
            GROUP BY scopes.scope, status, is_deleted HAVING sum(change) <> 0
        ) AS counted;
        RETURN NULL;
    END $$
"""
IN = "SELECT user_id, status, is_deleted, 1 AS change FROM added"
OUT = "SELECT user_id, status, is_deleted, -1 AS change FROM removed"
ADDED, REMOVED = "NEW TABLE AS added", "OLD TABLE AS removed"
POSTGRESQL = {
    "orders_counted_in": ("INSERT", ADDED, IN),
    "orders_counted_out": ("DELETE", REMOVED, OUT),
    "orders_counted_anew": ("UPDATE", f"{REMOVED} {ADDED}", f"{IN} UNION ALL {OUT}"),
}
# Without a constraint, so that nobody waits for somebody who writes the same new name: a second row does no harm.
POSTGRESQL_NAMES = """
    CREATE FUNCTION order_lines_named() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO product_names (name_folded)
        SELECT DISTINCT name_folded FROM added
        WHERE NOT EXISTS (SELECT FROM product_names WHERE product_names.name_folded = added.name_folded);
        RETURN NULL;
    END $$
"""


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for name in OLD:
        op.drop_index(name, table_name="orders")
    for name, columns in NEW.items():
        op.create_index(name, "orders", columns)
    op.drop_index("uq_orders_source_reference", table_name="orders")
    op.create_index("uq_orders_reference_source", "orders", ["reference", "source"], unique=True)
    op.create_index("ix_orders_id_end", "orders", [sa.text("substr(replace(CAST(id AS VARCHAR), '-', ''), 25)")])
    op.drop_index(op.f("ix_order_events_at"), table_name="order_events")
    op.create_index("ix_order_events_at_id", "order_events", ["at", "id"])
    op.create_index("ix_order_lines_name_order", "order_lines", ["name_folded", "order_id"])
    op.create_table(
        "order_counts",
        sa.Column("scope", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "status", "is_deleted", "slot", name=op.f("pk_order_counts")),
    )
    op.create_table(
        "product_names",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name_folded", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_names")),
    )
    op.execute(
        "INSERT INTO order_counts (scope, status, is_deleted, slot, number) "
        "SELECT user_id, status, is_deleted, 0, count(*) FROM orders GROUP BY user_id, status, is_deleted"
    )
    op.execute(
        "INSERT INTO order_counts (scope, status, is_deleted, slot, number) "
        f"SELECT {OF_ALL[dialect]}, status, is_deleted, 0, sum(number) FROM order_counts GROUP BY status, is_deleted"
    )
    op.execute("INSERT INTO product_names (name_folded) SELECT DISTINCT name_folded FROM order_lines")
    op.create_index(op.f("ix_product_names_name_folded"), "product_names", ["name_folded"])
    (_watch_in_sqlite if dialect == "sqlite" else _watch_in_postgresql)()


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for name in POSTGRESQL:
        op.execute(f"DROP TRIGGER {name}" if sqlite else f"DROP FUNCTION {name} CASCADE")
    for name in SQLITE_NAMES if sqlite else ["order_lines_named"]:
        op.execute(f"DROP TRIGGER {name}" if sqlite else f"DROP FUNCTION {name} CASCADE")
    if not sqlite:
        op.execute("DROP FUNCTION order_counts_add")
    op.drop_table("product_names")
    op.drop_table("order_counts")
    op.drop_index("ix_order_lines_name_order", table_name="order_lines")
    op.drop_index("ix_order_events_at_id", table_name="order_events")
    op.create_index(op.f("ix_order_events_at"), "order_events", ["at"])
    op.drop_index("ix_orders_id_end", table_name="orders")
    op.drop_index("uq_orders_reference_source", table_name="orders")
    op.create_index("uq_orders_source_reference", "orders", ["source", "reference"], unique=True)
    for name in NEW:
        op.drop_index(name, table_name="orders")
    for name, columns in OLD.items():
        op.create_index(name, "orders", columns)


def _watch_in_sqlite() -> None:
    rows = {"+": "NEW", "-": "OLD"}
    for name, (when, signs) in SQLITE.items():
        body = "".join(
            SQLITE_COUNT.format(row=rows[sign], of_all=OF_ALL["sqlite"], by=f"{sign}1") for sign in signs
        )
        op.execute(f"CREATE TRIGGER {name} {when} BEGIN {body} END")
    for name, when in SQLITE_NAMES.items():
        op.execute(f"CREATE TRIGGER {name} {when} BEGIN {SQLITE_NAME} END")


def _watch_in_postgresql() -> None:
    # Its rows change with every order: room on each page keeps their new versions beside the old ones.
    op.execute("ALTER TABLE order_counts SET (fillfactor = 50)")
    op.execute(POSTGRESQL_ADD)
    for name, (when, tables, changed) in POSTGRESQL.items():
        op.execute(POSTGRESQL_COUNT.format(name=name, of_all=OF_ALL["postgresql"], changed=changed))
        op.execute(
            f"CREATE TRIGGER {name} AFTER {when} ON orders REFERENCING {tables} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        )
    op.execute(POSTGRESQL_NAMES)
    for name, when in (("order_lines_named", "INSERT"), ("order_lines_renamed", "UPDATE")):
        op.execute(
            f"CREATE TRIGGER {name} AFTER {when} ON order_lines REFERENCING {ADDED} "
            "FOR EACH STATEMENT EXECUTE FUNCTION order_lines_named()"
        )
