"""What a scrape says, in numbers."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

TOKEN = "what-the-scraper-of-the-tests-shows"
"""`METRICS_TOKEN` where sums of money are scraped: without one there are none."""

Series = tuple[str, frozenset[tuple[str, str]]]


class Scrape:
    """The samples of one answer of `/metrics/`."""

    def __init__(self, text: str) -> None:
        self.values: dict[Series, float] = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def names(self) -> set[str]:
        return {name for name, _ in self.values}

    def labels_of(self, name: str) -> set[str]:
        """The labels that samples of this name carry."""
        return {label for found, labels in self.values if found == name for label, _ in labels}

    def value(self, name: str, **labels: str) -> float:
        """The value of exactly this series."""
        return self.values[name, frozenset(labels.items())]

    def grown(self, before: Scrape, *names: str) -> dict[Series, float]:
        """The series of these names that are more than they were, and by how much."""
        return {
            series: value - before.values.get(series, 0.0)
            for series, value in self.values.items()
            if series[0] in names and value != before.values.get(series, 0.0)
        }


def series(name: str, labels: Mapping[str, str] | None = None) -> Series:
    return name, frozenset((labels or {}).items())
