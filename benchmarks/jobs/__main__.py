"""Do the jobs in both, some rounds, and print or record the table: `python -m benchmarks.jobs`."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.jobs.django_admin import DjangoAdmin
from benchmarks.jobs.hand import Effort, Hand
from benchmarks.jobs.panel import Panel
from benchmarks.jobs.work import TEN, Work
from benchmarks.load import BENCH_PYTHON
from config import ROOT
from tests import shop as shops
from tests.browser.conftest import FLAGS, chromium_program
from tests.callers import ORDERS
from tests.server.processes import serving
from tests.servers import free_port, wait_until
from tests.shop import Shop, open_shop

DOCUMENT: Final = ROOT / "docs/admin.md"
BEGIN: Final = "<!-- jobs: what stands between these two lines is written by `make jobs ARGS=--record` -->"
END: Final = "<!-- /jobs -->"
DAYS: Final = 62
"""All of the last month, whatever day it is."""
WHAT: Final = {
    "find": "find an order by product and date, and open it",
    "confirm_ten": "confirm the ten newest that are pending",
    "correct": "correct the quantity of a line of an order whose number is known",
    "who_cancelled": "see who cancelled such an order, and why",
    "export": "export last month",
}
Place = Panel | DjangoAdmin
Round = dict[str, dict[str, Effort]]


def main() -> int:
    """Everything; a job that does not do what it should ends it with an error."""
    parser = argparse.ArgumentParser(description="Five jobs in the panel and in Django's admin.")
    parser.add_argument("--record", action="store_true", help="write the table into docs/admin.md")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median counts: %(default)s")
    wanted = parser.parse_args()
    rounds = [_round(number + 1) for number in range(wanted.rounds)]
    table = in_markdown(rounds)
    print(table)
    if wanted.record:
        said = f"Recorded on {datetime.now(UTC):%d %B %Y}; seconds are the median of {wanted.rounds} rounds."
        DOCUMENT.write_text(replaced(DOCUMENT.read_text(), f"{table}\n\n{said}"))
    return 0


def in_markdown(rounds: list[Round]) -> str:
    """A row a job, in each cell first the panel and then Django's admin."""
    names = (Panel.name, DjangoAdmin.name)
    lines = ["| job | clicks | keys | pages | seconds |", "|---|--:|--:|--:|--:|"]
    for job, what in WHAT.items():
        efforts = [rounds[0][name][job] for name in names]
        counted = [
            " / ".join(str(getattr(effort, measure)) for effort in efforts)
            for measure in ("clicks", "keys", "pages")
        ]
        seconds = " / ".join(_seconds([one[name][job] for one in rounds]) for name in names)
        lines.append("| " + " | ".join([what, *counted, seconds]) + " |")
    return "\n".join(lines)


def _seconds(efforts: list[Effort]) -> str:
    waited = statistics.median(effort.waited for effort in efforts)
    return f"{efforts[0].by_hand + waited:.1f} ({waited:.1f})"


def replaced(document: str, recorded: str) -> str:
    """The document with this between its marks."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"The document needs these two lines: {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{recorded}\n\n{END}{after}"


def _round(number: int) -> Round:
    """Both on fresh databases."""
    with tempfile.TemporaryDirectory() as place, serving(Path(place) / "server") as server:
        folder = Path(place)
        shop = open_shop(server, DAYS)
        for _ in range(TEN):
            body = {"products": [{"name": "Gift wrapping, two sheets", "price": "1.25", "quantity": 2}]}
            assert server.as_admin("POST", ORDERS, body).status == 201
        orders = folder / "orders.jsonl"
        done = server.run(
            "-m", "flask", "--app", "wsgi", "orders", "export", "--format", "jsonl", "--output", str(orders)
        )
        assert done.returncode == 0, done.stderr
        work = Work.among(orders, shop)
        with _django(folder, orders, shop) as (port, database), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_program(), args=list(FLAGS))

            def panel(page: Page) -> Place:
                return Panel(page, server, folder)

            def django(page: Page) -> Place:
                return DjangoAdmin(page, database, folder)

            found = {
                Panel.name: _all_jobs(browser, server.port, shop, work, panel),
                DjangoAdmin.name: _all_jobs(browser, port, shop, work, django),
            }
            browser.close()
    print(f"round {number} done", file=sys.stderr, flush=True)
    return found


def _all_jobs(
    browser: Browser, port: int, shop: Shop, work: Work, made: Callable[[Page], Place]
) -> dict[str, Effort]:
    """Each job from the first page on; before that it is opened once, as by somebody who works there."""
    context = browser.new_context(
        base_url=f"http://127.0.0.1:{port}",
        viewport={"width": 1280, "height": 900},
        timezone_id=shop.time_zone,
        reduced_motion="reduce",
    )
    found = {}
    place = made(context.new_page())
    place.log_in()
    place.page.close()
    for job in WHAT:
        place = made(context.new_page())
        hand: Hand = getattr(place, job)(work)
        found[job] = hand.effort
        place.page.close()
    context.close()
    return found


@contextlib.contextmanager
def _django(folder: Path, orders: Path, shop: Shop) -> Iterator[tuple[int, Path]]:
    """Django's admin with the same orders, on as many processes; its port and its database."""
    database, port = folder / "django.db", free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "SECRET_KEY": secrets.token_hex(32),
        "DATABASE_FILE": str(database),
        "TIME_ZONE": shop.time_zone,
        "DJANGO_SETTINGS_MODULE": "benchmarks.peers.shop_admin.settings",
    }
    story = folder / "story.json"
    told = {
        "admin": shops.ADMIN,
        "password": shops.PASSWORD,
        "cancelled": shop.cancelled,
        "reason": shops.REASON,
    }
    story.write_text(json.dumps(told))
    fill = [str(BENCH_PYTHON), "-m", "benchmarks.peers.shop_admin.fill", str(orders), str(story)]
    subprocess.run(fill, cwd=ROOT, env=environment, check=True)
    gunicorn = [str(BENCH_PYTHON), "-m", "gunicorn", "--workers", "2", "--worker-class", "gthread"]
    gunicorn += ["--threads", "4", "--bind", f"127.0.0.1:{port}", "benchmarks.peers.shop_admin.wsgi:app"]
    with (folder / "django.out").open("wb") as output:
        process = subprocess.Popen(
            gunicorn, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        wait_until(lambda: _listens(port), what="Django", seconds=60)
        yield port, database
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())
