"""Makes many orders of those that are there, in the database itself: ten million take minutes, not an hour.

A copy is as much later as all of those that it is made of take, with ids to match; its event is left out, and
`flask orders verify` would find it missing.  Indexes but the keys', and foreign keys, are taken away
meanwhile, and made anew over all rows at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import psycopg
from psycopg import sql

from benchmarks.arena import plain
from benchmarks.dataset import BEGAN, BETWEEN_ORDERS

TABLES: Final = ["orders", "order_lines"]
_MOVED = """
    CREATE FUNCTION pg_temp.moved(id uuid, by_ms bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
        SELECT (
            lpad(to_hex(('x' || left(digits, 12))::bit(48)::bigint + by_ms), 12, '0') || substr(digits, 13)
        )::uuid
        FROM (SELECT replace(id::text, '-', '') AS digits) AS of_id
    $$
"""
_ORDERS = """
    INSERT INTO orders
    SELECT pg_temp.moved(id, %(ms)s), user_id, status, total_price_cents, is_deleted, created_at + %(by)s,
        updated_at + %(by)s, version, source, 'B' || (substr(reference, 2)::bigint + %(number)s)
    FROM orders WHERE created_at < %(end)s
"""
_LINES = """
    INSERT INTO order_lines
    SELECT pg_temp.moved(id, %(ms)s), pg_temp.moved(order_id, %(ms)s), position, name, name_folded,
        price_cents, quantity
    FROM order_lines WHERE order_id IN (SELECT id FROM orders WHERE created_at < %(end)s)
"""
_INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes
    WHERE tablename = ANY(%s) AND indexname NOT IN (SELECT conname FROM pg_constraint)
"""
_FOREIGN_KEYS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = ANY(%s::regclass[]) AND contype = 'f'
"""


def multiply(url: str, orders: int, times: int) -> None:
    """Of the so many orders that a database holds, make so many times as many."""
    with psycopg.connect(plain(url)) as connection:
        connection.execute("SET LOCAL maintenance_work_mem = '1GB'")
        connection.execute(_MOVED)
        with _bare(connection):
            for copy in range(1, times):
                by = copy * orders * BETWEEN_ORDERS
                values = {
                    "by": by,
                    "ms": by // timedelta(milliseconds=1),
                    "number": copy * orders,
                    "end": BEGAN + orders * BETWEEN_ORDERS,
                }
                connection.execute(_ORDERS, values)
                connection.execute(_LINES, values)


@contextlib.contextmanager
def _bare(connection: psycopg.Connection) -> Iterator[None]:
    """The tables without what has to be kept up with each row."""
    foreign_keys = connection.execute(_FOREIGN_KEYS, [TABLES]).fetchall()
    indexes = connection.execute(_INDEXES, [TABLES]).fetchall()
    for name, _ in indexes:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    for table, name, _ in foreign_keys:
        words = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
        connection.execute(words.format(sql.Identifier(table), sql.Identifier(name)))
    yield
    for table, name, definition in foreign_keys:
        words = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}")
        connection.execute(words.format(sql.Identifier(table), sql.Identifier(name), sql.SQL(definition)))
    for _, definition in indexes:
        connection.execute(definition)
