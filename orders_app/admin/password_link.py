"""The page of a one-time link, where people set a password of their own.

The token in its address is all that it asks for: no page that it leads to is told the address, nothing keeps
the page, and no log names it.
"""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, request
from flask_admin import Admin, BaseView, expose
from flask_babel import lazy_gettext

from orders_app.admin.frame import access
from orders_app.admin.frame.forms import TwicePasswordForm
from orders_app.admin.frame.messages import said
from orders_app.admin.frame.views import attempt
from orders_app.auth.guards import check_password_link
from orders_app.auth.models import User
from orders_app.auth.services import password_links
from orders_app.auth.services.accounts import account_changes
from orders_app.extensions import unit_of_work
from orders_app.shared.errors import NotFound, TooManyRequests

Answer = tuple[str, int] | tuple[str, int, dict[str, str]]


class PasswordLinkView(BaseView):
    """For whoever has the link, whether they are an admin or not."""

    def __init__(self) -> None:
        super().__init__(
            name=lazy_gettext("Set your password"),
            endpoint="panel_link",
            url=f"{access.LOGIN}/password/<token>",
        )

    def is_visible(self) -> bool:
        return False

    def create_blueprint(self, admin: Admin) -> Blueprint:
        blueprint = super().create_blueprint(admin)
        blueprint.after_request(_hide_address)
        return blueprint

    @expose("/", methods=("GET", "POST"))
    def index(self, token: str) -> Answer:
        try:
            # Before anything is hashed: that costs much, and strangers may send any token.
            if not check_password_link(token):
                return self._page(HTTPStatus.NOT_FOUND)
        except TooManyRequests as error:
            page, status = self._page(HTTPStatus.TOO_MANY_REQUESTS, why=said(error.detail))
            return page, status, {"Retry-After": str(error.retry_after)}
        form = TwicePasswordForm(request.form if request.method == "POST" else None)
        if request.method != "POST":
            return self._page(HTTPStatus.OK, form=form)
        try:
            user, status = attempt(form, lambda: _use(token, form.password.data or ""))
        except LinkGone:
            return self._page(HTTPStatus.NOT_FOUND)
        return self._page(status, form=form, user=user)

    def _page(self, status: int, **context: object) -> tuple[str, int]:
        return self.render("panel/password_link.html", **context), status


class LinkGone(Exception):
    """Somebody else used the link, or it ended, while the password was hashed."""


def _use(token: str, password: str) -> User:
    changes = account_changes(password=password)
    assert changes.password_hash is not None  # noqa: S101  (given, so hashed)
    try:
        with unit_of_work() as uow:
            return password_links.use_link(uow, token=token, password_hash=changes.password_hash)
    except NotFound as error:
        raise LinkGone from error


def _hide_address(response: Response) -> Response:
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response
