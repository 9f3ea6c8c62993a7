"""Many orders of the list at once: ticked there, changed in one transaction, and told of one by one."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext, lazy_gettext
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from orders_app.admin.frame import access
from orders_app.admin.frame.views import Page, PanelModelView
from orders_app.admin.frame.words import MOVES
from orders_app.admin.orders.form import version_in
from orders_app.extensions import unit_of_work
from orders_app.orders import many
from orders_app.orders.domain import OrderStatus
from orders_app.orders.many import Fate
from orders_app.shared.errors import Invalid, NotFound

MOST_AT_ONCE = 1_000
"""So many fit into one transaction that others do not notice."""
DELETE: Final = "delete"
RESTORE: Final = "restore"
ACTIONS: Final = {
    **MOVES,
    DELETE: lazy_gettext("Delete"),
    RESTORE: lazy_gettext("Restore"),
}
ASKS_FIRST: Final = frozenset({DELETE, OrderStatus.CANCELLED.value})
"""What cannot be done by a slip of the finger; a reason may be given with it."""
FATES: Final = {
    Fate.DONE: lazy_gettext("done"),
    Fate.OVERTAKEN: lazy_gettext("left as it is: somebody changed it meanwhile"),
    Fate.GONE: lazy_gettext("left as it is: deleted already, or not there"),
    Fate.IMPOSSIBLE: lazy_gettext("left as it is: its status does not allow it"),
}


class BulkActions(PanelModelView):
    """What the list of orders needs for it."""

    @expose("/selected/", methods=("POST",))
    def selected_view(self) -> Page:
        """Do it, and tell what became of each; what asks first does it with `confirmed`."""
        action, seen = request.form.get("action", ""), self._ticked()
        if action not in ACTIONS:
            raise BadRequest(gettext("There is no such action."))
        if len(seen) > MOST_AT_ONCE:
            most = gettext("At most %(most)d orders can be changed at once.", most=MOST_AT_ONCE)
            raise RequestEntityTooLarge(most)
        back = access.own_path(request.form.get("back")) or self.get_url(".index_view")
        if not seen:
            flash(gettext("No order was selected, so nothing was changed."), "error")
            return redirect(back)
        asked = {"action": action, "label": ACTIONS[action], "seen": seen, "back": back}
        if action in ASKS_FIRST and "confirmed" not in request.form:
            return str(self.render("panel/selected.html", **asked))
        try:
            fates = _done(action, seen, request.form.get("reason"))
        except Invalid as error:
            errors = error.errors.get("reason", [error.detail])
            return str(self.render("panel/selected.html", reason_errors=errors, **asked)), 422
        done = [order_id for order_id, fate in fates.items() if fate is Fate.DONE]
        # Each change makes the next version: what somebody changes after this is not taken back with it.
        undo = {order_id: seen[order_id] + 1 for order_id in done} if action == DELETE else {}
        told = {"fates": fates, "words": FATES, "done": len(done), "undo": undo}
        return str(self.render("panel/selected_done.html", **told, **asked))

    def _ticked(self) -> dict[UUID, int]:
        """The orders that were sent, as `id@version`, each once; what is no id names no order."""
        seen: dict[UUID, int] = {}
        for text in request.form.getlist("order_id"):
            order_id, _, version = text.partition("@")
            try:
                seen.setdefault(self.id_of(order_id), version_in(version))
            except NotFound:
                continue
        return seen


def _done(action: str, seen: dict[UUID, int], reason: str | None) -> dict[UUID, Fate]:
    actor = access.current_actor()
    with unit_of_work() as uow:
        if action == DELETE:
            return many.delete_orders(uow, actor=actor, seen=seen, reason=reason)
        if action == RESTORE:
            return many.restore_orders(uow, actor=actor, seen=seen)
        return many.move_orders(uow, actor=actor, seen=seen, to=OrderStatus(action), reason=reason)
