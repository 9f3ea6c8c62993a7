"""Fills a peer's database with the same accounts and orders as the service's."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import psycopg

from benchmarks.arena import plain
from benchmarks.checking import cents_text
from benchmarks.dataset import USERS, SampleOrder

SCHEMA = Path(__file__).parent / "peers/schema.sql"


def fill_peer(url: str, orders: Iterable[SampleOrder]) -> None:
    """Make the peers' tables and fill them; lines wait until their orders are in."""
    with psycopg.connect(plain(url)) as connection, connection.cursor() as cursor:
        cursor.execute(SCHEMA.read_bytes())
        cursor.executemany(
            "INSERT INTO users (id, username, is_admin) VALUES (%s, %s, %s)",
            [(user.user_id, user.name, user.is_admin) for user in USERS],
        )
        lines = []
        with cursor.copy(
            "COPY orders (id, user_id, status, total_price, created_at, updated_at) FROM STDIN"
        ) as copy:
            for order in orders:
                total, at = cents_text(order.total_cents), order.created_at
                copy.write_row((order.order_id, order.owner.user_id, order.status, total, at, at))
                lines += [(order.order_id, position, line) for position, line in enumerate(order.lines)]
        with cursor.copy(
            "COPY order_lines (id, order_id, position, name, price, quantity) FROM STDIN"
        ) as copy:
            for order_id, position, line in lines:
                price = cents_text(line.price_cents)
                copy.write_row((line.line_id, order_id, position, line.name, price, line.quantity))
