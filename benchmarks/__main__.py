"""The benchmarks: `python -m benchmarks`, or `make bench ARGS=…`."""

from __future__ import annotations

import argparse
import signal
import sys
import time

from benchmarks.arena import arena
from benchmarks.cases import CASES, Case
from benchmarks.dataset import Dataset
from benchmarks.machine import described
from benchmarks.report import on_terminal, row_of
from benchmarks.runner import Amount, Results, run_cases
from benchmarks.starters import STARTERS

QUICK = ("cached-read", "cached-list", "read", "list", "create")
QUICK_PEERS = ("empty", "fastapi", "fastapi-redis", "fastapi-writes")
ORDERS = 10_000


def main() -> int:
    """Run what was asked for; the exit status is 1 where a run was void."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and leave no server behind
    if arguments.list:
        print(*[f"{case.name:<20} {case.what}" for case in CASES], sep="\n")
        return 0
    cases = _chosen(arguments)
    amount = Amount(arguments.rounds, arguments.seconds, _peers(arguments))
    results = Results()
    began = time.monotonic()
    with arena(Dataset.of(arguments.orders)) as place:
        machine = described(place)
        run_cases(place, cases, amount, results, _say)
    print(*[f"{name}: {value}" for name, value in machine.items()], "", sep="\n")
    print(on_terminal(row_of(case, results) for case in cases))
    print(*[f"VOID: {void}" for void in results.voids], sep="\n")
    print(
        f"{amount.rounds} rounds of {amount.seconds:g} s, {arguments.orders:,} orders, "
        f"{time.monotonic() - began:.0f} s in all"
    )
    return 1 if results.voids else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only", action="append", default=[], metavar="CASE", help="this case; may be given again"
    )
    parser.add_argument(
        "--with", dest="peers", action="append", default=[], metavar="PEER", help="beside this peer; likewise"
    )
    parser.add_argument("--all", action="store_true", help="every case and every peer")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each run (wrk counts whole ones)")
    parser.add_argument("--orders", type=int, default=ORDERS, help="in the database of each contender")
    parser.add_argument("--list", action="store_true", help="name the cases and end")
    return parser.parse_args()


def _chosen(arguments: argparse.Namespace) -> list[Case]:
    names = arguments.only or ([case.name for case in CASES] if arguments.all else list(QUICK))
    unknown = sorted(set(names) - {case.name for case in CASES})
    if unknown:
        sys.exit(f"There is no case {', '.join(unknown)}; see --list.")
    return [case for case in CASES if case.name in names]


def _peers(arguments: argparse.Namespace) -> tuple[str, ...]:
    known = [name for name in STARTERS if not name.startswith("ours")]
    if unknown := sorted(set(arguments.peers) - set(known)):
        sys.exit(f"There is no peer {', '.join(unknown)}; there are {', '.join(known)}.")
    if arguments.peers:
        return tuple(arguments.peers)
    return tuple(known) if arguments.all else tuple(name for name in QUICK_PEERS if name in known)


def _say(line: str) -> None:
    """Progress, on standard error: on a terminal what begins is overwritten by what came of it."""
    if sys.stderr.isatty():
        print("\r\x1b[K" + line, end="" if line.endswith("…") else "\n", file=sys.stderr, flush=True)
    elif not line.endswith("…"):
        print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
