"""The long run: `python -m tests.consistency`, or `make consistency ARGS=…`."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.consistency.client import World
from tests.consistency.cluster import POSTGRES, SQLITE, Prepared, Services, own_services, prepared, running
from tests.consistency.nemeses import NEMESES, Nemesis, patience_under
from tests.consistency.records import Outcome
from tests.consistency.runner import HEADING, Result, keep, run

CLIENTS = {SQLITE: 8, POSTGRES: 12}
LEAST_BLOWS = 4
SHOWN = 10
PROGRESS_SECONDS = {True: 0.5, False: 10.0}
"""Between two lines of progress: on a terminal, and in a log."""


def main() -> int:
    """Run what was asked for; the exit status is 1 where anything was found."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and leave no server behind
    configurations = [
        (backend, nemeses)
        for backend, nemeses in _configurations()
        if all(word.lower() in _name(backend, nemeses).lower() for word in arguments.only)
    ]
    if arguments.list or not configurations:
        print(*[_name(*configuration) for configuration in _configurations()], sep="\n")
        return 0 if arguments.list else 2
    each = -(-arguments.operations // len(configurations))
    results: list[Result] = []
    with own_services() as services, contextlib.ExitStack() as stack:
        bases: dict[str, Prepared] = {}
        for number, (backend, nemeses) in enumerate(configurations, 1):
            if backend not in bases:
                bases[backend] = stack.enter_context(prepared(backend, services))
            label = f"[{number}/{len(configurations)}] {_name(backend, nemeses)}"
            results.append(_run(label, bases[backend], services, nemeses, each, arguments.seed))
    return _sum_up(results)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.consistency", description=__doc__)
    parser.add_argument("--operations", type=int, default=100_000, help="of all configurations together")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="WORD",
        help="configurations whose name has every such word",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the clients' and nemeses' choices")
    parser.add_argument("--list", action="store_true", help="name the configurations and end")
    return parser.parse_args()


def _configurations() -> Iterator[tuple[str, tuple[Nemesis, ...]]]:
    for backend in (SQLITE, POSTGRES):
        yield backend, ()
        for nemesis in NEMESES:
            if backend in nemesis.backends:
                yield backend, (nemesis,)


def _name(backend: str, nemeses: tuple[Nemesis, ...]) -> str:
    return f"{backend}, {' + '.join(nemesis.name for nemesis in nemeses) or 'alone'}"


def _run(
    label: str, base: Prepared, services: Services, nemeses: tuple[Nemesis, ...], operations: int, seed: int
) -> Result:
    folder = Path(tempfile.mkdtemp(prefix="orders-consistency-"))
    with (
        _progress(label, operations) as watch,
        running(base, services, folder, patience=patience_under(nemeses)) as cluster,
    ):
        result = run(
            cluster,
            nemeses,
            operations=operations,
            clients=CLIENTS[base.backend],
            seed=seed,
            blows=LEAST_BLOWS,
            watch=watch.append,
        )
    _say(label + ": " + ", ".join(f"{result.counts[outcome]:,} {outcome}" for outcome in Outcome))
    if not result.found:
        shutil.rmtree(folder, ignore_errors=True)
        return result
    _say(f"{len(result.found)} FINDINGS; what was done and found is kept in {keep(result, folder)}")
    for found in result.found[:SHOWN]:
        _say(f"  {found}")
    return result


@contextlib.contextmanager
def _progress(label: str, operations: int) -> Iterator[list[World]]:
    """Show how far the run is; the world is put in the list once there is one."""
    worlds: list[World] = []
    over = threading.Event()
    terminal = sys.stderr.isatty()

    def show() -> None:
        while not over.wait(PROGRESS_SECONDS[terminal]):
            done = len(worlds[0].log) if worlds else 0
            print(
                f"{label}: {done:,} of {operations:,} operations",
                end="\x1b[K\r" if terminal else "\n",
                file=sys.stderr,
                flush=True,
            )

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield worlds
    finally:
        over.set()
        thread.join()


def _say(line: str) -> None:
    print(line + ("\x1b[K" if sys.stderr.isatty() else ""), file=sys.stderr, flush=True)


def _sum_up(results: list[Result]) -> int:
    """Print the table; the exit status."""
    print(HEADING, *(result.row() for result in results), sep="\n")
    operations = sum(len(result.operations) for result in results)
    findings = sum(len(result.found) for result in results)
    print(
        f"{operations:,} operations, {findings} findings, {sum(result.seconds for result in results):.0f} s"
    )
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
