"""The first page of the panel, and the way out of it."""

from __future__ import annotations

from flask import flash, redirect, session, url_for
from flask_admin import AdminIndexView, expose
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from orders_app.admin.frame import access
from orders_app.admin.frame.views import PanelView
from orders_app.auth.services import sessions
from orders_app.extensions import read_connection, unit_of_work
from orders_app.orders.counts import count_by_status
from orders_app.orders.filters import OrderFilter
from orders_app.orders.queries import list_orders

_NEWEST = 10


class HomeView(PanelView, AdminIndexView):
    """How many orders stand where, and the newest of them."""

    def __init__(self) -> None:
        super().__init__(name=lazy_gettext("Home"), url=access.PANEL)
        # The panel has its own look; Flask-Admin's 20 MB of scripts and styles are not served.
        self.static_folder = None

    @expose("/")
    def index(self) -> str:
        with read_connection() as connection:
            counts = count_by_status(connection)
            newest = list_orders(connection, OrderFilter(), offset=0, limit=_NEWEST)
        html: str = self.render("panel/home.html", counts=counts, orders=newest)
        return html

    @expose("/logout/", methods=("POST",))
    def logout(self) -> Response:
        actor = access.current_actor()
        assert actor.user_id is not None  # noqa: S101  (sessions belong to accounts)
        with unit_of_work() as uow:
            sessions.close_session(uow, user_id=actor.user_id, family_id=access.family_of_session())
        session.clear()
        flash(gettext("You are logged out."), "success")
        return redirect(url_for("panel_login.index"))
