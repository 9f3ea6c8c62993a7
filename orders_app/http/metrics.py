"""What every endpoint was asked, how it answered and how long it took, summed over all processes.

prometheus-flask-exporter collects from the files that each worker process writes; the metrics are
declared here because its defaults label by the raw path and the raw method, which lets anybody make
as many series as they like.
"""

from __future__ import annotations

import hmac
import os
import re
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import product
from pathlib import Path

import orjson
from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_flask_exporter.multiprocess import MultiprocessInternalPrometheusMetrics

from orders_app.http.database_errors import REASONS
from orders_app.http.ended_processes import files_at_rest
from orders_app.http.metric_files import WholeFilesRegistry, reserve_space
from orders_app.shared.denials import deny
from orders_app.shared.errors import NotAuthenticated

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"
MONEY = "_cents"
"""How the names of metrics end that are sums of money."""
_LABELS = ("method", "endpoint")
_PARAMETER = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")

reserve_space()
REQUESTS = Counter("orders_http_requests", "Requests answered.", _LABELS)
SUCCESSES = Counter("orders_http_requests_success", "Requests answered with a status below 400.", _LABELS)
FAILURES = Counter("orders_http_requests_failure", "Requests answered with a status of 400 or more.", _LABELS)
SERVER_ERRORS = Counter(
    "orders_http_server_errors", "Requests answered with a status of 500 or more.", _LABELS
)
DURATION = Histogram(
    "orders_http_request_duration_seconds", "Time from reading a request to its answer.", _LABELS
)
CACHE_REQUESTS = Counter("orders_cache_requests", "Reads that could be served from the cache.", ("result",))
RETRIES = Counter(
    "orders_transactions_retried",
    "Requests run again after a deadlock or a serialization failure, and reads whose connection ended.",
)
CACHE_FAILURES = Counter("orders_cache_failures", "Calls that the cache did not answer, or refused.")
DATABASE_FAILURES = Counter(
    "orders_database_failures", "Requests that the database could not serve, answered with 503.", ("reason",)
)
RECEIVER_FAILURES = Counter(
    "orders_event_receiver_failures", "Receivers that failed after a commit.", ("receiver",)
)
WORKER_STARTS = Counter("orders_worker_starts", "Worker processes that began to serve.")


def begin_at_zero(counter: Counter, *labels: Iterable[str]) -> None:
    """Have a counter's series there before anything is counted, for every combination of these labels.

    From nothing to one is no increase that Prometheus could see: the first failure would raise no alert.
    """
    for values in product(*labels):
        counter.labels(*values)


begin_at_zero(CACHE_REQUESTS, ("hit", "miss"))
begin_at_zero(DATABASE_FAILURES, REASONS)


@lru_cache(maxsize=512)
def endpoint_label(rule: str) -> str:
    """A rule as OpenAPI writes it: `/orders/<order_id>/` is `/orders/{order_id}/`."""
    return _PARAMETER.sub(r"{\1}", rule)


@lru_cache(maxsize=2048)
def _children(method: str, endpoint: str) -> tuple[Counter, Counter, Counter, Counter, Histogram]:
    labels = (method, endpoint)
    return (
        REQUESTS.labels(*labels),
        SUCCESSES.labels(*labels),
        FAILURES.labels(*labels),
        SERVER_ERRORS.labels(*labels),
        DURATION.labels(*labels),
    )


def count_requests(app: Flask) -> None:
    """Count every request, those that match no rule included."""

    @app.before_request
    def start_clock() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def count(response: Response) -> Response:
        method = request.method if request.method in METHODS else "OTHER"
        count_answer(method, current_endpoint(), response.status_code, time.perf_counter() - g.started)
        return response


def current_endpoint() -> str:
    """What this request is counted under."""
    return endpoint_label(request.url_rule.rule) if request.url_rule else UNMATCHED


def count_answer(method: str, endpoint: str, status: int, seconds: float) -> None:
    """Count one answer, and how long it took."""
    requests, successes, failures, server_errors, duration = _children(method, endpoint)
    requests.inc()
    (successes if status < 400 else failures).inc()
    if status >= 500:
        server_errors.inc()
    duration.observe(seconds)


def serve_metrics(app: Flask, token: str, gauges: Iterable[Collector]) -> None:
    """Serve `/metrics/`: Prometheus text, or the original service's JSON to those who accept it.

    What orders come to is nobody's business but the shop's: without a token, by which a scraper is known,
    there are no sums of money.
    """
    exporter = MultiprocessInternalPrometheusMetrics(
        app=None, export_defaults=False, path=None, registry=WholeFilesRegistry()
    )
    for collector in gauges:
        exporter.registry.register(collector)
    folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])  # where the exporter reads, too

    @app.get("/metrics/")
    def metrics() -> Response:
        if token and not _shows(token):
            deny("bad_metrics_token")
            raise NotAuthenticated("Scrapers send METRICS_TOKEN as a Bearer token.")
        if request.accept_mimetypes.best_match(("text/plain", "application/json")) == "application/json":
            with files_at_rest(folder):
                counts = _as_the_original(exporter)
            return Response(orjson.dumps(counts), mimetype="application/json")
        # Not `exporter.generate_metrics`: with several processes it forgets what else is registered.
        encode, content_type = _encoder(request.headers.get("Accept", ""))
        with files_at_rest(folder):
            content = encode(exporter.registry if token else _WithoutMoney(exporter.registry))
        return Response(content, content_type=content_type)


class _WithoutMoney(CollectorRegistry):
    """What another registry holds, but for sums of money."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__()
        self._registry = registry

    def collect(self) -> Iterable[Metric]:
        return (family for family in self._registry.collect() if not family.name.endswith(MONEY))


def _encoder(accepted: str) -> tuple[Callable[[CollectorRegistry], bytes], str]:
    """The form of the answer; the usual one for a header that the library cannot read (`version=abc`)."""
    try:
        return choose_encoder(accepted)
    except (TypeError, ValueError):
        return choose_encoder("")


def _shows(token: str) -> bool:
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(shown.strip().encode(), token.encode())


def _as_the_original(exporter: MultiprocessInternalPrometheusMetrics) -> dict[str, dict[str, int]]:
    """`{endpoint: {"total_calls", "success", "errors"}}`, over all methods and processes."""
    keys = {
        "orders_http_requests_total": "total_calls",
        "orders_http_requests_success_total": "success",
        "orders_http_requests_failure_total": "errors",
    }
    sums: dict[str, dict[str, int]] = {}
    for family in exporter.registry.collect():
        for sample in family.samples:
            if sample.name in keys:
                endpoint = sums.setdefault(sample.labels["endpoint"], dict.fromkeys(keys.values(), 0))
                endpoint[keys[sample.name]] += int(sample.value)
    return sums
