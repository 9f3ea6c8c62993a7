"""what the back office needs: sums and quarters of an hour, notes, what happened to accounts, links, desks

Revision: 0009
Follows: 0008
Date: 2026-12-02 09:00:00
"""

from __future__ import annotations

from types import ModuleType

import sqlalchemy as sa
from alembic import context, op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

OF_ALL = {"sqlite": "'" + 32 * "0" + "'", "postgresql": "'00000000-0000-0000-0000-000000000000'::uuid"}
# SQLite divides towards nought, so the seconds are counted from the year 1 first, and none are negative.
# Fractions of a second are cut off before anything is reckoned with them: both databases round.
QUARTER = {
    "sqlite": "(strftime('%s', substr({row}created_at, 1, 19)) + 62135596800) / 900 - 69039552",
    "postgresql": "floor(floor(extract(epoch FROM {row}created_at)) / 900)::integer",
}

# One writer at a time: a plain upsert never waits.
SQLITE_COUNT = """
    INSERT INTO order_counts (scope, status, is_deleted, slot, number, total_cents)
    VALUES ({row}.user_id, {row}.status, {row}.is_deleted, 0, {sign}1, {sign}{row}.total_price_cents),
           ({of_all}, {row}.status, {row}.is_deleted, 0, {sign}1, {sign}{row}.total_price_cents)
    ON CONFLICT (scope, status, is_deleted, slot) DO UPDATE
    SET number = number + excluded.number, total_cents = total_cents + excluded.total_cents;
    INSERT INTO order_quarters (quarter, status, slot, number, total_cents)
    SELECT {quarter}, {row}.status, 0, {sign}1, {sign}{row}.total_price_cents WHERE NOT {row}.is_deleted
    ON CONFLICT (quarter, status, slot) DO UPDATE
    SET number = number + excluded.number, total_cents = total_cents + excluded.total_cents;
"""
COUNTED = ("user_id", "status", "is_deleted", "total_price_cents", "created_at")
SQLITE = {
    "orders_counted_in": ("AFTER INSERT ON orders", "+"),
    "orders_counted_out": ("AFTER DELETE ON orders", "-"),
    "orders_counted_anew": (
        f"AFTER UPDATE OF {', '.join(COUNTED)} ON orders WHEN ({', '.join(f'OLD.{name}' for name in COUNTED)}) "
        f"IS NOT ({', '.join(f'NEW.{name}' for name in COUNTED)})",
        "-+",
    ),
}

