"""What can be asked for on the command line."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

from benchmarks.cases import CASES, Case
from benchmarks.long.finding import Sizes
from benchmarks.long.table import LONG
from benchmarks.starters import STARTERS

QUICK = ("cached-read", "cached-list", "read", "list", "create")
QUICK_PEERS = ("empty", "fastapi", "fastapi-redis", "fastapi-writes")
PEERS = tuple(name for name in STARTERS if not name.startswith("ours"))
ROUNDS = {False: 2, True: 5}
SECONDS = {False: 1.0, True: 5.0}
"""Of a quick run, and of one of everything."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is run: cases under load, long cases, and how much of each."""

    cases: tuple[Case, ...]
    long: tuple[str, ...]
    peers: tuple[str, ...]
    rounds: int
    seconds: float
    sizes: Sizes
    is_recorded: bool


def parsed(words: list[str] | None = None) -> Wanted:
    """What these words ask for, by default the command line's; ends the program where they make no sense."""
    arguments = _parser().parse_args(words)
    if arguments.list:
        print(*[f"{case.name:<20} {case.what}" for case in CASES], sep="\n")
        print(*[f"{name:<20} {what}" for name, (what, _) in LONG.items()], sep="\n")
        print(f"{'peers':<20} {', '.join(PEERS)}")
        sys.exit(0)
    whole = arguments.all or arguments.record
    names = set(arguments.only or ([*(case.name for case in CASES), *LONG] if whole else QUICK))
    if unknown := names - {case.name for case in CASES} - LONG.keys():
        sys.exit(f"There is no case {', '.join(sorted(unknown))}; see --list.")
    if unknown := set(arguments.peers) - set(PEERS):
        sys.exit(f"There is no peer {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}.")
    return Wanted(
        cases=tuple(case for case in CASES if case.name in names),
        long=tuple(name for name in LONG if name in names),
        peers=tuple(arguments.peers) or (PEERS if whole or arguments.only else QUICK_PEERS),
        rounds=arguments.rounds or ROUNDS[whole],
        seconds=arguments.seconds or SECONDS[whole],
        sizes=Sizes(
            small=arguments.orders,
            large=arguments.large,
            import_lines=arguments.import_lines,
            export_orders=min(arguments.large, Sizes().export_orders),
            mixed_seconds=arguments.mixed_seconds,
        ),
        is_recorded=arguments.record,
    )


def _parser() -> argparse.ArgumentParser:
    sizes = Sizes()
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="How fast the service is, beside what else a team might have written.",
        epilog="Without options: the main cases beside an empty view and FastAPI, in about a minute.",
    )
    add = parser.add_argument
    add("--list", action="store_true", help="name the cases and the peers, and end")
    add("--all", action="store_true", help="every case beside every peer")
    add("--record", action="store_true", help="the same, and write docs/performance.md")
    add("--only", action="append", default=[], metavar="CASE", help="this case; may be given again")
    add(
        "--with", dest="peers", action="append", default=[], metavar="PEER", help="beside this peer; likewise"
    )
    add("--rounds", type=int, help=f"{ROUNDS[False]}, or {ROUNDS[True]} of everything")
    add(
        "--seconds",
        type=float,
        help=f"of each run: {SECONDS[False]:g}, or {SECONDS[True]:g}; wrk takes whole ones, and at least one",
    )
    add("--orders", type=int, default=sizes.small, help="in the database of each contender: %(default)s")
    add("--large", type=int, default=sizes.large, help="in the large database: %(default)s")
    add("--import-lines", type=int, default=sizes.import_lines, help="in the file: %(default)s")
    add("--mixed-seconds", type=float, default=sizes.mixed_seconds, help="of the run for memory: %(default)s")
    return parser
