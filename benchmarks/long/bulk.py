"""Import and export: lines a second, and memory that does not grow with them."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import ours
from benchmarks.arena import Arena
from benchmarks.dataset import ADMIN, BEGAN, BETWEEN_ORDERS, LINES, OWNERS, orders
from benchmarks.figures import Verdict, at_least, at_most
from benchmarks.long.commands import Ran, checked, run
from benchmarks.long.finding import Finding, Say, Sizes
from benchmarks.report import Row
from tests.server.processes import ServerProcess

LINES_AN_ORDER = 20
"""About what the orders of a wholesaler have."""
IMPORT_BARS = {"postgresql": 20_000, "sqlite": 10_000}
EXPORT_BAR = 100_000
FIRST_BYTE_MILLISECONDS = 200
FLAT = 1.1
COLUMNS = ("order", "name", "price", "quantity", "at", "customer")


def write_csv(path: Path, lines: int) -> None:
    """A shop's own export: one row a line item."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(itertools.islice(_rows(), lines))


def _rows() -> Iterator[tuple[object, ...]]:
    per_order = LINES_AN_ORDER // LINES
    made = orders(10**9)
    for number in itertools.count():
        owner = OWNERS[number % len(OWNERS)].name
        at = (BEGAN + number * BETWEEN_ORDERS).isoformat()
        for order in itertools.islice(made, per_order + 1):
            for line in order.lines:
                price = f"{line.price_cents // 100}.{line.price_cents % 100:02}"
                yield f"I{number:08}", line.name, price, line.quantity, at, owner


def measure_import(arena: Arena, sizes: Sizes, say: Say) -> Finding:
    """Twice for each database: a tenth of the lines, and all of them."""
    folder = arena.folder / "import"
    folder.mkdir()
    counts = (sizes.import_lines // 10, sizes.import_lines)
    files = [folder / f"{count}.csv" for count in counts]
    for file, count in zip(files, counts, strict=True):
        write_csv(file, count)
    rows, raw = [], {}
    for backend, bar in IMPORT_BARS.items():
        ran = []
        for file, count in zip(files, counts, strict=True):
            say(f"import: {count:,} lines into {backend} …")
            ran.append(_import(arena, backend, file, count))
        rate = counts[1] / ran[1].seconds
        measured = [f"{ran[1].seconds:.1f} s, {rate:,.0f} lines/s", _peaks(ran)]
        verdicts = [at_least(bar, rate, "lines/s"), _flat(ran)]
        what = f"a CSV file of {counts[1]:,} lines, about {LINES_AN_ORDER} an order; the whole command"
        rows.append(Row(f"import, {backend}", what, measured, verdicts))
        raw[backend] = {"lines_per_second": rate, "peaks": [one.peak for one in ran]}
        say(f"import: {backend}: {rate:,.0f} lines a second")
    return Finding(rows, raw)


def _import(arena: Arena, backend: str, file: Path, lines: int) -> Ran:
    folder = arena.folder / f"import-{backend}-{lines}"
    settings = {"DATABASE_URL": arena.postgres.new_database()} if backend == "postgresql" else {}
    server = ours.server_in(folder, **settings)
    folder.mkdir()
    server.prepare()
    named = [
        word for column in ("order", "name", "price", "quantity") for word in (f"--{column}-column", column)
    ]
    others = ["--created-column", "at", "--user-column", "customer", "--create-users", "--user", ADMIN.name]
    ran = run(server, "orders", "import", str(file), *named, *others)
    return checked(ran, lambda ran: f"lines: {lines} imported, 0 refused" in ran.last, folder)


def measure_export(arena: Arena, sizes: Sizes, say: Say) -> Finding:
    """A tenth of the orders, and all of them, in both formats, from the large database."""
    contender = ours.of_size(arena, sizes.large)
    folder = arena.folder / "export"
    server = ours.server_in(folder, DATABASE_URL=contender.database_url)
    folder.mkdir()
    nothing = _export(server, "csv", 0)
    rows, raw = [], {}
    for kind, per_order in (("csv", LINES), ("jsonl", 1)):
        ran = []
        for count in (sizes.export_orders // 10, sizes.export_orders):
            say(f"export: {count:,} orders as {kind} …")
            wanted = count * per_order
            ran.append(checked(_export(server, kind, count), _prints(wanted, kind), folder))
        rate = sizes.export_orders * LINES / ran[1].seconds
        first = (ran[1].first - nothing.seconds) * 1000
        measured = [
            f"{ran[1].seconds:.1f} s, {rate:,.0f} lines/s",
            f"first byte {ran[1].first:.2f} s",
            _peaks(ran),
        ]
        verdicts = [
            at_least(EXPORT_BAR, rate, "lines/s"),
            at_most(
                FIRST_BYTE_MILLISECONDS,
                max(first, 0),
                "ms to the first byte, without the start of the command",
            ),
            _flat(ran),
        ]
        what = f"{sizes.export_orders * LINES:,} lines out of {sizes.large * LINES:,}; the whole command"
        rows.append(Row(f"export, {kind}", what, measured, verdicts))
        raw[kind] = {"lines_per_second": rate, "first_byte_ms": first, "peaks": [one.peak for one in ran]}
        say(f"export: {kind}: {rate:,.0f} lines a second")
    return Finding(rows, raw)


def _export(server: ServerProcess, kind: str, count: int) -> Ran:
    until = (BEGAN + count * BETWEEN_ORDERS).isoformat()
    return run(server, "orders", "export", "--format", kind, "--created-before", until)


def _prints(rows: int, kind: str) -> Callable[[Ran], bool]:
    return lambda ran: ran.lines == rows + (kind == "csv")


def _peaks(ran: list[Ran]) -> str:
    tenth, whole = (one.peak / 2**20 for one in ran)
    return f"at most {whole:.0f} MB; with a tenth of it {tenth:.0f} MB"


def _flat(ran: list[Ran]) -> Verdict:
    return at_most(FLAT, ran[1].peak / ran[0].peak, "times the memory of a tenth", 2)
