"""What every answer tells browsers: what they may run, load, frame, guess and pass on.

An API answer that somebody opens in a browser may do nothing at all.  The pages of the panel and of
Swagger UI run scripts that carry this answer's nonce or come from this host, and load styles, pictures
and data from here; nothing is inline, and no other host is asked for anything.
"""

from __future__ import annotations

import secrets
from http import HTTPStatus

from flask import Response, g, request

_PAGES = ("/admin", "/swagger")
_NO_POWERS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
_NOTHING = "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
_FOR_DATA = f"{_NOTHING}; form-action 'none'; sandbox"
_ONE_YEAR_OF_HTTPS = "max-age=31536000; includeSubDomains"


def csp_nonce() -> str:
    """The nonce that the inline scripts of this answer carry; anew for each request."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def add_security_headers(response: Response) -> None:
    """Add them to an answer of any kind: data, page, style sheet, redirect or error."""
    headers = response.headers
    headers["X-Content-Type-Options"] = "nosniff"
    # A page whose address is a secret says `no-referrer` itself.
    headers.setdefault("Referrer-Policy", "same-origin")
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["X-Frame-Options"] = "DENY"
    if request.is_secure:
        headers["Strict-Transport-Security"] = _ONE_YEAR_OF_HTTPS
    if not request.path.startswith(_PAGES):
        headers["Content-Security-Policy"] = _FOR_DATA
        if "Cache-Control" not in headers:
            headers["Cache-Control"] = "private, no-cache"
            headers.add("Vary", "Authorization")
        return
    headers["Content-Security-Policy"] = _policy_for_pages()
    headers["Permissions-Policy"] = _NO_POWERS
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if response.mimetype == "text/html" or response.status_code >= HTTPStatus.BAD_REQUEST:
        headers["Cache-Control"] = "no-store"


def _policy_for_pages() -> str:
    script = f"'self' 'nonce-{csp_nonce()}'" if "csp_nonce" in g else "'self'"
    return (
        f"{_NOTHING}; script-src {script}; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'"
    )
