"""The long cases, by name."""

from __future__ import annotations

from benchmarks.long import bulk, connections, growth, panel, serving
from benchmarks.long.finding import Long

LONG: dict[str, tuple[str, Long]] = {
    "start": ("from the command to the first answer", serving.measure_start),
    "memory": ("of each worker under mixed requests", serving.measure_memory),
    "connections": ("throughput over 1, 4, 16 and 64 connections", connections.measure),
    "import": ("a large CSV file into either database", bulk.measure_import),
    "growth": ("every ordering and filter at 10,000 and 1,000,000 orders", growth.measure),
    "export": ("1,000,000 lines", bulk.measure_export),
    "panel": ("every page at 1,000,000 orders: time and size", panel.measure),
}
"""Those that fill the large database come last."""
