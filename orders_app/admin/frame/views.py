"""What the views of the panel have in common: Flask-Admin's lists and forms over our own services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from flask import flash, redirect, request
from flask_admin import expose
from flask_admin.model import BaseModelView
from flask_babel import gettext, lazy_gettext
from werkzeug.exceptions import NotFound as PageNotFound
from werkzeug.wrappers import Response

from orders_app.admin.frame import access
from orders_app.admin.frame.forms import PanelForm
from orders_app.admin.frame.messages import said
from orders_app.admin.frame.undo import Undoable, tell
from orders_app.http.errors import status_of
from orders_app.http.identifiers import id_from_path
from orders_app.shared.errors import DomainError

Page = str | Response | tuple[str, int]
MOST_COUNTED: Final = 10_000
"""Rows that are counted to tell how many there are; of more it is told that they are more."""
_MOST_PAGES: Final = 1_000_000


class PanelView:
    """For admins only.  The guard of `access` asks first; this is Flask-Admin's own way of asking."""

    def is_accessible(self) -> bool:
        return access.actor_or_none() is not None

    def inaccessible_callback(self, name: str, **kwargs: Any) -> Response:
        return access.to_login()

    def _run_view(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        # Flask-Admin calls a view a second time, differently, when it raises a TypeError.
        return function(self, *args, **kwargs)


class PanelModelView(PanelView, BaseModelView):
    """A list, and what one can do with a row of it.

    Subclasses implement `get_list` and `get_one` on our queries, and `create_model`, `update_model`
    and `delete_model` on our services; what those refuse is shown beside the fields.
    """

    form_base_class = PanelForm
    can_export = False
    can_view_details = True
    can_set_page_size = True
    page_size = 50
    page_size_options = (20, 50, 100, 200)

    # Not offered here, so there are no such addresses either.
    action_view = None
    export = None
    ajax_lookup = None
    ajax_update = None

    own_filters: tuple[str, ...] = ()
    """Names of the query parameters that `get_list` reads itself; links between pages keep them."""
    missing: Any = lazy_gettext("This does not exist, or no longer does.")

    def _get_list_extra_args(self) -> Any:
        args = super()._get_list_extra_args()
        # All other parameters would become arguments of url_for: `_external`, `_scheme`, `endpoint`.
        args.extra_args = {
            name: value for name, value in args.extra_args.items() if name in self.own_filters and value
        }
        args.page = max(args.page or 0, 0)
        return args

    def place_of(self, column: str) -> int:
        """What links name a column by that a list is sorted by, whichever columns are shown."""
        return list(self.column_list).index(column)

    def scaffold_list_columns(self) -> list[str]:
        return list(self.column_list)

    def scaffold_sortable_columns(self) -> dict[str, str]:
        return {}

    def scaffold_form(self) -> type[PanelForm]:
        return PanelForm

    def scaffold_list_form(self, widget: Any = None, validators: Any = None) -> type[PanelForm]:
        return PanelForm

    def scaffold_filters(self, name: Any) -> None:
        return None

    def is_saving(self, form: Any) -> bool:
        """Whether the form was sent to be saved."""
        return request.method == "POST"

    def page_of(
        self, page: int | None, size: int, counted: int | None, read: Callable[[int, int], list[Any]]
    ) -> tuple[int, list[Any]]:
        """A page for `get_list`: how many rows there are at least, and those from an offset on.

        Where they were not counted one more is read than is shown, to tell whether there is a next page.
        """
        if counted is not None:
            offset = page_offset(page, size, counted)
            return counted, read(offset, size)
        offset = min(max(page or 0, 0), _MOST_PAGES) * size
        found = read(offset, size + 1)
        if not found:
            offset, found = 0, read(0, size + 1)
            self._template_args["page"] = 0
        seen = offset + len(found[:size])
        self._template_args["more_than"] = seen if len(found) > size else None
        return offset + len(found), found[:size]

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> Page:
        form = self.create_form()
        status = 200
        if self.is_saving(form):
            model, status = attempt(form, lambda: self.create_model(form))
            if model is not None:
                return redirect(self.get_save_return_url(model, is_created=True))
        return self.render(self.create_template, form=form, model=None), status

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self) -> Page:
        model = self.asked_for()
        reason = self.closed(model)
        if reason is not None and request.method == "GET":
            flash(reason, "error")
            return redirect(self.page_url(model))
        form = self.edit_form(obj=model)
        status = 200
        if self.is_saving(form):
            saved, status = attempt(form, lambda: self.update_model(form, model))
            if saved is not None:
                return redirect(self.get_save_return_url(saved, is_created=False))
        return self.render(self.edit_template, form=form, model=model), status

    @expose("/details/")
    def details_view(self) -> Page:
        model = self.asked_for()
        html: str = self.render(self.details_template, model=model, **self.details_context(model))
        return html

    @expose("/delete/", methods=("POST",))
    def delete_view(self) -> Page:
        return self.acted(self.delete_model)

    def details_context(self, model: Any) -> dict[str, Any]:
        """What the page of one row shows beside the row."""
        return {}

    def closed(self, model: Any) -> str | None:
        """Why a row cannot be edited; its page then says so, and no form is opened to fill in in vain."""
        return None

    def meanwhile(self, model: Any) -> str | None:
        """What others did to a row since the page whose button was pressed; None if nothing."""
        return None

    def asked_for(self) -> Any:
        """The row that the request names by `id`; raises what becomes a 404 page."""
        model = self.get_one(request.values.get("id", ""))
        if model is None:
            raise PageNotFound(str(self.missing))
        return model

    def acted(self, act: Callable[[Any], str | Undoable]) -> Response:
        """Do something to the row that was named, and go back to its page, which then says how it went."""
        model = self.asked_for()
        try:
            tell(act(model))
        except DomainError as error:
            return self.refused(model, error)
        return redirect(self.page_url(model))

    def refused(self, model: Any, error: DomainError) -> Response:
        """Go back to the page of a row, which then says why nothing was done to it."""
        why = self.meanwhile(model) or said(error.detail)
        flash(gettext("Nothing was changed. %(why)s", why=why), "error")
        return redirect(self.page_url(model))

    def page_url(self, model: Any) -> str:
        """The address of the page of one row."""
        url: str = self.get_url(".details_view", id=self.get_pk_value(model))
        return url

    def id_of(self, text: str) -> UUID:
        """Flask-Admin hands over the text of the address; what is no UUID names nothing."""
        return id_from_path(text, str(self.missing))


def page_offset(page: int | None, size: int, total: int) -> int:
    """Where a page begins; one past the end is the last one."""
    last = max(total - 1, 0) // size
    return min(max(page or 0, 0), last) * size


def attempt(form: Any, save: Callable[[], Any]) -> tuple[Any, int]:
    """What was saved, or None and the status that says why not; the form then shows it to the person."""
    if not form.validate():
        return None, 422
    try:
        return save(), 200
    except DomainError as error:
        form.refuse(error)
        return None, status_of(error)
