"""A real shop's days, brought to today: the importer brings the orders in, and people work on some of them.

The days are those of `tests/data/shop`. In the copy that is imported they end today, customers' numbers
lose the `.0` that a spreadsheet left behind, and each order has a status. Asked for more days than those two,
it deals the same invoices out over them, with other numbers, so that lists and charts look like a month's.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from tests.callers import ORDERS, USERS, basic
from tests.server.panel_session import PanelSession
from tests.server.processes import ADMIN_PASSWORD, ServerProcess

DAYS: Final = sorted((Path(__file__).parent / "data" / "shop").glob("*.csv"))
OPTIONS: Final = (
    *("--order-column", "InvoiceNo", "--name-column", "Description", "--price-column", "UnitPrice"),
    *("--quantity-column", "Quantity", "--created-column", "InvoiceDate"),
    *("--user-column", "CustomerID", "--user", "shop", "--create-users"),
    *("--negative-quantity", "absolute", "--status-prefix", "C=cancelled"),
)
"""Of the import, for the files as they are."""
ADMIN: Final = "maria"
CUSTOMER: Final = "walter"
PEOPLE: Final = ("admin", ADMIN, CUSTOMER, "shop")
PASSWORD: Final = ADMIN_PASSWORD
VIEW: Final = "To be looked at, the oldest first"
REASON: Final = "The customer ordered the wrong colour, and will order again."
NOTE: Final = "Called the customer: deliver before noon, please."
FAILED: Final = 3
"""Log-ins that did not succeed."""

_ZONES: Final = (
    *("Europe/London", "America/New_York", "Asia/Tokyo"),
    *("Asia/Dubai", "Pacific/Honolulu", "Pacific/Auckland"),
)
_CLOSES: Final = 17
_CLOSED: Final = 5
_AFTERNOON: Final = 13
"""The hour by which the shop has closed, which of the last seven days has no sales, when afternoon begins."""
_SOLD: Final = (14, 34)
"""The fewest and the most invoices that are dealt out to a day."""
_OVERLOOKING: Final = {3, 4}
"""So many days ago one order was overlooked, and still waits."""
_TELEPHONED: Final[dict[str, Any]] = {
    "products": [
        {"name": "Gift wrapping, two sheets", "price": "1.25", "quantity": 2},
        {"name": "Ceramic strawberry money box", "price": "3.75", "quantity": 1},
    ]
}

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Shop:
    """What a test may want to name: the time zone, what is sold, and orders to which something happened."""

    time_zone: str
    products: frozenset[str]
    pending: tuple[str, ...]
    confirmed: str
    cancelled: str
    noted: str
    deleted: str


def evening_zone(now: datetime) -> str:
    """Where the shop has just closed, so that all of its day lies in the past and the day is still today."""
    local = {name: now.astimezone(ZoneInfo(name)) for name in _ZONES}
    return next((name for name, time in local.items() if time.hour >= _CLOSES), _ZONES[0])


def moved_days(today: date, days: int = 2) -> Iterator[Row]:
    """The rows, of which the last are of today. Two days are the real ones, three days apart as they were."""
    first, last = (_invoices(path) for path in DAYS)
    yield from _on(today, last, is_last=True)
    if days <= len(DAYS):
        yield from _on(today - timedelta(days=3), first, overlooks=True)
        return
    both = first + last
    for back in range(1, days):
        day = today - timedelta(days=back)
        if back % 7 != _CLOSED:
            dealer = random.Random(back)
            dealt = dealer.sample(both, dealer.randint(*_SOLD))
            yield from _on(day, dealt, overlooks=back in _OVERLOOKING, numbered=back * 1_000)


def open_shop(server: ServerProcess, days: int = 2) -> Shop:
    """Import the days into a server that runs, and let people do what people do."""
    zone = evening_zone(datetime.now(UTC))
    path = server.folder / "shop.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = list(moved_days(datetime.now(ZoneInfo(zone)).date(), days))
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    command = ("orders", "import", str(path), *OPTIONS, "--timezone", zone, "--status-column", "Status")
    done = server.run("-m", "flask", "--app", "wsgi", *command, "--source", "till")
    assert done.returncode == 0, done.stderr
    sold = {row["Description"].strip() for row in rows} | {line["name"] for line in _TELEPHONED["products"]}
    return _live(server, zone, frozenset(sold))


def _invoices(path: Path) -> list[list[Row]]:
    found: dict[str, list[Row]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["InvoiceNo"], []).append(row)
    return list(found.values())


def _on(
    day: date,
    invoices: list[list[Row]],
    *,
    is_last: bool = False,
    overlooks: bool = False,
    numbered: int = 0,
) -> Iterator[Row]:
    sold = [invoice for invoice in invoices if not invoice[0]["InvoiceNo"].startswith("C")]
    for invoice in invoices:
        number = invoice[0]["InvoiceNo"].removeprefix("C")
        kind = invoice[0]["InvoiceNo"].removesuffix(number)
        # What came in on the last afternoon is still to be looked at; what is older is nearly all done.
        is_late = datetime.fromisoformat(invoice[0]["InvoiceDate"]).hour >= _AFTERNOON
        settled = ("confirmed", "pending") if is_last else ("completed", "confirmed")
        for row in invoice:
            yield {
                **row,
                "InvoiceNo": f"{kind}{int(number) - numbered}",
                "InvoiceDate": f"{day} {row['InvoiceDate'].partition(' ')[2]}",
                "CustomerID": row["CustomerID"].removesuffix(".0"),
                "Status": "pending" if overlooks and invoice is sold[-1] else settled[is_late],
            }


def _live(server: ServerProcess, zone: str, products: frozenset[str]) -> Shop:
    """Orders are confirmed, completed, cancelled with a reason, written about and deleted; log-ins fail."""
    for name, role in ((ADMIN, "admin"), (CUSTOMER, "user")):
        body = {"username": name, "password": PASSWORD, "role": role}
        assert server.as_admin("POST", USERS, body).status == 201
    answer = server.as_admin("GET", f"{ORDERS}?page_size=200&status=pending&ordering=created_at")
    pending = [str(order["order_id"]) for order in answer.json()]
    # The newest: an order that has waited for days goes on waiting.
    *waiting, confirmed, completed, cancelled, noted, deleted = pending
    moves = ((confirmed, "confirmed"), (completed, "confirmed"), (completed, "completed"))
    for order_id, status in moves:
        _ask(server, "PATCH", order_id, {"status": status})
    maria = PanelSession.of(server, ADMIN, PASSWORD)
    page = f"/admin/orders/details/?id={cancelled}"
    maria.press(page, "/admin/orders/transition/", to="cancelled", reason=REASON)
    for order_id, text in ((noted, NOTE), (cancelled, "The money is on its way back.")):
        maria.press(f"/admin/orders/details/?id={order_id}", "/admin/orders/note/", text=text)
    page = f"/admin/orders/details/?id={deleted}"
    maria.press(page, "/admin/orders/delete/", reason="Entered twice, see the one before.")
    view = {"query": "status=pending&sort=5", "name": VIEW}
    maria.press(f"/admin/orders/?{view['query']}", "/admin/orders/views/keep/", is_shared="1", **view)
    _ask(server, "POST", "", _TELEPHONED, name=CUSTOMER)
    for _ in range(FAILED):
        assert server.request("GET", ORDERS, auth=basic(CUSTOMER, "mistaken")).status == 401
    return Shop(zone, products, tuple(waiting), confirmed, cancelled, noted, deleted)


def _ask(server: ServerProcess, method: str, order_id: str, body: Any, name: str = ADMIN) -> None:
    path = f"{ORDERS}{order_id}/" if order_id else ORDERS
    answer = server.request(method, path, body, auth=basic(name, PASSWORD))
    assert answer.status in {200, 201}, answer.body
