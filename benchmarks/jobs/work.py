"""What is to be done: one set of orders, chosen from what the shop's days hold, the same for both."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from tests.shop import Shop

LETTERS = 12
"""Of a product's name are typed to find it."""
TEN = 10


@dataclass(frozen=True, slots=True)
class Work:
    """Five jobs."""

    product: str
    day: date
    found: str
    pending: tuple[str, ...]
    """The ten newest."""
    corrected: str
    corrected_reference: str
    quantity: int
    total: str
    """What the corrected order comes to afterwards."""
    cancelled: str
    cancelled_reference: str
    month: date
    """The first day of the last month."""
    of_month: frozenset[str]

    @classmethod
    def among(cls, orders: Path, shop: Shop) -> Self:
        records = [json.loads(line) for line in orders.read_text().splitlines()]
        records.sort(key=lambda record: str(record["created_at"]), reverse=True)
        zone = ZoneInfo(shop.time_zone)
        days = {
            record["order_id"]: datetime.fromisoformat(record["created_at"]).astimezone(zone).date()
            for record in records
        }
        by_id = {record["order_id"]: record for record in records}
        product, day, found = _only_one(records, days)
        pending = [record["order_id"] for record in records if record["status"] == "pending"][:TEN]
        corrected = next(
            record
            for record in records
            if record["status"] == "confirmed" and record["reference"] and 3 <= len(record["products"]) <= 8
        )
        first = corrected["products"][0]
        total = float(corrected["total_price"]) + float(first["price"])
        month = (datetime.now(zone).date().replace(day=1) - timedelta(days=1)).replace(day=1)
        return cls(
            product=product,
            day=day,
            found=found,
            pending=tuple(pending),
            corrected=corrected["order_id"],
            corrected_reference=corrected["reference"],
            quantity=first["quantity"] + 1,
            total=f"{total:.2f}",
            cancelled=shop.cancelled,
            cancelled_reference=by_id[shop.cancelled]["reference"],
            month=month,
            of_month=frozenset(
                order_id for order_id, at in days.items() if (at.year, at.month) == (month.year, month.month)
            ),
        )


def _only_one(records: list[dict[str, Any]], days: dict[str, date]) -> tuple[str, date, str]:
    """A product that several orders have, but only one of its day, which lies a while back."""
    texts = {record["order_id"]: {_typed(line["name"]) for line in record["products"]} for record in records}
    often = Counter(text for found in texts.values() for text in found)
    for record in records[len(records) // 3 :]:
        day = days[record["order_id"]]
        same_day = [order_id for order_id, at in days.items() if at == day]
        for text in sorted(texts[record["order_id"]]):
            has_it = [order_id for order_id in same_day if any(_has(by, text) for by in texts[order_id])]
            if often[text] >= 5 and has_it == [record["order_id"]] and text.replace(" ", "").isalpha():
                return text, day, record["order_id"]
    raise LookupError("No product of the shop is in several orders and in one of a day.")


def _typed(name: str) -> str:
    return name[:LETTERS].strip()


def _has(text: str, sought: str) -> bool:
    return sought in text
