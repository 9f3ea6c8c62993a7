"""What happens around every request: its id, the hosts that may be named, the headers of the answer."""

from __future__ import annotations

import re
from http import HTTPStatus

from flask import Flask, Response, request
from werkzeug.exceptions import BadRequest, MethodNotAllowed
from werkzeug.exceptions import NotImplemented as NotImplementedHere

from orders_app.http.security_headers import add_security_headers
from orders_app.shared.correlation import begin, current_request_id

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?", re.ASCII)


def register_hooks(app: Flask, trusted_hosts: tuple[str, ...]) -> None:
    """Install the hooks; `trusted_hosts` are names without a port, a leading dot includes subdomains."""

    @app.before_request
    def take_request_id() -> None:
        begin(request.headers.get("X-Request-ID"), address=request.remote_addr or "")

    @app.before_request
    def refuse_foreign_hosts() -> None:
        # Werkzeug's own check cannot match an IPv6 address, so the names are compared here.
        if not _is_trusted(request.environ.get("HTTP_HOST", ""), trusted_hosts):
            raise BadRequest("This host name is not served here; see TRUSTED_HOSTS.")

    app.before_request(_refuse_foreign_methods)

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers["X-Request-ID"] = current_request_id()
        if response.status_code == HTTPStatus.NO_CONTENT:
            response.headers.pop("Content-Type", None)
        add_security_headers(response)
        return response


def _refuse_foreign_methods() -> None:
    """Refuse what no route can name: a proxy's method, and methods that are not written in capitals.

    RFC 9110, section 9.1: `get` is not GET, though Werkzeug takes it for that.
    """
    if request.method == "CONNECT":
        raise NotImplementedHere("This server is no proxy.")
    if request.environ["REQUEST_METHOD"] != request.method and request.url_rule is not None:
        raise MethodNotAllowed(sorted(request.url_rule.methods or ()))


def _is_trusted(host: str, trusted: tuple[str, ...]) -> bool:
    match = _HOST.fullmatch(host)
    if match is None:
        return False
    name = match.group(1).lower()
    return any(
        name == known.lower() or (known.startswith(".") and name.endswith(known.lower())) for known in trusted
    )
