"""Views of the list that people keep: a filter and an ordering under a name, for oneself or for all."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext
from werkzeug.wrappers import Response

from orders_app.admin.frame import access
from orders_app.admin.frame.messages import said
from orders_app.admin.frame.views import PanelModelView
from orders_app.admin.orders.filters import query_of
from orders_app.desk import services
from orders_app.desk.repository import views_for
from orders_app.extensions import read_connection, unit_of_work
from orders_app.shared.errors import DomainError, Invalid, NotFound


class KeptViews(PanelModelView):
    """What the list of orders needs for them."""

    @expose("/views/keep/", methods=("POST",))
    def keep_view(self) -> Response:
        query = query_of(request.form.get("query"))
        try:
            with unit_of_work() as uow:
                view = services.save_view(
                    uow,
                    actor=access.current_actor(),
                    name=request.form.get("name", ""),
                    query=query,
                    is_shared="is_shared" in request.form,
                )
        except DomainError as error:
            messages = error.errors.values() if isinstance(error, Invalid) else [[error.detail]]
            reasons = [said(str(text)) for texts in messages for text in texts]
            flash(gettext("The view is not kept. %(why)s", why=" ".join(reasons)), "error")
        else:
            flash(gettext("The view “%(name)s” is kept.", name=view.name), "success")
        return redirect(self._list_url(query))

    @expose("/views/forget/", methods=("POST",))
    def forget_view(self) -> Response:
        try:
            with unit_of_work() as uow:
                view_id: UUID = self.id_of(request.form.get("view_id", ""))
                services.delete_view(uow, actor=access.current_actor(), view_id=view_id)
        except NotFound:
            flash(gettext("This view is gone already."), "error")
        else:
            flash(gettext("The view is forgotten."), "success")
        return redirect(self._list_url(query_of(request.form.get("query"))))

    def kept_views(self, among: str) -> list[dict[str, Any]]:
        """Those that the person may use, for the page that shows the list of this query."""
        actor = access.current_actor()
        assert actor.user_id is not None  # noqa: S101  (sessions belong to accounts)
        with read_connection() as connection:
            found = views_for(connection, actor.user_id)
        return [
            {
                "view": view,
                "url": self._list_url(view.query),
                "is_here": query_of(view.query) == among,
                "is_mine": view.owner_id == actor.user_id,
            }
            for view in found
        ]

    def _list_url(self, query: str) -> str:
        url: str = self.get_url(".index_view")
        return f"{url}?{query}" if query else url
