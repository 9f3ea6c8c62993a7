"""What made-up requests got through to, by the server's own metrics: refused, they would prove nothing."""

from __future__ import annotations

import re

from tests.server.processes import ServerProcess

ORDERS = "/api/v1/orders/"
ORDER = "/api/v1/orders/{order_id}/"
USERS = "/api/v1/users/"
USER = "/api/v1/users/{user_id}/"
Call = tuple[str, str]
OWN_ORDERS: set[Call] = {
    ("GET", ORDERS),
    ("POST", ORDERS),
    ("GET", ORDER),
    ("PUT", ORDER),
    ("PATCH", ORDER),
    ("DELETE", ORDER),
    ("GET", f"{ORDER}events/"),
}
"""What everybody can do with orders of their own: method and path."""
_COUNTER = re.compile(
    r'^orders_http_requests_success_total\{endpoint="([^"]*)",method="([^"]*)"\} (\S+)$', re.MULTILINE
)


def successes(server: ServerProcess) -> dict[Call, float]:
    """How often each operation succeeded so far, over all worker processes."""
    text = server.request("GET", "/metrics/").body.decode()
    return {(method, path): float(number) for path, method, number in _COUNTER.findall(text)}


def succeeded_since(server: ServerProcess, before: dict[Call, float]) -> set[Call]:
    """The operations that succeeded since then at least once."""
    return {call for call, number in successes(server).items() if number > before.get(call, 0)}
