"""The benchmarks: `python -m benchmarks`, or `make bench ARGS=…`."""

from __future__ import annotations

import signal
import sys
import time
from typing import Any

from benchmarks.arena import Arena, arena
from benchmarks.dataset import Dataset
from benchmarks.load import Voided
from benchmarks.long.table import LONG
from benchmarks.machine import described
from benchmarks.options import Wanted, parsed
from benchmarks.recording import record
from benchmarks.report import Row, on_terminal, row_of
from benchmarks.runner import Amount, Results, run_cases


def main() -> int:
    """Run what was asked for; the exit status is 1 where a run was void."""
    wanted = parsed()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and leave no server behind
    results = Results()
    began = time.monotonic()
    with arena(Dataset.of(wanted.sizes.small)) as place:
        machine = described(place)
        run_cases(place, wanted.cases, Amount(wanted.rounds, wanted.seconds, wanted.peers), results, _say)
        rows, raw = _run_long(place, wanted, results)
    rows = [*(row_of(case, results) for case in wanted.cases), *rows]
    print(*[f"{name}: {value}" for name, value in machine.items()], "", sep="\n")
    print(on_terminal(rows))
    print(*[f"VOID: {void}" for void in results.voids], sep="\n")
    print(
        f"{wanted.rounds} rounds of {wanted.seconds:g} s, {wanted.sizes.small:,} orders, "
        f"{time.monotonic() - began:.0f} s in all"
    )
    if wanted.is_recorded:
        record(rows, results, raw, machine, sys.argv[1:])
    return 1 if results.voids else 0


def _run_long(place: Arena, wanted: Wanted, results: Results) -> tuple[list[Row], dict[str, Any]]:
    rows: list[Row] = []
    raw: dict[str, Any] = {}
    for name in wanted.long:
        what, measure = LONG[name]
        try:
            finding = measure(place, wanted.sizes, _say)
        except (Voided, RuntimeError, OSError) as error:
            results.voids.append(f"{name}: {error}")
            _say(f"{name}: VOID: {error}")
            rows.append(Row(name, what, ["VOID"], []))
        else:
            rows += finding.rows
            raw[name] = finding.raw
    return rows, raw


def _say(line: str) -> None:
    """Progress, on standard error: on a terminal what begins is overwritten by what came of it."""
    if sys.stderr.isatty():
        print("\r\x1b[K" + line, end="" if line.endswith("…") else "\n", file=sys.stderr, flush=True)
    elif not line.endswith("…"):
        print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
