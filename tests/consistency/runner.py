"""One run: clients and nemeses on a running service, then quiet, then the checker."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.consistency import verification, workload
from tests.consistency.checker import check
from tests.consistency.client import World
from tests.consistency.cluster import Cluster
from tests.consistency.final import read_final
from tests.consistency.nemeses import Nemesis, Striking, together
from tests.consistency.records import Expected, Finding, Found, Operation, Outcome

MOST_SECONDS = 600
MORE = 100
"""Operations at a time, where the nemeses have not struck often enough."""


@dataclass
class Result:
    """What came of one run."""

    name: str
    operations: list[Operation]
    found: list[Found]
    seconds: float
    blows: int = 0
    counts: dict[Outcome, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.counts = {
            outcome: sum(operation.outcome is outcome for operation in self.operations) for outcome in Outcome
        }

    def row(self) -> str:
        """A line of the summary."""
        counts = "".join(f"{self.counts[outcome]:>9,}" for outcome in Outcome)
        return f"{self.name:<40}{counts}{self.blows:>8}{len(self.found):>10}{self.seconds:>9.0f}"


HEADING = (
    f"{'configuration':<40}{'ok':>9}{'failed':>9}{'unknown':>9}{'blows':>8}{'findings':>10}{'seconds':>9}"
)


def run(
    cluster: Cluster,
    nemeses: Sequence[Nemesis],
    *,
    operations: int,
    clients: int = 10,
    seed: int = 0,
    calm: float = 0.7,
    blows: int = 1,
    seconds: float = MOST_SECONDS,
    watch: Callable[[World], None] = lambda _: None,
) -> Result:
    """Let clients do so many operations while the nemeses strike in turn, and check what comes of it.

    It goes on until each has struck so many times at least.
    """
    begun = time.monotonic()
    name = f"{cluster.backend}, {' + '.join(nemesis.name for nemesis in nemeses) or 'alone'}"
    world = World(cluster.server.port, seed)
    watch(world)
    striking = Striking(cluster, nemeses, seed, calm)
    with striking:
        while len(world.log) < operations or striking.blows < blows * len(nemeses):
            some = max(operations - len(world.log), MORE)
            workload.run(world, cluster.accounts, operations=some, seconds=seconds, clients=clients)
            if striking.failure is not None or time.monotonic() > world.deadline:
                break
    found = _conclude(cluster, world, together(nemeses), verify=True)
    if striking.failure is not None:
        found.append(Found(Finding.UNEXPECTED, f"the nemesis failed: {striking.failure}"))
    if len(world.log) < operations:
        found.append(Found(Finding.UNANSWERED, f"only {len(world.log)} operations in {seconds:g} s"))
    result = Result(name, world.log, found, time.monotonic() - begun, striking.blows)
    if result.counts[Outcome.OK] < len(world.log) / 2:
        found.append(Found(Finding.UNANSWERED, "a run that mostly fails proves nothing"))
    return result


def hunt(
    cluster: Cluster,
    *,
    mix: Mapping[str, int],
    rounds: int = 6,
    operations: int = 300,
    clients: int = 8,
    until: Callable[[list[Found]], bool] = bool,
) -> Result:
    """Rounds of the same mix without a nemesis, each followed by the checker, until it finds something."""
    begun = time.monotonic()
    world = World(cluster.server.port, random.randrange(10**6))
    found: list[Found] = []
    for _ in range(rounds):
        workload.run(world, cluster.accounts, operations=operations, seconds=60, clients=clients, mix=mix)
        found = _conclude(cluster, world, Expected())
        if until(found):
            break
    return Result(cluster.backend, world.log, found, time.monotonic() - begun)


def _conclude(cluster: Cluster, world: World, expected: Expected, *, verify: bool = False) -> list[Found]:
    """Wait for quiet, look at everything, and check; the service's own verification takes a process."""
    cluster.wait_until_ready()
    workload.look_at_everything(world, cluster.accounts)
    final = read_final(cluster.database_url, cluster.log_dir)
    if verify:
        final.complaints += verification.complaints(cluster.server)
    return check(world.log, final, expected)


def keep(result: Result, folder: Path) -> Path:
    """Write down the operations and findings of a run, for whoever looks into it."""
    path = folder / "operations.jsonl"
    with path.open("w") as file:
        file.writelines(json.dumps(asdict(operation), default=str) + "\n" for operation in result.operations)
    (folder / "findings").write_text("".join(f"{found}\n" for found in result.found))
    return folder
