"""The events log: what happened to all orders, newest first."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request
from flask_babel import gettext, lazy_gettext

from orders_app.admin.frame.views import MOST_COUNTED, PanelModelView
from orders_app.extensions import read_connection
from orders_app.history.repository import EventRecord, count_events, latest_events
from orders_app.shared.errors import NotFound


class HistoryView(PanelModelView):
    """The history of orders, to be read only."""

    column_list = ("at", "event", "order_id", "user", "changes")
    column_labels = {  # noqa: RUF012  (Flask-Admin's own form of configuration)
        "at": lazy_gettext("When"),
        "event": lazy_gettext("Event"),
        "order_id": lazy_gettext("Order"),
        "user": lazy_gettext("Who"),
        "changes": lazy_gettext("What changed"),
    }
    own_filters = ("order_id",)
    list_template = "panel/history.html"
    can_create = can_edit = can_delete = can_view_details = False
    create_view = edit_view = details_view = delete_view = None

    def __init__(self) -> None:
        super().__init__(EventRecord, name=lazy_gettext("Events log"), endpoint="panel_events", url="events")

    def get_pk_value(self, model: EventRecord) -> str:
        return str(model.event_id)

    def get_list(
        self,
        page: int | None,
        sort_field: str | None,
        sort_desc: bool,
        search: str | None,
        filters: Any,
        page_size: int | None = None,
    ) -> tuple[int, list[EventRecord]]:
        size = page_size or self.page_size
        order_id: UUID | None = None
        text = request.args.get("order_id", "").strip()
        try:
            order_id = self.id_of(text) if text else None
        except NotFound:
            self._template_args["filter_errors"] = {"order_id": [gettext("This is no order id.")]}
            return 0, []
        with read_connection() as connection:
            total = count_events(connection, order_id=order_id, most=MOST_COUNTED)

            def read(offset: int, limit: int) -> list[EventRecord]:
                return latest_events(connection, offset=offset, limit=limit, order_id=order_id)

            return self.page_of(page, size, total, read)
