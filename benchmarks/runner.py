"""Runs cases under load: rounds, and in each round one contender after another."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby

from benchmarks.arena import Arena
from benchmarks.cases import Case, Phase
from benchmarks.checking import change_and_read_back, check_served
from benchmarks.contenders import Contender, path_of
from benchmarks.figures import Bar, Spread, Verdict, held_against, ratios
from benchmarks.load import Group, LoadResult, Voided, send
from benchmarks.starters import STARTERS
from benchmarks.traffic import hot

WARM_UP_SHARE = 0.2
SERVED = 8

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Amount:
    """How much is run."""

    rounds: int
    seconds: float
    contenders: Sequence[str] = ()
    """The peers to run; none named means all of them."""


@dataclass
class Results:
    """What was seen, by case and contender: one entry a round, None for a run that was void."""

    runs: dict[tuple[str, str], list[LoadResult | None]] = field(default_factory=dict)
    voids: list[str] = field(default_factory=list)

    def add(self, case: str, contender: str, run: LoadResult | None) -> None:
        self.runs.setdefault((case, contender), []).append(run)

    def rates(self, case: str, contender: str) -> list[float | None]:
        """Requests a second, round by round."""
        return [run.rate if run else None for run in self.runs.get((case, contender), ())]

    def rate(self, case: str, contender: str) -> Spread | None:
        """The median rate and its spread; None where no run counts."""
        good = [rate for rate in self.rates(case, contender) if rate is not None]
        return Spread.of(good) if good else None

    def ratio(self, case: Case, than: str, other: str | None = None) -> list[float]:
        """Ours by theirs in each round, theirs in the same case or in the `other` one."""
        return ratios(self.rates(case.name, case.ours), self.rates(other or case.name, than))

    def verdict(self, case: Case, bar: Bar) -> Verdict:
        return held_against(bar, self.ratio(case, bar.than, bar.case))


def run_cases(arena: Arena, cases: Sequence[Case], amount: Amount, results: Results, say: Say) -> None:
    """Run these cases and add what was seen; a void run is told, and the others go on."""
    chance = random.Random()
    for _, phase in groupby(sorted(cases, key=lambda case: case.phase), key=lambda case: case.phase):
        together = list(phase)
        for number in range(1, amount.rounds + 1):
            for case, name in _runs(together, amount):
                label = f"round {number} of {amount.rounds}, {case.name}, {name}"
                say(f"{label} …")
                contender = arena.contender(name, STARTERS)
                try:
                    run = run_one(arena, case, contender, amount.seconds, chance)
                except (Voided, OSError) as error:
                    results.voids.append(f"{label}: {error}")
                    say(f"{label}: VOID: {error}")
                    results.add(case.name, name, None)
                else:
                    results.add(case.name, name, run)
                    say(f"{label}: {run.rate:,.0f} a second, median {run.p50 / 1000:.2f} ms")


def _runs(cases: Sequence[Case], amount: Amount) -> Iterator[tuple[Case, str]]:
    for case in cases:
        for name in case.contenders:
            if name == case.ours or not amount.contenders or name in amount.contenders:
                yield case, name


def run_one(
    arena: Arena,
    case: Case,
    contender: Contender,
    seconds: float,
    chance: random.Random,
    connections: int | None = None,
) -> LoadResult:
    """One contender in one case, checked before, during and after.

    Raises `Voided` where an answer was wrong, stale or an error.
    """
    connections = connections or case.connections
    case.check(contender, arena.dataset, chance)
    groups = case.groups(contender, arena.dataset)
    if case.is_cached:
        for asked in groups[0].requests:
            contender.ask("GET", asked.path, headers=dict(asked.headers))
    _send(contender, groups, max(seconds * WARM_UP_SHARE, case.warm_up), connections, chance)
    before = case.counts(contender)
    if case.changes and contender.name != "empty":
        with _changing(case, contender, arena, seconds / 2, chance):
            result = _send(contender, groups, seconds, connections, chance)
    else:
        result = _send(contender, groups, seconds, connections, chance)
    result.check()
    if case.without_body:
        _check_size(contender, arena, result)
    if case.phase is Phase.WRITING:
        _check_count(contender, result, case.counts(contender) - before, connections)
    if case.phase is Phase.READING:
        check_served(contender, chance.choices(groups[0].requests, k=SERVED), from_cache=case.is_cached)
    case.check(contender, arena.dataset, chance)
    return result


def _send(
    contender: Contender, groups: Sequence[Group], seconds: float, connections: int, chance: random.Random
) -> LoadResult:
    seed = chance.randrange(1, 9000)
    return send(groups, contender.port, connections=connections, seconds=seconds, seed=seed)


@contextlib.contextmanager
def _changing(
    case: Case, contender: Contender, arena: Arena, after: float, chance: random.Random
) -> Iterator[None]:
    """Change an order of the working set in the middle of the block, and read it back under load."""
    order = chance.choice(hot(arena.dataset))
    with ThreadPoolExecutor(1) as pool:

        def change() -> None:
            time.sleep(after)
            change_and_read_back(contender, order, in_list=case.in_list)

        done = pool.submit(change)
        yield
        done.result()


def _check_size(contender: Contender, arena: Arena, result: LoadResult) -> None:
    order = hot(arena.dataset)[0]
    whole = contender.ask("GET", path_of(order), user=order.owner)
    if result.mean_bytes > len(str(whole.headers)) + len(whole.body) / 2:
        raise Voided(f"{contender.name} sent bodies where it was to send none")


def _check_count(contender: Contender, result: LoadResult, made: int, connections: int) -> None:
    """What was answered is there, and no more than that and what was under way at either end."""
    if not result.requests <= made <= result.requests + 2 * connections:
        raise Voided(f"{contender.name} answered {result.requests} new orders, and {made} are there")
