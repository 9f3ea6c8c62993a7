"""Gauges that tell how things stand: asked for when somebody scrapes, and then good for a few seconds.

They are needed most while something does not answer, so no scrape waits long for them: a thread of its own
asks, and what it has not heard by then is left out.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

logger = logging.getLogger(__name__)

GOOD_FOR_SECONDS: Final = 10.0
PATIENCE_SECONDS: Final = 1.0


def gauge(name: str, text: str, value: float) -> Metric:
    """A gauge without labels."""
    return GaugeMetricFamily(name, text, value=value)


def gauge_by(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    """A gauge with a value for each value of one label."""
    family = GaugeMetricFamily(name, text, labels=[label])
    for of, value in values.items():
        family.add_metric([of], value)
    return family


class Gauges(Collector):
    """The gauges of one part of the service; `otherwise` while it does not answer, or not soon."""

    def __init__(
        self,
        part: str,
        ask: Callable[[], Sequence[Metric]],
        *,
        otherwise: Sequence[Metric] = (),
        seconds: float = GOOD_FOR_SECONDS,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._part = part
        self._ask = ask
        self._otherwise = otherwise
        self._seconds = seconds
        self._patience = patience
        self._said: Sequence[Metric] = otherwise
        self._good_until = 0.0
        self._asking: threading.Thread | None = None
        self._lock = threading.Lock()

    def collect(self) -> Iterable[Metric]:
        with self._lock:
            if time.monotonic() < self._good_until:
                return self._said
            if self._asking is None or not self._asking.is_alive():
                self._asking = threading.Thread(
                    target=self._find_out, name=f"{self._part}-gauges", daemon=True
                )
                self._asking.start()
            asking = self._asking
        asking.join(self._patience)
        return self._otherwise if asking.is_alive() else self._said

    def _find_out(self) -> None:
        try:
            self._said = self._ask()
        except Exception as error:  # noqa: BLE001  # whatever is wrong with a part, the rest is to be scraped
            logger.warning("There are no gauges of the %s now: %s", self._part, error)
            self._said = self._otherwise
        self._good_until = time.monotonic() + self._seconds


def free_space(folders: Mapping[str, Path]) -> Sequence[Metric]:
    """What is left for those who may not use the system's reserve; a folder that is gone is left out."""
    free: dict[str, float] = {}
    for name, folder in folders.items():
        try:
            disk = os.statvfs(folder)
        except OSError:
            continue
        free[name] = disk.f_bavail * disk.f_frsize
    return [gauge_by("orders_disk_free_bytes", "Room on the disk of a folder.", "folder", free)]
