"""Who is asking: Basic or Bearer, on every endpoint alike (Flask-HTTPAuth).

Both schemes end in one statement that reads the account, whether it may be used, and the version of
what it may see.
"""

from __future__ import annotations

import base64
import binascii
import logging
from typing import Any, NoReturn

from flask import Request, current_app, g, request
from flask_httpauth import HTTPBasicAuth, HTTPTokenAuth, MultiAuth
from werkzeug.datastructures import Authorization

from orders_app.auth import tokens
from orders_app.auth.domain import FailureLimits
from orders_app.auth.repository import Credential
from orders_app.auth.services import sessions
from orders_app.extensions import read_connection
from orders_app.http.problems import INVALID_TOKEN
from orders_app.shared.errors import Forbidden, NotAuthenticated, TooManyRequests
from orders_app.shared.identity import Actor
from orders_app.shared.signals import access_denied

LONGEST_CREDENTIALS = 4096
"""Characters of base64; the longest name and password need half as many."""


class _AnyCase:
    """Authentication schemes are case-insensitive (RFC 9110, section 11.1)."""

    scheme: str

    def is_compatible_auth(self, headers: object) -> bool:
        scheme, separator, _ = request.headers.get("Authorization", "").partition(" ")
        return bool(separator) and scheme.lower() == self.scheme.lower()


class _StrictBasic(_AnyCase, HTTPBasicAuth):
    def get_auth(self) -> Authorization | None:
        """Strict base64 of UTF-8 `name:password` under the scheme Basic; anything else is no credential."""
        if not self.is_compatible_auth(request.headers):
            return None
        credentials = request.headers["Authorization"].partition(" ")[2].strip(" ")
        if len(credentials) > LONGEST_CREDENTIALS:
            return None
        try:
            text = base64.b64decode(credentials, validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            return None
        username, separator, password = text.partition(":")
        return Authorization("basic", {"username": username, "password": password}) if separator else None


class _Bearer(_AnyCase, HTTPTokenAuth):
    pass


logger = logging.getLogger(__name__)
basic = _StrictBasic(realm="orders")
bearer = _Bearer(scheme="Bearer", realm="orders")
auth = MultiAuth(bearer, basic)


def check_password(username: str, password: str) -> Credential | None:
    """The account with this name and password; who is refused stands in the log.

    Every door that takes a password takes it here.  Raises `TooManyRequests`.
    """
    settings = current_app.config["ORDERS"]
    limits = FailureLimits(
        per_account=settings.login_failures_per_account, per_address=settings.login_failures_per_address
    )
    try:
        with read_connection() as connection:
            credential = sessions.check_password(
                connection, username, password, address=request.remote_addr or "", limits=limits
            )
    except TooManyRequests:
        deny("too_many_attempts", username)
        raise
    if credential is None:
        deny("wrong_password", username)
    return credential


@basic.verify_password
def verify_password(username: str, password: str) -> Actor | None:
    """The account with this name and password; None also where no header was sent."""
    if not username:
        return None
    credential = check_password(username, password)
    return credential.actor if credential is not None else None


@bearer.verify_token
def verify_token(token: str) -> Actor | None:
    """The account that an access token stands for, if its log-in still does."""
    if not token:
        return None
    claims = tokens.read(token, "access")
    if claims is not None:
        with read_connection() as connection:
            actor = sessions.actor_of_session(connection, claims.user_id, claims.family_id)
        if actor is not None:
            return actor
    deny("bad_token")
    return None


@basic.get_user_roles
@bearer.get_user_roles
def roles(actor: Actor) -> str:
    # Asked where a role is needed; the error handler below is not told whom it refuses.
    g.asking = actor.username
    return actor.role.value


@basic.error_handler
@bearer.error_handler
def refuse(status: int) -> NoReturn:
    """Raise what the one table of errors turns into an answer."""
    if status == 403:
        deny("not_an_admin", g.asking)
        raise Forbidden("Only an admin may do this.")
    if not _sent_credentials(request):
        deny("no_credentials")
        raise NotAuthenticated("Send Basic or Bearer credentials.")
    if not g.get("denied"):
        deny("bad_credentials")  # nothing that could be checked
    if bearer.is_compatible_auth(request.headers):
        raise NotAuthenticated("The token is not good.", code=INVALID_TOKEN)
    raise NotAuthenticated("The credentials are not good.", code="invalid_credentials")


def _sent_credentials(sent: Request) -> bool:
    return bool(sent.headers.get("Authorization"))


def current_actor() -> Actor:
    """Who sent this request; only in views behind `login_required`."""
    actor: Any = auth.current_user()
    if not isinstance(actor, Actor):
        raise NotAuthenticated("Send Basic or Bearer credentials.")
    return actor


def deny(reason: str, username: str = "") -> None:
    """Tell the logs that somebody was refused.  A log that cannot be written changes no answer."""
    g.denied = True
    try:
        access_denied.send(None, reason=reason, username=username, address=request.remote_addr or "")
    except OSError:
        logger.exception("A refused request could not be logged.")


login_required = auth.login_required
admin_required = auth.login_required(role="admin")
