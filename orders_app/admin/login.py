"""The log-in page."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask_admin import BaseView, expose
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from orders_app.admin.frame import access
from orders_app.admin.frame.forms import LoginForm
from orders_app.auth.guards import check_password
from orders_app.auth.services import sessions
from orders_app.auth.services.sessions import OpenSession
from orders_app.extensions import unit_of_work
from orders_app.shared.denials import deny
from orders_app.shared.errors import TooManyRequests

WRONG = lazy_gettext("The name or the password is wrong.")
NO_ADMIN = lazy_gettext("This account is no admin's: the panel is for admins only.")


class LoginView(BaseView):
    """The one page that a visitor may see."""

    def __init__(self) -> None:
        super().__init__(name=lazy_gettext("Log in"), endpoint="panel_login", url=access.LOGIN)

    def is_visible(self) -> bool:
        return False

    @expose("/", methods=("GET", "POST"))
    def index(self) -> str | Response | tuple[str, int, dict[str, str]]:
        target = access.own_path(request.args.get("next")) or url_for("admin.index")
        if access.actor_or_none() is not None and request.method == "GET":
            return redirect(target)
        form = LoginForm(request.form if request.method == "POST" else None)
        status, headers = 200, {}
        if request.method == "POST":
            try:
                outcome = _log_in(form.username.data or "", form.password.data or "")
            except TooManyRequests as error:
                outcome, status, headers = error.detail, 429, {"Retry-After": str(error.retry_after)}
            else:
                status = 403
            if isinstance(outcome, OpenSession):
                access.begin(outcome)
                return redirect(target)
            form.form_errors.append(outcome)
        return self.render("panel/login.html", form=form), status, headers


def _log_in(username: str, password: str) -> OpenSession | str:
    """A log-in, or the sentence that says why there is none."""
    credential = check_password(username, password)
    if credential is None:
        return str(WRONG)
    if not credential.actor.is_admin:
        deny("not_an_admin", username)
        return str(NO_ADMIN)
    with unit_of_work() as uow:
        opened = sessions.open_session(uow, credential=credential, lifetime=access.LIFETIME)
    if opened is None:
        deny("wrong_password", username)
        return str(WRONG)
    return opened
