"""What happens around every request: its id, the hosts that may be named, the headers of the answer."""

from __future__ import annotations

import re
import secrets
from http import HTTPStatus

from flask import Flask, Response, g, request
from werkzeug.exceptions import BadRequest, MethodNotAllowed
from werkzeug.exceptions import NotImplemented as NotImplementedHere

from orders_app.shared.correlation import begin, current_request_id

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?", re.ASCII)
_PAGES = ("/admin", "/swagger")


def register_hooks(app: Flask, trusted_hosts: tuple[str, ...]) -> None:
    """Install the hooks; `trusted_hosts` are names without a port, a leading dot includes subdomains."""

    @app.before_request
    def take_request_id() -> None:
        begin(request.headers.get("X-Request-ID"))

    @app.before_request
    def refuse_foreign_hosts() -> None:
        # Werkzeug's own check cannot match an IPv6 address, so the names are compared here.
        if not _is_trusted(request.environ.get("HTTP_HOST", ""), trusted_hosts):
            raise BadRequest("This host name is not served here; see TRUSTED_HOSTS.")

    app.before_request(_refuse_foreign_methods)

    @app.after_request
    def add_headers(response: Response) -> Response:
        headers = response.headers
        headers["X-Request-ID"] = current_request_id()
        headers["X-Content-Type-Options"] = "nosniff"
        if response.status_code == HTTPStatus.NO_CONTENT:
            headers.pop("Content-Type", None)
        if request.path.startswith(_PAGES):
            headers.setdefault("Content-Security-Policy", _content_security_policy())
            headers["X-Frame-Options"] = "DENY"
            headers["Referrer-Policy"] = "same-origin"
            if response.mimetype == "text/html":
                headers["Cache-Control"] = "no-store"
        elif "Cache-Control" not in headers:
            headers["Cache-Control"] = "private, no-cache"
            headers.add("Vary", "Authorization")
        return response


def _refuse_foreign_methods() -> None:
    """Refuse what no route can name: a proxy's method, and methods that are not written in capitals.

    RFC 9110, section 9.1: `get` is not GET, though Werkzeug takes it for that.
    """
    if request.method == "CONNECT":
        raise NotImplementedHere("This server is no proxy.")
    if request.environ["REQUEST_METHOD"] != request.method and request.url_rule is not None:
        raise MethodNotAllowed(sorted(request.url_rule.methods or ()))


def csp_nonce() -> str:
    """The nonce that the inline scripts of this answer carry; anew for each request."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def _content_security_policy() -> str:
    script = f"'self' 'nonce-{csp_nonce()}'" if "csp_nonce" in g else "'self'"
    return (
        f"default-src 'none'; script-src {script}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


def _is_trusted(host: str, trusted: tuple[str, ...]) -> bool:
    match = _HOST.fullmatch(host)
    if match is None:
        return False
    name = match.group(1).lower()
    return any(
        name == known.lower() or (known.startswith(".") and name.endswith(known.lower())) for known in trusted
    )
