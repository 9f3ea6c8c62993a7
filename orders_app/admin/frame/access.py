"""Who may use the panel: the session, and the guard before every page.

The cookie holds nothing but the ids of an account and of a log-in.  Both are looked up on each
request, so a log-out, a new password, a disabled account or another role ends the session at once, in
every worker process; a copy of the cookie is worth nothing after that.
"""

from __future__ import annotations

import re
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from flask import current_app, flash, g, redirect, request, session, url_for
from flask_babel import gettext
from werkzeug.exceptions import BadRequest, LengthRequired, RequestEntityTooLarge
from werkzeug.wrappers import Response

from orders_app.admin.frame import languages
from orders_app.admin.frame.forms import PanelForm
from orders_app.auth.services import sessions
from orders_app.auth.services.sessions import OpenSession
from orders_app.desk.domain import Preferences
from orders_app.desk.repository import get_preferences
from orders_app.extensions import read_connection
from orders_app.shared.denials import deny
from orders_app.shared.errors import NotAuthenticated
from orders_app.shared.identity import Actor

PANEL = "/admin"
LOGIN = f"{PANEL}/login"
LIFETIME = timedelta(hours=12)
"""The longest that a log-in lasts; the cookie itself ends after as long without a click."""

_STATIC = "panel.static"
_LOGIN = "panel_login.index"
_LINK = "panel_link.index"
_UPLOAD = "panel_orders.import_view"
_BESIDE_A_FILE = 64 * 1024
"""What the other fields of the form that sends a file may take."""
_FOR_STRANGERS = frozenset({_LOGIN, _LINK})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_PATH = re.compile(r"/(?![/\\])[^\\]{0,2000}")


def is_panel_path(path: str) -> bool:
    """Whether a path is the panel's."""
    return path == PANEL or path.startswith(f"{PANEL}/")


def admit() -> Response | None:
    """Runs before every request: lets nobody but active admins near the panel, whatever the path.

    Views ask `is_accessible` as well; this one also covers what is no view.  A request that changes
    something must carry the token of its session.  Whoever has a link to set a password is asked for nothing
    else, so they are nobody there.
    """
    if not is_panel_path(request.path) or request.endpoint == _STATIC:
        return None
    g.panel_actor = _actor_of_session() if request.endpoint != _LINK else None
    if g.panel_actor is None and request.endpoint not in _FOR_STRANGERS:
        return to_login()
    if request.method not in _SAFE_METHODS and request.routing_exception is None:
        if request.endpoint == _UPLOAD:
            _take_upload()
        _check_token()
    return None


def _actor_of_session() -> Actor | None:
    try:
        user_id, family_id = UUID(session["user"]), UUID(session["family"])
    except (KeyError, ValueError, TypeError, AttributeError):
        return None
    with read_connection() as connection:
        actor = sessions.actor_of_session(connection, user_id, family_id)
        if actor is not None and actor.is_admin:
            g.panel_preferences = get_preferences(connection, user_id)
            languages.prefer(g.panel_preferences.locale, g.panel_preferences.time_zone)
    if actor is None or not actor.is_admin:
        deny("not_an_admin" if actor else "bad_session", actor.username if actor else "")
        session.clear()
        flash(gettext("Your log-in has ended. Please log in again."), "info")
        return None
    return actor


def most_uploaded() -> int:
    """The largest file that may be sent, in bytes."""
    most: int = current_app.config["ORDERS"].max_upload_length
    return most


def too_large_a_file() -> RequestEntityTooLarge:
    """What is said of one that is larger than that."""
    most = f"{most_uploaded() / 1024**2:g}"
    return RequestEntityTooLarge(
        gettext(
            "The file is larger than %(most)s MiB. Split it, or import it on the command line.", most=most
        )
    )


def _take_upload() -> None:
    """Let this request be as large as a file may be; the token stands behind it in the same body.

    Only here, where an admin is known: nobody else has a body read that is larger than all others may be.
    """
    if request.content_length is None:
        raise LengthRequired(gettext("Say how large the file is before sending it."))
    if request.content_length > most_uploaded() + _BESIDE_A_FILE:
        raise too_large_a_file()
    # One more, because whoever reads on at the very limit to see whether there is more is refused.
    request.max_content_length = request.content_length + 1


def _check_token() -> None:
    if not PanelForm(request.form).validate():
        actor = actor_or_none()
        deny("bad_form_token", actor.username if actor else "")
        raise BadRequest(
            gettext(
                "This page was open for too long, or was not sent from the panel. Nothing was changed. "
                "Go back, load the page anew and try again."
            )
        )


def actor_or_none() -> Actor | None:
    """The admin who is logged in; None for a visitor."""
    actor: Any = g.get("panel_actor")
    return actor if isinstance(actor, Actor) else None


def current_actor() -> Actor:
    """The admin who is logged in; only behind the guard."""
    actor = actor_or_none()
    if actor is None:
        raise NotAuthenticated(gettext("Please log in."))
    return actor


def preferences() -> Preferences:
    """How the admin who is logged in wants to see things; only behind the guard."""
    preferred: Preferences = g.panel_preferences
    return preferred


def begin(opened: OpenSession) -> None:
    """Start the session of somebody whose password was just checked; what was in it is gone."""
    session.clear()
    session.permanent = True
    session["user"] = opened.user_id.hex
    session["family"] = opened.family_id.hex


def family_of_session() -> UUID:
    """The log-in that this session belongs to; only behind the guard."""
    return UUID(session["family"])


def to_login() -> Response:
    """Send a visitor to the log-in page, and from there back to where they wanted to go."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else ""
    target = own_path(wanted)
    log_in = url_for(_LOGIN, next=target) if target and target.rstrip("/") != PANEL else url_for(_LOGIN)
    if "HX-Request" in request.headers:
        # A script that asks for a part of a page would put the log-in page there: the browser is to go to it.
        return Response(status=HTTPStatus.NO_CONTENT, headers={"HX-Redirect": log_in})
    return redirect(log_in)


def own_path(target: str | None) -> str | None:
    """The target if it is a page of the panel other than the log-in page; None for all else.

    What browsers read as another site is refused by its form (`//host`, `/\\host`, a scheme, control
    characters), not by parsing: parsers differ.
    """
    if not target or not target.isprintable() or not _OWN_PATH.fullmatch(target):
        return None
    path = unquote(target.partition("?")[0].partition("#")[0])
    if ".." in path.split("/") or not is_panel_path(path) or path.startswith(LOGIN):
        return None
    return target
