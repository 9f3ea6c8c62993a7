"""What happened, newest first: to all orders, and to all accounts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request
from flask_babel import gettext, lazy_gettext
from sqlalchemy import Connection

from orders_app.admin.frame.views import MOST_COUNTED, PanelModelView
from orders_app.auth.queries import (
    AccountEventRecord,
    count_account_events,
    latest_account_events,
    user_id_named,
)
from orders_app.extensions import read_connection
from orders_app.history.repository import LOOKED_THROUGH, EventRecord, count_events, latest_events
from orders_app.shared.errors import NotFound


class _EventList(PanelModelView):
    """Events, to be read only."""

    can_create = can_edit = can_delete = can_view_details = False
    create_view = edit_view = details_view = delete_view = None

    def get_pk_value(self, model: EventRecord | AccountEventRecord) -> str:
        return str(model.event_id)

    def person(self, connection: Connection, name: str, errors: dict[str, list[str]]) -> UUID | None:
        """Whom a filter names; a name that nobody has is an error."""
        text = request.args.get(name, "").strip().replace("\0", "")
        found = user_id_named(connection, text) if text else None
        if text and found is None:
            errors[name] = [gettext("There is no such user.")]
        return found


class HistoryView(_EventList):
    """The history of orders."""

    column_list = ("at", "event", "order_id", "user", "changes")
    column_labels = {  # noqa: RUF012  (Flask-Admin's own form of configuration)
        "at": lazy_gettext("When"),
        "event": lazy_gettext("Event"),
        "order_id": lazy_gettext("Order"),
        "user": lazy_gettext("Who"),
        "changes": lazy_gettext("What changed"),
    }
    own_filters = ("order_id", "who")
    list_template = "panel/history.html"

    def __init__(self) -> None:
        super().__init__(EventRecord, name=lazy_gettext("Events log"), endpoint="panel_events", url="events")

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
        errors: dict[str, list[str]] = {}
        order_id = self._order_id(errors)
        with read_connection() as connection:
            actor_id = self.person(connection, "who", errors)
            if errors:
                self._template_args["filter_errors"] = errors
                return 0, []
            total = None
            if actor_id is None:
                total = count_events(connection, order_id=order_id, most=MOST_COUNTED)
            elif order_id is None:
                self._template_args["looked_through"] = LOOKED_THROUGH

            def read(offset: int, limit: int) -> list[EventRecord]:
                return latest_events(
                    connection, offset=offset, limit=limit, order_id=order_id, actor_id=actor_id
                )

            return self.page_of(page, size, total, read)

    def _order_id(self, errors: dict[str, list[str]]) -> UUID | None:
        text = request.args.get("order_id", "").strip()
        try:
            return self.id_of(text) if text else None
        except NotFound:
            errors["order_id"] = [gettext("This is no order id.")]
            return None


class AuditView(_EventList):
    """The history of accounts."""

    column_list = ("at", "event", "actor", "user", "changes", "address")
    column_labels = {  # noqa: RUF012  (Flask-Admin's own form of configuration)
        "at": lazy_gettext("When"),
        "event": lazy_gettext("Event"),
        "actor": lazy_gettext("Who"),
        "user": lazy_gettext("Whose account"),
        "changes": lazy_gettext("What changed"),
        "address": lazy_gettext("From where"),
    }
    own_filters = ("who", "whom")
    list_template = "panel/audit.html"

    def __init__(self) -> None:
        super().__init__(AccountEventRecord, name=lazy_gettext("Audit"), endpoint="panel_audit", url="audit")

    def get_list(
        self,
        page: int | None,
        sort_field: str | None,
        sort_desc: bool,
        search: str | None,
        filters: Any,
        page_size: int | None = None,
    ) -> tuple[int, list[AccountEventRecord]]:
        size = page_size or self.page_size
        errors: dict[str, list[str]] = {}
        with read_connection() as connection:
            actor_id = self.person(connection, "who", errors)
            user_id = self.person(connection, "whom", errors)
            if errors:
                self._template_args["filter_errors"] = errors
                return 0, []
            total = count_account_events(connection, most=MOST_COUNTED, actor_id=actor_id, user_id=user_id)

            def read(offset: int, limit: int) -> list[AccountEventRecord]:
                return latest_account_events(
                    connection, offset=offset, limit=limit, actor_id=actor_id, user_id=user_id
                )

            return self.page_of(page, size, total, read)
