"""The panel under `/admin/`: Flask-Admin for admins, over the same services as the API.

`register` is all that the composition root needs; `error_page` dresses errors for people.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from flask import Flask, Response, current_app, request
from flask_admin import Admin
from flask_admin.theme import Theme

from orders_app.admin.frame import access, languages
from orders_app.admin.frame.access import is_panel_path
from orders_app.admin.frame.assets import PanelFiles, asset_url
from orders_app.admin.frame.forms import token_field
from orders_app.admin.frame.presentation import register_filters
from orders_app.admin.history import AuditView, HistoryView
from orders_app.admin.home import HomeView
from orders_app.admin.login import LoginView
from orders_app.admin.me import MeView
from orders_app.admin.orders.uploads import sweep
from orders_app.admin.orders.view import OrderView
from orders_app.admin.password_link import PasswordLinkView
from orders_app.admin.people.view import UserView

__all__ = ["error_page", "is_panel_path", "register"]

_EXTENSION = "orders_panel"


def register(app: Flask, csp_nonce: Callable[[], str]) -> None:
    """Put the panel into the application."""
    # Beneath the log-in page, because that page needs the style sheet before anybody is known.
    app.register_blueprint(
        PanelFiles(
            "panel",
            __name__,
            template_folder="templates",
            static_folder="static",
            static_url_path=f"{access.LOGIN}/static",
        )
    )
    sweep(app.config["ORDERS"].upload_dir)
    languages.speak(app)
    register_filters(app)
    app.jinja_env.globals.update(
        panel_actor=access.actor_or_none,
        panel_token=token_field,
        panel_asset=asset_url,
        panel_language=languages.language,
    )
    app.before_request(access.admit)
    admin = Admin(
        name="Orders",
        url=access.PANEL,
        index_view=HomeView(),
        theme=Theme(folder="bootstrap4", base_template="panel/base.html"),
        csp_nonce_generator=csp_nonce,
    )
    admin.add_views(OrderView(), UserView(), HistoryView(), AuditView())
    admin.add_views(MeView(), LoginView(), PasswordLinkView())
    admin.init_app(app)
    app.extensions[_EXTENSION] = admin


def error_page(response: Response) -> Response | None:
    """The same answer as a page, for paths of the panel; None for all others."""
    if not access.is_panel_path(request.path):
        return None
    problem = response.get_json()
    home: HomeView = current_app.extensions[_EXTENSION].index_view
    html = home.render("panel/error.html", problem=problem, phrase=HTTPStatus(response.status_code).phrase)
    response.set_data(html)
    response.content_type = "text/html; charset=utf-8"
    return response