# Any row that nobody holds is as good as another: only what they add up to has a meaning.
# So no transaction ever waits for another one here, and no two can wait for each other in a circle.
POSTGRESQL_ADD = """
    CREATE FUNCTION order_counts_add(
        its_scope uuid, its_status varchar, deleted boolean, change bigint, cents bigint
    ) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
        UPDATE order_counts SET number = number + change, total_cents = total_cents + cents WHERE ctid = (
            SELECT ctid FROM order_counts
            WHERE scope = its_scope AND status = its_status AND is_deleted = deleted
            LIMIT 1 FOR UPDATE SKIP LOCKED
        );
        IF NOT FOUND THEN
            INSERT INTO order_counts (scope, status, is_deleted, slot, number, total_cents)
            VALUES (its_scope, its_status, deleted, floor(random() * 2147483647)::integer, change, cents)
            ON CONFLICT (scope, status, is_deleted, slot) DO UPDATE
            SET number = order_counts.number + change, total_cents = order_counts.total_cents + cents;
        END IF;
    END $$
"""
POSTGRESQL_ADD_TO_QUARTER = """
    CREATE FUNCTION order_quarters_add(its_quarter integer, its_status varchar, change bigint, cents bigint)
    RETURNS void LANGUAGE plpgsql AS $$ BEGIN
        UPDATE order_quarters SET number = number + change, total_cents = total_cents + cents WHERE ctid = (
            SELECT ctid FROM order_quarters WHERE quarter = its_quarter AND status = its_status
            LIMIT 1 FOR UPDATE SKIP LOCKED
        );
        IF NOT FOUND THEN
            INSERT INTO order_quarters (quarter, status, slot, number, total_cents)
            VALUES (its_quarter, its_status, floor(random() * 2147483647)::integer, change, cents)
            ON CONFLICT (quarter, status, slot) DO UPDATE
            SET number = order_quarters.number + change, total_cents = order_quarters.total_cents + cents;
        END IF;
    END $$
"""
POSTGRESQL_COUNT = """
    CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM order_counts_add(counted.scope, status, is_deleted, change, cents) FROM (
            SELECT scopes.scope, status, is_deleted, sum(change)::bigint AS change, sum(cents)::bigint AS cents
            FROM ({changed}) AS changed, LATERAL (VALUES (user_id), ({of_all})) AS scopes (scope)
            GROUP BY scopes.scope, status, is_deleted HAVING sum(change) <> 0 OR sum(cents) <> 0
        ) AS counted;
        PERFORM order_quarters_add(counted.quarter, status, change, cents) FROM (
            SELECT {quarter} AS quarter, status, sum(change)::bigint AS change, sum(cents)::bigint AS cents
            FROM ({changed}) AS changed WHERE NOT is_deleted
            GROUP BY 1, status HAVING sum(change) <> 0 OR sum(cents) <> 0
        ) AS counted;
        RETURN NULL;
    END $$
"""
IN = "SELECT user_id, status, is_deleted, created_at, 1 AS change, total_price_cents AS cents FROM added"
OUT = "SELECT user_id, status, is_deleted, created_at, -1 AS change, -total_price_cents AS cents FROM removed"
POSTGRESQL = {
    "orders_counted_in": IN,
    "orders_counted_out": OUT,
    "orders_counted_anew": f"{IN} UNION ALL {OUT}",
}

ONLY_ADDED_TO = {
    "order_notes": "the notes on orders are only added to",
    "account_events": "the history of accounts is only added to",
}
SQLITE_REFUSALS = {
    "not_changed": "BEFORE UPDATE ON {table} BEGIN",
    "not_removed": "BEFORE DELETE ON {table} BEGIN",
    # INSERT OR REPLACE removes what is in its way without asking the trigger above.
    "not_replaced": "BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id) BEGIN",
}
POSTGRESQL_REFUSALS = {
    "not_changed": "BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW",
    "not_emptied": "BEFORE TRUNCATE ON {table} FOR EACH STATEMENT",
}
WITHOUT_CONTROLS = {
    "sqlite": "{0} NOT GLOB '*[' || char(1) || '-' || char(31) || char(127) || ']*'",
    "postgresql": r"{0} !~ '[\x01-\x1f\x7f]'",
}
WITHOUT_CONTROLS_BUT_NEWLINES = {
    "sqlite": "{0} NOT GLOB '*[' || char(1) || '-' || char(9) || char(11) || '-' || char(31) || char(127) || ']*'",
    "postgresql": r"{0} !~ '[\x01-\x09\x0b-\x1f\x7f]'",
}


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    op.add_column("users", sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True))
    if dialect == "postgresql":
        # What is counted while somebody goes on writing would be counted by nobody.
        op.execute("LOCK TABLE orders IN SHARE ROW EXCLUSIVE MODE")
    else:
        for name in SQLITE:
            op.execute(f"DROP TRIGGER {name}")
    op.create_index(
        "ix_orders_user_status_created", "orders", ["user_id", "is_deleted", "status", "created_at", "id"]
    )
    _sum_up(dialect)
    _count_quarters(dialect)
    _make_notes(dialect)
    _make_account_events()
    _make_password_links()
    _make_desks(dialect)
    (_watch_in_sqlite if dialect == "sqlite" else _watch_in_postgresql)()


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    if sqlite:
        for name in SQLITE:
            op.execute(f"DROP TRIGGER {name}")
    for table in ("saved_views", "user_preferences", "password_links", *ONLY_ADDED_TO, "order_quarters"):
        op.drop_table(table)
    op.drop_index("ix_orders_user_status_created", table_name="orders")
    with op.batch_alter_table("order_counts") as batch:
        batch.drop_column("total_cents")
    with op.batch_alter_table("users") as batch:
        batch.drop_column("last_login_at")
    before = context.script.get_revision(down_revision).module
    (_watch_in_sqlite_as_before if sqlite else _watch_in_postgresql_as_before)(before)


