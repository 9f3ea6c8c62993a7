"""Deleting many orders of the list at once: ticked there, confirmed on a page of its own."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, request
from flask_admin import expose
from werkzeug.exceptions import RequestEntityTooLarge

from orders_app.admin import access
from orders_app.admin.views import Page, PanelModelView
from orders_app.extensions import unit_of_work
from orders_app.orders import services
from orders_app.shared.errors import NotFound

MOST_AT_ONCE = 1_000
"""So many fit into one transaction that others do not notice."""


class BulkDeletion(PanelModelView):
    """What the list of orders needs for it."""

    @expose("/delete-selected/", methods=("POST",))
    def delete_selected_view(self) -> Page:
        """Ask whether all that were ticked are meant; with `confirmed` delete them, in one transaction."""
        wanted = self._ticked()
        if len(wanted) > MOST_AT_ONCE:
            raise RequestEntityTooLarge(f"At most {MOST_AT_ONCE} orders can be deleted at once.")
        back = access.own_path(request.form.get("back")) or self.get_url(".index_view")
        if not wanted:
            flash("No order was selected, so nothing was changed.", "error")
            return redirect(back)
        if "confirmed" not in request.form:
            html: str = self.render("panel/delete_selected.html", ids=wanted, back=back)
            return html
        with unit_of_work() as uow:
            count = services.delete_orders(uow, actor=access.current_actor(), order_ids=wanted)
        flash(_told(count, len(wanted) - count), "success" if count else "error")
        return redirect(back)

    def _ticked(self) -> list[UUID]:
        """The ids that were sent, each once; what is no id names no order."""
        found = dict.fromkeys(request.form.getlist("order_id"))
        wanted = []
        for text in found:
            try:
                wanted.append(self.id_of(text))
            except NotFound:
                continue
        return list(dict.fromkeys(wanted))


def _told(deleted: int, others: int) -> str:
    """How it went, for the person who asked."""
    if not deleted:
        return "Nothing was changed: the selected orders are deleted already, or do not exist."
    text = "1 order is deleted." if deleted == 1 else f"{deleted} orders are deleted."
    text += " They are kept, and can be restored one by one."
    return text + (f" {others} of the selected were deleted already." if others else "")
