"""The orders of the list as a file: all that the filter lets through, not only the page."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from flask import Response, current_app, request, stream_with_context
from flask_admin import expose
from flask_babel import get_timezone, gettext
from werkzeug.exceptions import BadRequest

from orders_app.admin.frame.views import PanelModelView
from orders_app.admin.orders.filters import wanted_orders
from orders_app.extensions import read_connection
from orders_app.orders.searching import looked_up

WORKBOOK: Final = "xlsx"
KINDS: Final = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    WORKBOOK: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class Export(PanelModelView):
    """What the list of orders needs for it."""

    @expose("/export/")
    def export_view(self) -> Response:
        kind = request.args.get("format", "")
        if kind not in KINDS:
            raise BadRequest(gettext("Orders are exported as csv, jsonl or xlsx."))
        wanted, errors = wanted_orders(request.args)
        if errors:
            raise BadRequest(gettext("The filter cannot be read. Go back and correct it first."))
        with read_connection() as connection:
            wanted = looked_up(connection, wanted)
        # Loaded on first use: a worker that exports nothing is some megabytes smaller.
        from orders_app.admin.orders import files

        pieces = files.workbook(wanted) if kind == WORKBOOK else stream_with_context(files.text(wanted, kind))
        response = current_app.response_class(pieces, content_type=KINDS[kind])
        name = f"orders-{datetime.now(get_timezone()):%Y-%m-%d-%H%M}.{kind}"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        response.headers["Cache-Control"] = "no-store"
        return response
