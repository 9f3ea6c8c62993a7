"""What was sold when: orders by the day on which they were made.

Orders are counted and summed up by the quarter of an hour in which they were made, by the triggers that
keep the counts: days of every time zone consist of whole quarters, and no order has to be looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    column,
    false,
    func,
    literal,
    literal_column,
    select,
    union_all,
    values,
)

from orders_app.orders.domain import Figures, OrderStatus
from orders_app.orders.models import Order, OrderQuarter

QUARTER: Final = timedelta(minutes=15)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# The quarter of an order in the words of each database, as the triggers reckon it (migration 0009).
_QUARTER_OF_ORDER: Final = {
    "sqlite": "(strftime('%s', substr(orders.created_at, 1, 19)) + 62135596800) / 900 - 69039552",
    "postgresql": "floor(floor(extract(epoch FROM orders.created_at)) / 900)::integer",
}


@dataclass(frozen=True, slots=True)
class WrongQuarter:
    """Kept figures that are not those of the orders of that quarter of an hour."""

    begins: datetime
    status: str
    kept: Figures
    there: Figures


def by_day(
    connection: Connection, days: Sequence[tuple[datetime, datetime]]
) -> list[dict[OrderStatus, Figures]]:
    """For each day the figures of its orders that are not deleted; every status is named.

    A day begins with the first moment and ends before the second.  Raises `ValueError` where one is not
    at a quarter of an hour.
    """
    figures = [dict.fromkeys(OrderStatus, Figures(0, 0)) for _ in days]
    if days:
        for place, status, number, total_cents in connection.execute(sold(days)):
            figures[place][OrderStatus(status)] = Figures(int(number), int(total_cents))
    return figures


def sold(days: Sequence[tuple[datetime, datetime]]) -> Select[Any]:
    """The statement that finds them: for each day its place, each status that there was, and its figures."""
    day = (
        values(column("place", Integer), column("begins", Integer), column("ends", Integer), name="days")
        .data([(place, quarter_of(begins), quarter_of(ends)) for place, (begins, ends) in enumerate(days)])
        .cte("days")
    )
    within = and_(OrderQuarter.quarter >= day.c.begins, OrderQuarter.quarter < day.c.ends)
    return (
        select(
            day.c.place,
            OrderQuarter.status,
            func.sum(OrderQuarter.number),
            func.sum(OrderQuarter.total_cents),
        )
        .join_from(day, OrderQuarter, within)
        .group_by(day.c.place, OrderQuarter.status)
    )


def quarter_of(moment: datetime) -> int:
    """The quarter of an hour that begins at this moment.  Raises `ValueError` if none does."""
    quarter, rest = divmod(moment - _EPOCH, QUARTER)
    if rest:
        raise ValueError(f"no quarter of an hour begins at {moment}")
    return quarter


def quarter_of_order(dialect: str) -> ColumnElement[int]:
    """The quarter of an hour in which an order was made, in SQL, for statements that select from orders."""
    return literal_column(_QUARTER_OF_ORDER[dialect], Integer)


def wrong_quarters(connection: Connection) -> Iterator[WrongQuarter]:
    """The kept quarters that are wrong; all orders are looked at."""
    there = quarter_of_order(connection.dialect.name)
    rows = union_all(
        select(
            OrderQuarter.quarter,
            OrderQuarter.status,
            OrderQuarter.number.label("kept"),
            OrderQuarter.total_cents.label("kept_cents"),
            literal(0).label("there"),
            literal(0).label("there_cents"),
        ),
        select(there, Order.status, literal(0), literal(0), literal(1), Order.total_price_cents).where(
            Order.is_deleted == false()
        ),
    ).subquery()
    by, figures = tuple(rows.c)[:2], [func.sum(column) for column in tuple(rows.c)[2:]]
    number, total, its_number, its_total = figures
    wrong = (number != its_number) | (total != its_total)
    statement = select(*by, *figures).group_by(*by).having(wrong).order_by(*by)
    for quarter, status, *found in connection.execute(statement):
        kept_number, kept_cents, number_there, cents_there = map(int, found)
        yield WrongQuarter(
            _EPOCH + quarter * QUARTER,
            status,
            Figures(kept_number, kept_cents),
            Figures(number_there, cents_there),
        )
