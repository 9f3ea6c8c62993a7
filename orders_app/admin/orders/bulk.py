"""Deleting many orders of the list at once: ticked there, confirmed on a page of its own."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext, ngettext
from werkzeug.exceptions import RequestEntityTooLarge

from orders_app.admin.frame import access
from orders_app.admin.frame.views import Page, PanelModelView
from orders_app.admin.orders.form import version_in
from orders_app.extensions import unit_of_work
from orders_app.orders import services
from orders_app.orders.services import DeletedOrders
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
            why = gettext("At most %(most)d orders can be deleted at once.", most=MOST_AT_ONCE)
            raise RequestEntityTooLarge(why)
        back = access.own_path(request.form.get("back")) or self.get_url(".index_view")
        if not wanted:
            flash(gettext("No order was selected, so nothing was changed."), "error")
            return redirect(back)
        if "confirmed" not in request.form:
            html: str = self.render("panel/delete_selected.html", seen=wanted, back=back)
            return html
        with unit_of_work() as uow:
            outcome = services.delete_orders(uow, actor=access.current_actor(), seen=wanted)
        flash(_told(outcome), "success" if outcome.deleted else "error")
        return redirect(back)

    def _ticked(self) -> dict[UUID, int]:
        """The orders that were sent, as `id@version`, each once; what is no id names no order."""
        wanted: dict[UUID, int] = {}
        for text in request.form.getlist("order_id"):
            order_id, _, version = text.partition("@")
            try:
                wanted.setdefault(self.id_of(order_id), version_in(version))
            except NotFound:
                continue
        return wanted


def _told(outcome: DeletedOrders) -> str:
    """How it went, for the person who asked."""
    told = [gettext("Nothing was deleted.")]
    if outcome.deleted:
        told = [
            ngettext(
                "%(num)d order is deleted. What is deleted is kept, and can be restored.",
                "%(num)d orders are deleted. What is deleted is kept, and can be restored.",
                outcome.deleted,
            )
        ]
    if outcome.overtaken:
        told.append(
            gettext(
                "%(number)d of the selected were changed meanwhile, and left as they are.",
                number=outcome.overtaken,
            )
        )
    if outcome.gone:
        told.append(
            gettext("%(number)d of the selected were deleted already, or do not exist.", number=outcome.gone)
        )
    return " ".join(told)
