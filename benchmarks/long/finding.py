"""What a long case comes to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.arena import Arena
from benchmarks.report import Row

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much the long cases take."""

    small: int = 10_000
    large: int = 1_000_000
    import_lines: int = 200_000
    export_orders: int = 333_334
    mixed_seconds: float = 180
    seconds: float = 3
    rounds: int = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """Rows for the table, and what the plots are drawn from."""

    rows: Sequence[Row]
    raw: dict[str, Any] = field(default_factory=dict)


Long = Callable[[Arena, Sizes, Say], Finding]
