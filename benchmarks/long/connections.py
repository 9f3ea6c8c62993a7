"""Throughput over the number of connections."""

from __future__ import annotations

import random
from statistics import median

from benchmarks.arena import Arena
from benchmarks.cases import CASES
from benchmarks.load import Voided
from benchmarks.long.finding import Finding, Say, Sizes
from benchmarks.report import Row
from benchmarks.runner import run_one
from benchmarks.starters import STARTERS

CONNECTIONS = (1, 4, 16, 64)
CURVES = (
    ("cached-read", "empty"),
    ("cached-read", "ours"),
    ("cached-read", "fastapi-redis"),
    ("read", "ours-uncached"),
    ("read", "fastapi"),
)


def measure(arena: Arena, sizes: Sizes, say: Say) -> Finding:
    """Each contender with 1, 4, 16 and 64 connections, in rounds; a void run leaves a gap."""
    cases = {case.name: case for case in CASES}
    chance = random.Random()
    seen: dict[tuple[str, str, int], list[float]] = {}
    for number in range(1, sizes.rounds + 1):
        for name, peer in CURVES:
            for connections in CONNECTIONS:
                say(f"connections: round {number} of {sizes.rounds}, {name}, {peer}, {connections} …")
                contender = arena.contender(peer, STARTERS)
                try:
                    run = run_one(arena, cases[name], contender, sizes.seconds, chance, connections)
                except Voided as error:
                    say(f"connections: {name}, {peer}, {connections}: VOID: {error}")
                    continue
                seen.setdefault((name, peer, connections), []).append(run.rate)
    rows, curves = [], []
    for name, peer in CURVES:
        rates = {
            number: median(seen[name, peer, number]) for number in CONNECTIONS if (name, peer, number) in seen
        }
        measured = [f"{number}: {rate:,.0f}/s" for number, rate in rates.items()]
        rows.append(Row(f"connections, {name}, {peer}", "requests a second over connections", measured, []))
        curves.append({"case": name, "contender": peer, "rates": rates})
    return Finding(rows, {"curves": curves})