def _sum_up(dialect: str) -> None:
    op.add_column("order_counts", sa.Column("total_cents", sa.BigInteger(), nullable=True))
    op.execute("UPDATE order_counts SET total_cents = 0")
    # The counts stay in the rows in which they are; the sum goes to the first of each.
    op.execute(
        "UPDATE order_counts SET total_cents = sums.cents FROM ("
        "SELECT user_id AS scope, status, is_deleted, sum(total_price_cents) AS cents FROM orders "
        "GROUP BY user_id, status, is_deleted UNION ALL "
        f"SELECT {OF_ALL[dialect]}, status, is_deleted, sum(total_price_cents) FROM orders GROUP BY status, is_deleted"
        ") AS sums WHERE order_counts.scope = sums.scope AND order_counts.status = sums.status "
        "AND order_counts.is_deleted = sums.is_deleted AND order_counts.slot = ("
        "SELECT min(slot) FROM order_counts AS others WHERE others.scope = order_counts.scope "
        "AND others.status = order_counts.status AND others.is_deleted = order_counts.is_deleted)"
    )
    with op.batch_alter_table("order_counts") as batch:
        batch.alter_column("total_cents", existing_type=sa.BigInteger(), nullable=False)


def _count_quarters(dialect: str) -> None:
    op.create_table(
        "order_quarters",
        sa.Column("quarter", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("total_cents", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("quarter", "status", "slot", name=op.f("pk_order_quarters")),
    )
    op.execute(
        "INSERT INTO order_quarters (quarter, status, slot, number, total_cents) "
        f"SELECT {QUARTER[dialect].format(row='')}, status, 0, count(*), sum(total_price_cents) FROM orders "
        "WHERE NOT is_deleted GROUP BY 1, status"
    )


def _make_notes(dialect: str) -> None:
    op.create_table(
        "order_notes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("author_name", sa.String(length=150), nullable=False),
        sa.Column("request_id", sa.String(length=128), nullable=False),
        sa.Column("text", sa.String(length=2000), nullable=False),
        sa.CheckConstraint("sequence >= 1", name=op.f("ck_order_notes_sequence_positive")),
        sa.CheckConstraint("length(text) BETWEEN 1 AND 2000", name=op.f("ck_order_notes_text_length")),
        sa.CheckConstraint(
            WITHOUT_CONTROLS_BUT_NEWLINES[dialect].format("text"), name=op.f("ck_order_notes_text_without_controls")
        ),
        _reference("order_notes", "order_id", "orders", "RESTRICT"),
        _reference("order_notes", "author_id", "users", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_notes")),
    )
    op.create_index("ix_order_notes_order_id_id", "order_notes", ["order_id", "id"])


def _make_account_events() -> None:
    op.create_table(
        "account_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.String(length=150), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("username", sa.String(length=150), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.Column("request_id", sa.String(length=128), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        _reference("account_events", "actor_id", "users", "SET NULL"),
        _reference("account_events", "user_id", "users", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_events")),
    )
    op.create_index("ix_account_events_at_id", "account_events", ["at", "id"])
    for name in ("user_id", "actor_id"):
        op.create_index(f"ix_account_events_{name}_at_id", "account_events", [name, "at", "id"])


def _make_password_links() -> None:
    op.create_table(
        "password_links",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("length(digest) = 32", name=op.f("ck_password_links_digest_whole")),
        _reference("password_links", "user_id", "users", "CASCADE"),
        _reference("password_links", "made_by", "users", "SET NULL"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_password_links")),
    )
    op.create_index("ix_password_links_user_id", "password_links", ["user_id"])


def _make_desks(dialect: str) -> None:
    op.create_table(
        "user_preferences",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("locale", sa.String(length=35), nullable=True),
        sa.Column("time_zone", sa.String(length=64), nullable=True),
        sa.Column("columns", sa.JSON(none_as_null=True), nullable=True),
        _reference("user_preferences", "user_id", "users", "CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_user_preferences")),
    )
    op.create_table(
        "saved_views",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("name_key", sa.String(length=180), nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("query", sa.String(length=2000), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 60", name=op.f("ck_saved_views_name_length")),
        sa.CheckConstraint("length(query) <= 2000", name=op.f("ck_saved_views_query_length")),
        *(
            sa.CheckConstraint(
                WITHOUT_CONTROLS[dialect].format(name), name=op.f(f"ck_saved_views_{name}_without_controls")
            )
            for name in ("name", "query")
        ),
        _reference("saved_views", "owner_id", "users", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
        sa.UniqueConstraint("owner_id", "name_key", name=op.f("uq_saved_views_owner_id_name_key")),
    )


def _reference(table: str, column: str, to: str, ondelete: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{to}")
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=name, ondelete=ondelete)


def _watch_in_sqlite() -> None:
    rows = {"+": "NEW", "-": "OLD"}
    for name, (when, signs) in SQLITE.items():
        body = "".join(
            SQLITE_COUNT.format(
                row=rows[sign],
                sign=sign,
                of_all=OF_ALL["sqlite"],
                quarter=QUARTER["sqlite"].format(row=f"{rows[sign]}."),
            )
            for sign in signs
        )
        op.execute(f"CREATE TRIGGER {name} {when} BEGIN {body} END")
    for table, refused in ONLY_ADDED_TO.items():
        for name, when in SQLITE_REFUSALS.items():
            op.execute(
                f"CREATE TRIGGER {table}_{name} {when.format(table=table)} SELECT RAISE(ABORT, '{refused}'); END"
            )


def _watch_in_postgresql() -> None:
    # Its rows change with every order: room on each page keeps their new versions beside the old ones.
    op.execute("ALTER TABLE order_quarters SET (fillfactor = 50)")
    op.execute("DROP FUNCTION order_counts_add")
    op.execute(POSTGRESQL_ADD)
    op.execute(POSTGRESQL_ADD_TO_QUARTER)
    for name, changed in POSTGRESQL.items():
        op.execute(
            POSTGRESQL_COUNT.format(
                name=name,
                of_all=OF_ALL["postgresql"],
                changed=changed,
                quarter=QUARTER["postgresql"].format(row=""),
            )
        )
    for table, refused in ONLY_ADDED_TO.items():
        op.execute(
            f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{refused}' USING ERRCODE = 'restrict_violation'; END $$"
        )
        for name, when in POSTGRESQL_REFUSALS.items():
            op.execute(
                f"CREATE TRIGGER {table}_{name} {when.format(table=table)} EXECUTE FUNCTION {table}_refuse()"
            )


def _watch_in_sqlite_as_before(before: ModuleType) -> None:
    rows = {"+": "NEW", "-": "OLD"}
    for name, (when, signs) in before.SQLITE.items():
        body = "".join(
            before.SQLITE_COUNT.format(row=rows[sign], of_all=OF_ALL["sqlite"], by=f"{sign}1") for sign in signs
        )
        op.execute(f"CREATE TRIGGER {name} {when} BEGIN {body} END")


def _watch_in_postgresql_as_before(before: ModuleType) -> None:
    for table in ONLY_ADDED_TO:
        op.execute(f"DROP FUNCTION {table}_refuse()")
    op.execute("DROP FUNCTION order_quarters_add")
    op.execute("DROP FUNCTION order_counts_add")
    op.execute(before.POSTGRESQL_ADD)
    for name, (_, _, changed) in before.POSTGRESQL.items():
        function = before.POSTGRESQL_COUNT.format(name=name, of_all=OF_ALL["postgresql"], changed=changed)
        op.execute(function.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
