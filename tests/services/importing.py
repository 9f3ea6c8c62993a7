"""What the tests of the import share."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from orders_app.auth.models import User
from orders_app.extensions import unit_of_work
from orders_app.orders.importing import Summary, import_orders
from orders_app.orders.importing.input_files import InputFile
from orders_app.orders.importing.options import Columns, ImportOptions
from orders_app.orders.models import Order
from orders_app.shared.identity import command_line_actor
from orders_app.shared.money import cents_text

COLUMNS = Columns(order="No", name="Item", price="Each", quantity="Qty")
OPTIONS = ImportOptions(columns=COLUMNS, user="alice")
HEADER = "No,Item,Each,Qty\n"


@dataclass
class Watching:
    """Stops after so many batches."""

    stop_after: int = 10**9
    batches: int = 0

    def reading(self, size: int | None) -> Callable[[int], object]:
        return lambda _count: None

    def writing(self, orders: int) -> Callable[[int], object]:
        def advance(_count: int) -> None:
            self.batches += 1

        return advance

    def wants_to_stop(self) -> bool:
        return self.batches >= self.stop_after


@dataclass
class Importing:
    """Files in a folder, and what importing them gives."""

    folder: Path

    def __call__(
        self, *texts: str, options: ImportOptions = OPTIONS, suffix: str = ".csv", stop_after: int = 10**9
    ) -> Summary:
        files = []
        for number, text in enumerate(texts, start=1):
            path = self.folder / f"{number}{suffix}"
            path.write_text(text, encoding="utf-8", newline="")
            files.append(InputFile(str(path)))
        return import_orders(
            files,
            options,
            unit_of_work=unit_of_work,
            actor=command_line_actor(),
            watcher=Watching(stop_after),
        )

    def rejects(self, name: str = "1.csv.rejects.csv") -> list[list[str]]:
        path = self.folder / name
        return list(csv.reader(path.read_text("utf-8").splitlines())) if path.exists() else []


def counts(summary: Summary) -> str:
    return str(summary).rsplit(";", 1)[0]


def value_of(session: Session, statement: Select[Any]) -> Any:
    """What the statement finds now."""
    session.rollback()
    return session.scalar(statement)


def stored(session: Session) -> dict[str, Any]:
    """What is there now, by reference."""
    session.rollback()
    orders = session.execute(
        select(Order, User.username)
        .join(User, User.id == Order.user_id)
        .execution_options(populate_existing=True)
    )
    return {
        str(order.reference): (
            owner,
            order.status,
            cents_text(order.total_price_cents),
            [(line.name, line.quantity) for line in order.lines],
        )
        for order, owner in orders
    }


def json_order(**fields: Any) -> str:
    line = {"name": "affe", "price": "42", "quantity": 0}
    return json.dumps({"products": [line], **fields}) + "\n"
