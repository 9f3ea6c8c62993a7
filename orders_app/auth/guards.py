"""Who is asking: Basic or Bearer, on every endpoint alike (Flask-HTTPAuth).

Both schemes end in one statement that reads the account, whether it may be used, and the version of
what the request shows: of all that the account may see, unless `shows` says that it is less.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn
from uuid import UUID

from flask import Flask, Request, Response, current_app, g, request
from flask_httpauth import HTTPBasicAuth, HTTPTokenAuth, MultiAuth
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.datastructures import Authorization

from orders_app.auth import tokens
from orders_app.auth.credentials import ALL_THEY_SEE, Credential, Shown
from orders_app.auth.domain import REQUEST_WINDOW, FailureLimits, Quota
from orders_app.auth.services import password_links, sessions, throttle
from orders_app.extensions import read_connection, single_statements
from orders_app.http.problems import INVALID_TOKEN
from orders_app.http.single_statements import SingleStatements
from orders_app.shared.clock import utcnow
from orders_app.shared.correlation import current_address
from orders_app.shared.denials import deny
from orders_app.shared.driver import Row
from orders_app.shared.errors import Forbidden, NotAuthenticated, TooManyRequests
from orders_app.shared.identity import Actor
from orders_app.shared.prepared import Asked

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


basic = _StrictBasic(realm="orders")
bearer = _Bearer(scheme="Bearer", realm="orders")
auth = MultiAuth(bearer, basic)


def shows(shown: Shown) -> None:
    """Say, before the caller is checked, what this request shows if they may see it."""
    g.shown = shown


def check_password(username: str, password: str) -> Credential | None:
    """The account with this name and password; who is refused stands in the log.

    Every door that takes a password takes it here.  Raises `TooManyRequests`.
    """
    try:
        with read_connection() as connection:
            credential = sessions.check_password(
                connection,
                username,
                password,
                address=current_address(),
                limits=_failure_limits(),
                shown=_shown(),
            )
    except TooManyRequests:
        deny("too_many_attempts", username)
        raise
    if credential is None:
        deny("wrong_password", username)
    return credential


def check_password_link(token: str) -> bool:
    """Whether a password can be set with this token; who shows bad ones stands in the log.

    Bad ones count as failed log-ins of the address.  Raises `TooManyRequests`.
    """
    attempt = throttle.Attempt.of("", current_address(), _failure_limits())
    try:
        with read_connection() as connection:
            attempt.find(connection)
            if password_links.is_good(connection, token):
                return True
            attempt.count_failure(connection)
    except TooManyRequests:
        deny("too_many_attempts")
        raise
    deny("bad_password_link")
    return False


def _shown() -> Shown:
    shown: Shown = g.get("shown", ALL_THEY_SEE)
    return shown


def _failure_limits() -> FailureLimits:
    settings = current_app.config["ORDERS"]
    return FailureLimits(
        per_account=settings.login_failures_per_account, per_address=settings.login_failures_per_address
    )


@basic.verify_password
def verify_password(username: str, password: str) -> Actor | None:
    """The account with this name and password; None also where no header was sent."""
    if not username:
        return None
    g.checked = True
    credential = check_password(username, password)
    return _admitted(credential, credential.good_until) if credential is not None else None


@bearer.verify_token
def verify_token(token: str) -> Actor | None:
    """The account that an access token stands for, if its log-in still does."""
    if not token:
        return None
    g.checked = True
    claims = tokens.read(token, "access")
    if claims is not None:
        with read_connection() as connection:
            credential = sessions.credential_of_session(
                connection, claims.user_id, claims.family_id, shown=_shown()
            )
        if credential is not None:
            return _admitted(credential, min(credential.good_until, claims.expires_at))
    deny("bad_token")
    return None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a caller was admitted for, and how to find out later whether it still holds.

    It does as long as the database says the same of them to the letter: the account, its role, the log-in,
    the hash of the password, and the version of what the request shows.
    """

    connections: SingleStatements
    asked: Asked
    since: datetime
    until: datetime

    def holds(self) -> bool:
        """Whether the caller would be admitted now, and see what they saw; one statement.

        False also where the database does not say: the request goes the whole way then, and is told why.
        """
        if not self.since <= utcnow() < self.until:
            return False
        try:
            with self.connections.take() as connection:
                return self.asked.is_unchanged(connection)
        except SQLAlchemyError:
            return False


def _admitted(credential: Credential, until: datetime) -> Actor:
    g.read_along = credential.along
    g.standing = Standing(single_statements(), credential.asked, utcnow(), until)
    return _within_limit(credential.actor)


def current_standing() -> Standing | None:
    """What this request's caller was admitted for; None where each request of theirs has to be counted."""
    standing: Standing | None = g.get("standing")
    return None if current_app.config["ORDERS"].requests_per_minute else standing


def read_along() -> Row | None:
    """What was read with the caller, where `shows` asked for more and they came by a token."""
    row: Row | None = g.get("read_along")
    return row


def _within_limit(actor: Actor) -> Actor:
    """The actor, unless they have sent too many requests; raises `TooManyRequests`."""
    limit = current_app.config["ORDERS"].requests_per_minute
    if not limit or actor.user_id is None or "quota" in g:
        return actor  # counted already, where a request is run again
    with read_connection() as connection:
        quota = throttle.count_request(connection, actor.user_id, limit=limit)
    g.quota = quota
    if quota is not None and quota.is_exceeded:
        wait = quota.reset(utcnow())
        raise TooManyRequests(
            f"Only {limit} requests a minute. Please try again in {wait} second{'s' if wait > 1 else ''}.",
            code="rate_limited",
            retry_after=wait,
        )
    return actor


def tell_limits(app: Flask) -> None:
    """Say in every answer to a user whose requests are limited where they stand.

    The fields are those of draft-ietf-httpapi-ratelimit-headers-10.
    """

    @app.after_request
    def add_fields(response: Response) -> Response:
        quota: Quota | None = g.get("quota")
        if quota is not None:
            window = int(REQUEST_WINDOW.total_seconds())
            response.headers["RateLimit-Policy"] = f'"user";q={quota.limit};w={window}'
            response.headers["RateLimit"] = f'"user";r={quota.remaining};t={quota.reset(utcnow())}'
        return response


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
        deny("not_an_admin", g.asking, order_id=_order_in(request))
        raise Forbidden("Only an admin may do this.")
    if not _sent_credentials(request):
        deny("no_credentials")
        raise NotAuthenticated("Send Basic or Bearer credentials.")
    if not g.get("checked"):
        deny("unreadable_credentials")
    if bearer.is_compatible_auth(request.headers):
        raise NotAuthenticated("The token is not good.", code=INVALID_TOKEN)
    raise NotAuthenticated("The credentials are not good.", code="invalid_credentials")


def _sent_credentials(sent: Request) -> bool:
    return bool(sent.headers.get("Authorization"))


def _order_in(asked: Request) -> UUID | None:
    """The order that the path names."""
    try:
        return UUID((asked.view_args or {})["order_id"])
    except (KeyError, ValueError):
        return None


def current_actor() -> Actor:
    """Who sent this request; only in views behind `login_required`."""
    actor: Any = auth.current_user()
    if not isinstance(actor, Actor):
        raise NotAuthenticated("Send Basic or Bearer credentials.")
    return actor


login_required = auth.login_required
admin_required = auth.login_required(role="admin")
