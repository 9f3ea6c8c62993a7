"""Makes the tables, an admin, and the orders of an export of the service."""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from pathlib import Path

import django
from django.core.management import call_command


def main(orders: Path, story: Path) -> None:
    """Everything that there is, with who cancelled one order and why."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.peers.shop_admin.settings")
    django.setup()
    # There are no models before the set-up.
    from django.contrib.admin.models import CHANGE, LogEntry
    from django.contrib.auth import get_user_model

    from benchmarks.peers.shop_admin.models import Customer, Line, Order

    call_command("migrate", run_syncdb=True, verbosity=0)
    told = json.loads(story.read_text())
    admin = get_user_model().objects.create_superuser(told["admin"], password=told["password"])
    records = [json.loads(line) for line in orders.read_text().splitlines()]
    names = sorted({record["user"] for record in records})
    customers = dict(
        zip(names, Customer.objects.bulk_create(Customer(name=name) for name in names), strict=True)
    )
    made = [
        Order(
            id=record["order_id"],
            reference=record["reference"] or "",
            customer=customers[record["user"]],
            status=record["status"],
            total=record["total_price"],
            created_at=datetime.fromisoformat(record["created_at"]),
            updated_at=datetime.fromisoformat(record["updated_at"]),
        )
        for record in records
    ]
    Order.objects.bulk_create(made)
    Line.objects.bulk_create(
        Line(order=order, name=line["name"], price=line["price"], quantity=line["quantity"])
        for order, record in zip(made, records, strict=True)
        for line in record["products"]
    )
    cancelled = Order.objects.get(pk=told["cancelled"])
    text = f"Status: cancelled. {told['reason']}"
    LogEntry.objects.log_actions(admin.pk, [cancelled], CHANGE, change_message=text, single_object=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
