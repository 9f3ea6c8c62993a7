"""What is sent, and what is read of a generator's result."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.load import LoadResult, Request, Voided, parse

OUTPUT = """Running 2s test @ http://127.0.0.1:8000
  1 threads and 16 connections
Requests/sec:   5000.00
RESULT {"requests": 10000, "seconds": 2.000000, "bytes": 9000000, "p50": 3100.0, "p99": 9000.5, "errors": \
{"status": 0, "connect": 0, "read": 0, "write": 0, "timeout": 0}}
"""
GOOD = LoadResult(
    requests=10000,
    seconds=2.0,
    received=9000000,
    errors={"status": 0, "connect": 0, "read": 0, "write": 0, "timeout": 0},
    p50=3100.0,
    p99=9000.5,
)


def test_the_result_is_found_in_what_wrk_prints() -> None:
    assert parse(OUTPUT) == GOOD
    assert (GOOD.rate, GOOD.mean_bytes) == (5000, 900)
    GOOD.check()


def test_a_generator_without_a_result_is_void() -> None:
    with pytest.raises(Voided, match="unable to connect"):
        parse("unable to connect to 127.0.0.1:8000 Connection refused\n")


@pytest.mark.parametrize("kind", ["status", "connect", "read", "write", "timeout"])
def test_one_error_of_any_kind_voids_a_run(kind: str) -> None:
    with pytest.raises(Voided, match=kind):
        replace(GOOD, errors={**GOOD.errors, kind: 1}).check()


def test_a_run_without_answers_is_void() -> None:
    with pytest.raises(Voided, match="no answers"):
        replace(GOOD, requests=0).check()


def test_a_request_is_written_as_http_has_it() -> None:
    asked = Request("POST", "/orders/", (("Authorization", "Bearer x"),), '{"name": "Größe"}')
    assert asked.text("127.0.0.1:1") == (
        "POST /orders/ HTTP/1.1\r\nHost: 127.0.0.1:1\r\nAuthorization: Bearer x\r\n"
        'Content-Type: application/json\r\nContent-Length: 19\r\n\r\n{"name": "Größe"}'
    )
    assert Request("GET", "/").text("h").endswith("Host: h\r\n\r\n")
