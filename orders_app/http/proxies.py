"""Who the client is when proxies stand in between: believed of named proxies, and of nobody else."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class TrustedProxies:
    """Middleware that puts the client's address and scheme where the proxy's were.

    `X-Forwarded-For` is read from its end, which the nearest proxy wrote, and only as long as whoever
    wrote it is trusted: what a client puts at its beginning is never reached.  What is no address ends
    the reading, so that no invented text becomes one.  `X-Forwarded-Host` and all others are not read.
    """

    def __init__(self, application: WSGIApplication, trusted: Sequence[str]) -> None:
        self._application = application
        self._networks = [ipaddress.ip_network(network) for network in trusted]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._networks:
            self._apply(environ)
        return self._application(environ, start_response)

    def _apply(self, environ: WSGIEnvironment) -> None:
        nearest = address_of(environ.get("REMOTE_ADDR", ""))
        if nearest is None or not self._trusts(nearest):
            return
        environ["REMOTE_ADDR"] = str(self._client(nearest, environ.get("HTTP_X_FORWARDED_FOR", "")))
        scheme = environ.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower()
        if scheme in {"http", "https"}:
            environ["wsgi.url_scheme"] = scheme

    def _client(self, nearest: Address, forwarded: str) -> Address:
        client = nearest
        for part in reversed(forwarded.split(",")):
            before = address_of(part)
            if before is None:
                break
            client = before
            if not self._trusts(before):
                break
        return client

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def address_of(text: str) -> Address | None:
    """The address, without the port that some proxies add; None for what is none.

    An IPv4 address written as IPv6, as sockets for both report it, is the IPv4 address.
    """
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
