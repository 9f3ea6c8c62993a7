"""Orders: the list, one order with its history, and every way to change it."""

from __future__ import annotations

from typing import Any

from flask import flash, request
from flask_babel import gettext, lazy_gettext

from orders_app.admin.frame import access
from orders_app.admin.frame.views import MOST_COUNTED
from orders_app.admin.orders.bulk import ACTIONS, RESTORE, BulkActions
from orders_app.admin.orders.columns import ChosenColumns
from orders_app.admin.orders.export import KINDS, Export
from orders_app.admin.orders.filters import (
    COLUMNS,
    FILTERS,
    MORE_FILTERS,
    SEVERAL,
    asked_ordering,
    asked_statuses,
    query_of,
    wanted_orders,
)
from orders_app.admin.orders.form import EditOrderForm, OrderForm
from orders_app.admin.orders.imports import Imports
from orders_app.admin.orders.kept import KeptViews
from orders_app.admin.orders.page import OrderPage
from orders_app.admin.orders.spans import spans
from orders_app.extensions import read_connection, unit_of_work
from orders_app.orders import services
from orders_app.orders.counts import figures_up_to
from orders_app.orders.domain import NewOrder, OrderChanges
from orders_app.orders.filters import ORDERINGS
from orders_app.orders.gates import NO_SUCH_ORDER
from orders_app.orders.queries import get_order, numbered_orders
from orders_app.orders.records import OrderRecord
from orders_app.orders.schemas import STATUSES
from orders_app.orders.searching import looked_up
from orders_app.shared.errors import Conflict


class OrderView(OrderPage, BulkActions, ChosenColumns, Export, Imports, KeptViews):
    """Orders, read by the queries and changed by the services of the API."""

    column_list = COLUMNS
    column_labels = {  # noqa: RUF012  (Flask-Admin's own form of configuration)
        "order_id": lazy_gettext("Order"),
        "user": lazy_gettext("Owner"),
        "status": lazy_gettext("Status"),
        "total_price": lazy_gettext("Total"),
        "lines": lazy_gettext("Lines"),
        "created_at": lazy_gettext("Created"),
        "updated_at": lazy_gettext("Changed"),
        "reference": lazy_gettext("Reference"),
        "source": lazy_gettext("Source"),
        "is_deleted": lazy_gettext("Deleted"),
        "quantity": lazy_gettext("Pieces"),
        "products": lazy_gettext("Products"),
        "version": lazy_gettext("Version"),
    }
    column_sortable_list = tuple(ORDERINGS)
    own_filters = FILTERS
    missing = NO_SUCH_ORDER
    list_template = "panel/orders.html"
    details_template = "panel/order.html"
    create_template = edit_template = "panel/order_form.html"

    def __init__(self) -> None:
        super().__init__(OrderRecord, name=lazy_gettext("Orders"), endpoint="panel_orders", url="orders")

    def init_search(self) -> bool:
        return True

    def get_pk_value(self, model: OrderRecord) -> str:
        return str(model.order_id)

    def get_list(
        self,
        page: int | None,
        sort_field: str | None,
        sort_desc: bool,
        search: str | None,
        filters: Any,
        page_size: int | None = None,
    ) -> tuple[int, list[OrderRecord]]:
        wanted, errors = wanted_orders(request.args)
        among = query_of(request.query_string.decode(errors="replace"))
        self._template_args.update(
            filter_errors=errors,
            statuses=STATUSES,
            asked_statuses=asked_statuses(request.args),
            uses_more_filters=not MORE_FILTERS.isdisjoint({*errors, *filter(request.args.get, request.args)}),
            kinds=KINDS,
            among=among,
            kept_views=self.kept_views(among),
            spans=spans(among),
            actions=_actions(wanted.is_deleted),
            **self.columns_context(),
        )
        ordering = asked_ordering(request.args)
        size = page_size or self.page_size
        with read_connection() as connection:
            wanted = looked_up(connection, wanted)
            # A text that very many orders have would have to be looked for in all of them to count those.
            is_counted = wanted.given().isdisjoint({"search", "part_of_reference"})
            figures = figures_up_to(connection, wanted, MOST_COUNTED) if is_counted else None
            total = figures.number if figures is not None else None
            self._template_args["sum_cents"] = figures.total_cents if figures is not None else None

            def read(offset: int, limit: int) -> list[OrderRecord]:
                return numbered_orders(
                    connection, wanted, ordering=ordering, offset=offset, limit=limit, total=total
                )

            return self.page_of(page, size, total, read)

    def _get_list_extra_args(self) -> Any:
        args = super()._get_list_extra_args()
        if "status" in args.extra_args:
            args.extra_args["status"] = SEVERAL.join(asked_statuses(request.args))
        return args

    def get_one(self, id: str) -> OrderRecord | None:  # noqa: A002  (Flask-Admin's name)
        with read_connection() as connection:
            return get_order(connection, self.id_of(id))

    def create_form(self, obj: Any = None) -> OrderForm:
        return OrderForm(request.form if request.method == "POST" else None)

    def edit_form(self, obj: Any = None) -> EditOrderForm:
        sent = request.form if request.method == "POST" else None
        return EditOrderForm.of(obj, access.current_actor().role, sent)

    def is_saving(self, form: OrderForm) -> bool:
        return request.method == "POST" and not form.rearrange(request.form)

    def create_model(self, form: OrderForm) -> OrderRecord:
        with unit_of_work() as uow:
            order = services.create_order(uow, actor=access.current_actor(), new=NewOrder(**form.loaded))
        flash(gettext("The order is created."), "success")
        return order

    def update_model(self, form: EditOrderForm, model: OrderRecord) -> OrderRecord:
        changes = OrderChanges(**form.loaded, sum_anew=True, expected_version=form.opened_version)
        try:
            with unit_of_work() as uow:
                order = services.change_order(
                    uow, actor=access.current_actor(), order_id=model.order_id, changes=changes
                )
        except Conflict as error:
            if error.code in {"version_mismatch", "order_deleted"}:
                now, overtaken = form.compare(model.order_id, access.current_actor())
                self._template_args.update(model=now, overtaken=overtaken)
            raise
        saved = order.version != form.opened_version
        told = gettext("The order is saved.")
        if not saved:
            told = gettext("Nothing was different, so nothing was changed.")
        flash(told, "success")
        return order

    def closed(self, model: OrderRecord) -> str | None:
        if not model.is_deleted:
            return None
        return gettext("This order is deleted. Restore it first, then it can be edited.")

    def get_save_return_url(self, model: OrderRecord, is_created: bool = False) -> str:
        return self.page_url(model)


def _actions(of_deleted: bool) -> dict[str, Any]:
    """What can be done with many at once, where they are deleted or are not."""
    return {name: label for name, label in ACTIONS.items() if (name == RESTORE) is of_deleted}
