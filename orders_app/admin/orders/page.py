"""The page of one order: what it holds, all that ever happened to it, and what can be done with it now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from flask import current_app, request
from flask_admin import expose
from flask_babel import gettext
from sqlalchemy import Connection
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from orders_app.admin.frame import access
from orders_app.admin.frame.differences import Difference, differences
from orders_app.admin.frame.undo import Undoable
from orders_app.admin.frame.views import Page, PanelModelView
from orders_app.admin.frame.words import word
from orders_app.admin.orders.filters import asked_ordering, query_of, wanted_orders
from orders_app.admin.orders.form import version_in
from orders_app.admin.orders.meanwhile import Meanwhile
from orders_app.extensions import read_connection, unit_of_work
from orders_app.history.repository import EventRecord, history_of
from orders_app.orders import services
from orders_app.orders.domain import OrderChanges, OrderStatus, allowed_transitions
from orders_app.orders.filters import Position, reverse
from orders_app.orders.queries import list_orders
from orders_app.orders.records import NoteRecord, OrderRecord
from orders_app.orders.repository import notes_of
from orders_app.orders.schemas import STATUSES
from orders_app.orders.searching import looked_up
from orders_app.shared.errors import Invalid


@dataclass(frozen=True, slots=True)
class Moment:
    """What happened at one time: an event with the notes that explain it, or a note by itself."""

    event: EventRecord | None
    notes: list[NoteRecord] = field(default_factory=list)

    @property
    def changed(self) -> list[Difference]:
        return differences(self.event.changes) if self.event is not None else []


class OrderPage(PanelModelView):
    """What the view of orders needs for it."""

    def details_context(self, model: OrderRecord) -> dict[str, Any]:
        with read_connection() as connection:
            events = history_of(connection, model.order_id)
            notes = notes_of(connection, model.order_id)
            before, after = _neighbours(connection, model)
        moves = allowed_transitions(OrderStatus(model.status), access.current_actor().role)
        return {
            "timeline": list(timeline(events, notes)),
            "moves": [] if model.is_deleted else moves,
            "lines_sum": sum(line.price_cents * line.quantity for line in model.lines),
            "before": before,
            "after": after,
            "among": query_of(request.args.get("among")),
        }

    def meanwhile(self, model: OrderRecord) -> str | None:
        found = Meanwhile.since(model.order_id, seen_version())
        if found.is_known and not found.events:
            return None
        return found.in_short(access.current_actor())

    def page_url(self, model: OrderRecord) -> str:
        """With the list that the page was opened from, so that one can go on in it."""
        among = query_of(request.values.get("among"))
        url: str = self.get_url(".details_view", id=self.get_pk_value(model), among=among or None)
        return url

    @expose("/print/")
    def print_view(self) -> Page:
        """The order as its customer gets it, on paper."""
        model = self.asked_for()
        lines_sum = sum(line.price_cents * line.quantity for line in model.lines)
        return str(self.render("panel/print.html", model=model, lines_sum=lines_sum))

    @expose("/pdf/")
    def pdf_view(self) -> Response:
        """The same as a file, to be sent."""
        model = self.asked_for()
        # Loaded on first use: a worker that makes none is ten megabytes smaller.
        from orders_app.admin.orders.confirmation import confirmation

        response = current_app.response_class(confirmation(model), content_type="application/pdf")
        name = f"order-{model.order_id.hex[-8:]}.pdf"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        response.headers["Cache-Control"] = "no-store"
        return response

    @expose("/note/", methods=("POST",))
    def note_view(self) -> Response:
        return self.acted(self._note)

    @expose("/restore/", methods=("POST",))
    def restore_view(self) -> Response:
        return self.acted(self._restore)

    @expose("/transition/", methods=("POST",))
    def transition_view(self) -> Response:
        return self.acted(self._transition)

    def delete_model(self, model: OrderRecord) -> Undoable:
        with unit_of_work() as uow:
            deleted = services.delete_order(
                uow,
                actor=access.current_actor(),
                order_id=model.order_id,
                expected_version=seen_version(),
                reason=request.form.get("reason"),
            )
        return Undoable(
            gettext("The order is deleted. It is kept, and can be restored here."),
            self.get_url(".restore_view"),
            {
                "id": self.get_pk_value(model),
                "version": str(deleted.version),
                "among": query_of(request.values.get("among")),
            },
        )

    def _note(self, model: OrderRecord) -> str:
        with unit_of_work() as uow:
            text = request.form.get("text", "")
            services.add_note(uow, actor=access.current_actor(), order_id=model.order_id, text=text)
        return gettext("The note is written down.")

    def _restore(self, model: OrderRecord) -> str:
        with unit_of_work() as uow:
            services.restore_order(
                uow,
                actor=access.current_actor(),
                order_id=model.order_id,
                expected_version=seen_version(),
            )
        return gettext("The order is restored.")

    def _transition(self, model: OrderRecord) -> str:
        to = request.form.get("to", "")
        if to not in STATUSES:
            raise Invalid(gettext("There is no such status."))
        with unit_of_work() as uow:
            order = services.change_order(
                uow,
                actor=access.current_actor(),
                order_id=model.order_id,
                changes=OrderChanges(status=OrderStatus(to), expected_version=seen_version()),
                reason=request.form.get("reason"),
            )
        return gettext("The order is now %(status)s.", status=word(order.status))


def seen_version() -> int:
    """The version on the page whose button was pressed."""
    return version_in(request.form.get("version"))


def timeline(events: Sequence[EventRecord], notes: Sequence[NoteRecord]) -> Iterator[Moment]:
    """Newest first; a note that explains an event stands with it."""
    explaining: dict[int, list[NoteRecord]] = {}
    for note in notes:
        if note.sequence is not None:
            explaining.setdefault(note.sequence, []).append(note)
    moments = [(event.at, 0, Moment(event, explaining.get(event.sequence, []))) for event in events]
    moments += [(note.at, 1, Moment(None, [note])) for note in notes if note.sequence is None]
    for _, _, moment in sorted(moments, key=lambda found: found[:2], reverse=True):
        yield moment


def _neighbours(connection: Connection, order: OrderRecord) -> tuple[UUID | None, UUID | None]:
    """The orders before and after this one in the list that the page was opened from."""
    among = query_of(request.args.get("among"))
    if not among:
        return None, None
    args = MultiDict(parse_qsl(among))
    wanted, _ = wanted_orders(args)
    wanted = looked_up(connection, wanted)
    found: list[UUID | None] = []
    for ordering in (reverse(asked_ordering(args)), asked_ordering(args)):
        place = Position.of(order, ordering)
        orders = list_orders(connection, wanted, ordering=ordering, after=place, limit=1)
        found.append(orders[0].order_id if orders else None)
    return found[0], found[1]
