"""What the small reader of PromQL finds in it."""

from __future__ import annotations

import pytest

from tests.monitoring.promql import names


@pytest.mark.parametrize(
    ("expression", "chosen", "grouped"),
    [
        ("up", {"up": set()}, set()),
        ('up{job="orders"} == 0 or absent(up{job="b"})', {"up": {"job"}}, set()),
        ("sum by (le, endpoint) (rate(a_bucket[5m]))", {"a_bucket": set()}, {"le", "endpoint"}),
        ("sum(rate(a[5m])) by (le)", {"a": set()}, {"le"}),
        ("sum(increase(a[1h] offset 1w)) > 10", {"a": set()}, set()),
        ("a unless b offset 10m", {"a": set(), "b": set()}, set()),
        ("delta((sum(max by (s) (a)) + max(b))[1h:1m])", {"a": set(), "b": set()}, {"s"}),
        ('time() - a{x=~"b|c{}",y!="d"} > 3 * 24 * 3600', {"a": {"x", "y"}}, set()),
        ("a * on(x) group_left(y) b", {"a": set(), "b": set()}, {"x", "y"}),
        ("a > bool 1e-9", {"a": set()}, set()),
        ("orders:ratio:rate5m > 14.4 * 0.001", {"orders:ratio:rate5m": set()}, set()),
        ('count(ALERTS{alertstate="firing"}) or vector(0)', {"ALERTS": {"alertstate"}}, set()),
    ],
)
def test_names_are_found(expression: str, chosen: dict[str, set[str]], grouped: set[str]) -> None:
    found = names(expression)
    assert (found.chosen, found.grouped) == (chosen, grouped)


@pytest.mark.parametrize("expression", ["sum(rate(a[5m])", "a ? b", "a; b"])
def test_what_is_no_promql_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="no PromQL"):
        names(expression)
