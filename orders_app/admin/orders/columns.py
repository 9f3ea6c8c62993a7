"""Which columns of the list somebody wants to see; kept for them, whatever browser they use."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext
from werkzeug.wrappers import Response

from orders_app.admin.frame import access, languages
from orders_app.admin.frame.messages import said
from orders_app.admin.frame.views import PanelModelView
from orders_app.admin.orders.filters import USUAL
from orders_app.desk.services import set_preferences
from orders_app.extensions import unit_of_work
from orders_app.shared.errors import Invalid

ARRANGED: Final = (
    "order_id",
    "reference",
    "source",
    "user",
    "status",
    "is_deleted",
    "total_price",
    "lines",
    "quantity",
    "products",
    "created_at",
    "updated_at",
    "version",
)
"""All that there are, as they stand side by side; those that are usual, in their usual order."""
ALWAYS: Final = "order_id"
"""It leads to the order, so the list is never without it."""
_LIST: Final = "orders"


class ChosenColumns(PanelModelView):
    """What the list of orders needs for them."""

    @expose("/columns/", methods=("POST",))
    def columns_view(self) -> Response:
        """Keep the columns that were ticked, or forget what was chosen."""
        usual = "usual" in request.form
        try:
            _keep(USUAL if usual else arranged(request.form.getlist("column")))
        except Invalid as error:
            reasons = [said(str(text)) for texts in error.errors.values() for text in texts]
            flash(gettext("The columns are not kept. %(why)s", why=" ".join(reasons)), "error")
        else:
            told = gettext("The list shows the usual columns again.")
            flash(told if usual else gettext("The list shows the columns that you chose."), "success")
        return redirect(access.own_path(request.form.get("back")) or self.get_url(".index_view"))

    def columns_context(self) -> dict[str, Any]:
        """What the page of the list shows for them."""
        shown = chosen_columns()
        return {
            "list_columns": self.get_column_names(shown, None),
            "all_columns": self.get_column_names(ARRANGED, None),
            "shown_columns": shown,
            "always_shown": ALWAYS,
            "are_usual_columns": shown == arranged(USUAL),
        }


def chosen_columns() -> list[str]:
    """What the person who is logged in wants to see; a name that no column has any more is passed over."""
    return arranged((access.preferences().columns or {}).get(_LIST, USUAL))


def arranged(names: Collection[str]) -> list[str]:
    """The columns of these names, as they stand side by side."""
    return [name for name in ARRANGED if name in names or name == ALWAYS]


def _keep(names: Collection[str]) -> None:
    preferred = access.preferences()
    others = {name: chosen for name, chosen in (preferred.columns or {}).items() if name != _LIST}
    chosen = arranged(names)
    mine = {} if chosen == arranged(USUAL) else {_LIST: chosen}
    user_id = access.current_actor().user_id
    assert user_id is not None  # noqa: S101  (sessions belong to accounts)
    with unit_of_work() as uow:
        set_preferences(
            uow,
            user_id=user_id,
            preferences=replace(preferred, columns={**others, **mine} or None),
            locales=languages.LANGUAGES,
        )
