"""Whose word counts for where a request comes from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest

from orders_app.http.proxies import TrustedProxies, address_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

TRUSTED = ("10.0.0.0/8", "2001:db8::/64")


def seen(*trusted: str, **environ: str) -> tuple[str, str]:
    """The address and the scheme that the application sees."""
    inside: dict[str, Any] = {}

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        inside.update(environ)
        return []

    given: dict[str, Any] = {"wsgi.url_scheme": "http", "REMOTE_ADDR": "10.0.0.1", **environ}
    TrustedProxies(application, trusted)(given, lambda *_: lambda _: None)
    return inside["REMOTE_ADDR"], inside["wsgi.url_scheme"]


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("198.51.100.7, 192.0.2.1", "192.0.2.1"),
        ("127.0.0.1, 192.0.2.1", "192.0.2.1"),
        ("10.9.9.9, 192.0.2.1", "192.0.2.1"),
        ("192.0.2.1, 10.0.0.2, 10.0.0.3", "192.0.2.1"),
        ("198.51.100.7,192.0.2.1 , 2001:db8::2,10.0.0.3", "192.0.2.1"),
        ("10.0.0.9, 10.0.0.2", "10.0.0.9"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("[2001:db8:1::1]:4711", "2001:db8:1::1"),
        ("2001:db8:1::1", "2001:db8:1::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", "10.0.0.1"),
        ("unknown", "10.0.0.1"),
        ("<script>", "10.0.0.1"),
        ("192.0.2.1, unknown", "10.0.0.1"),
        ("192.0.2.1, unknown, 10.0.0.2", "10.0.0.2"),
        ("192.0.2.1,", "10.0.0.1"),
        ("192.0.2.1, 999.1.1.1", "10.0.0.1"),
        ("9" * 100_000, "10.0.0.1"),
    ],
)
def test_the_client_is_the_last_whom_a_trusted_proxy_names(forwarded: str, client: str) -> None:
    assert seen(*TRUSTED, HTTP_X_FORWARDED_FOR=forwarded)[0] == client


@pytest.mark.parametrize(
    ("forwarded", "scheme"),
    [
        ("https", "https"),
        ("HTTPS", "https"),
        ("http", "http"),
        ("http, https", "https"),
        ("ftp", "http"),
        ("", "http"),
    ],
)
def test_the_scheme_is_what_the_nearest_proxy_says(forwarded: str, scheme: str) -> None:
    assert seen(*TRUSTED, HTTP_X_FORWARDED_PROTO=forwarded)[1] == scheme


@pytest.mark.parametrize("peer", ["192.0.2.66", "2001:db8:1::66", "", "not an address"])
def test_nobody_else_is_believed(peer: str) -> None:
    forged = {"HTTP_X_FORWARDED_FOR": "198.51.100.7", "HTTP_X_FORWARDED_PROTO": "https"}
    assert seen(*TRUSTED, REMOTE_ADDR=peer, **forged) == (peer, "http")
    assert seen(**forged) == ("10.0.0.1", "http")


def test_a_proxy_that_a_socket_for_both_families_reports_is_known() -> None:
    assert seen(*TRUSTED, REMOTE_ADDR="::ffff:10.0.0.1", HTTP_X_FORWARDED_FOR="192.0.2.1")[0] == "192.0.2.1"


@pytest.mark.parametrize(
    "text", ["", "1", "1.2.3", "1.2.3.4.5", "localhost", "::g", "[]", "[x]:1", "1.2.3.4/8", "١.2.3.4"]
)
def test_what_is_no_address(text: str) -> None:
    assert address_of(text) is None
