"""Making anew what triggers keep of the orders, for who has worked without triggers."""

from __future__ import annotations

from sqlalchemy import Integer, Uuid, delete, false, func, insert, literal, select, text
from sqlalchemy.orm import Session

from orders_app.orders.models import EVERYBODY, Order, OrderCount, OrderLine, OrderQuarter, ProductName
from orders_app.orders.sales import quarter_of_order


def recount(session: Session) -> None:
    """Count and sum up all orders, and gather the names of all products; nobody changes orders meanwhile."""
    dialect = session.get_bind().dialect.name
    if dialect == "postgresql":
        session.execute(text("LOCK TABLE orders IN SHARE ROW EXCLUSIVE MODE"))
    for table in (OrderCount, OrderQuarter):
        session.execute(delete(table))
    of, slot = (Order.status, Order.is_deleted), literal(0, Integer)
    figures = (slot, func.count(), func.sum(Order.total_price_cents))
    of_owners = select(Order.user_id, *of, *figures).group_by(Order.user_id, *of)
    of_all = select(literal(EVERYBODY, Uuid()), *of, *figures).group_by(*of)
    kept = ["scope", "status", "is_deleted", "slot", "number", "total_cents"]
    for counted in (of_owners, of_all):
        session.execute(insert(OrderCount).from_select(kept, counted))
    quarter = quarter_of_order(dialect)
    of_quarters = select(quarter, Order.status, *figures).where(Order.is_deleted == false())
    of_quarters = of_quarters.group_by(quarter, Order.status)
    kept = ["quarter", "status", "slot", "number", "total_cents"]
    session.execute(insert(OrderQuarter).from_select(kept, of_quarters))
    missing = select(OrderLine.name_folded).except_(select(ProductName.name_folded))
    session.execute(insert(ProductName).from_select(["name_folded"], missing))
