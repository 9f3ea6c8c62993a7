"""The checker: pure functions over a log of operations and what stands in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from tests.consistency import checks_reads, checks_writes
from tests.consistency.history import History
from tests.consistency.records import Expected, Final, Found, Operation

CHECKS: tuple[Callable[[History], Iterator[Found]], ...] = (
    checks_writes.acknowledged_writes,
    checks_writes.refused_writes,
    checks_writes.idempotency,
    checks_writes.lost_updates,
    checks_writes.events,
    checks_writes.leftovers,
    checks_writes.log_lines,
    checks_reads.answers,
    checks_reads.shown_orders,
    checks_reads.ownership,
    checks_reads.absences,
    checks_reads.histories,
    checks_reads.lists,
)
MOST_OF_A_CHECK = 50


def check(operations: Iterable[Operation], final: Final, expected: Expected | None = None) -> list[Found]:
    """Everything that must not be, up to a number of each check: one bug shows many times."""
    history = History(operations, final, expected or Expected())
    return [found for rule in CHECKS for found in islice(rule(history), MOST_OF_A_CHECK)]
