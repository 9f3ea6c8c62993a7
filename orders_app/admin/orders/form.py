"""The form for an order and its lines, validated by the schemas of the API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self, cast
from uuid import UUID

from flask_babel import gettext, lazy_gettext
from marshmallow import Schema, ValidationError
from werkzeug.datastructures import MultiDict
from wtforms import Field, HiddenField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # its stubs lag behind

from orders_app.admin.frame.forms import PanelForm
from orders_app.admin.frame.overtaken import Overtaken
from orders_app.admin.frame.words import STATUSES as WORDS
from orders_app.admin.orders.meanwhile import Meanwhile
from orders_app.orders.domain import MOST_LINES, OrderStatus, allowed_transitions
from orders_app.orders.records import OrderRecord
from orders_app.orders.schemas import STATUSES, NewOrderSchema, ReplaceOrderSchema
from orders_app.shared.identity import Actor, Role
from orders_app.shared.money import cents_text

_COLUMNS = ("product_id", "name", "price", "quantity")
_FIRST_ROWS = 3
# WTForms takes plain strings; its type stubs are a version behind.
_STATUSES: Any = [SelectChoice(status, WORDS[status]) for status in STATUSES]


@dataclass
class Row:
    """One line as it stands in the form: text, and what is wrong with it."""

    product_id: str = ""
    name: str = ""
    price: str = ""
    quantity: str = ""
    errors: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_blank(self) -> bool:
        return not (self.name.strip() or self.price.strip() or self.quantity.strip())

    def as_json(self) -> dict[str, str]:
        """The line as the API is sent it."""
        values = {"name": self.name, "price": self.price.strip(), "quantity": self.quantity.strip()}
        return values | {"product_id": self.product_id} if self.product_id else values


class LinesField(Field):
    """The lines of an order: four columns of inputs, each repeated once a row."""

    rows: list[Row]

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        self.process_errors = []
        self.object_data = self.data = data
        if formdata is None or not formdata:
            self.rows = list(data) if isinstance(data, list) else [Row() for _ in range(_FIRST_ROWS)]
            return
        columns = [formdata.getlist(f"line-{column}") for column in _COLUMNS]
        # A browser sends every column of every row; what is cut off elsewhere is filled up with nothing.
        longest = max(map(len, columns))
        padded = [column + [""] * (longest - len(column)) for column in columns]
        self.rows = [Row(*texts) for texts in zip(*padded, strict=True)]


class OrderForm(PanelForm):
    """A new order."""

    schema: type[Schema] = NewOrderSchema

    user = StringField(
        lazy_gettext("Owner"),
        description=lazy_gettext("A user name. Left empty, the order is yours."),
        render_kw={"autocomplete": "off", "maxlength": 150},
    )
    status = SelectField(
        lazy_gettext("Status"), choices=_STATUSES, default=OrderStatus.PENDING.value, validate_choice=False
    )
    total_price = StringField(
        lazy_gettext("Total"),
        description=lazy_gettext("Left empty, it is the sum of the lines."),
        render_kw={"autocomplete": "off", "inputmode": "decimal"},
    )
    products = LinesField(lazy_gettext("Lines"))

    loaded: dict[str, Any]

    def rearrange(self, pressed: MultiDict[str, str]) -> bool:
        """Add or remove a row if that is what was asked for, rather than to save."""
        rows = self.products.rows
        if "add_line" in pressed:
            if len(rows) < MOST_LINES:
                rows.append(Row())
            return True
        if "remove_line" in pressed:
            index = pressed["remove_line"]
            if index.isascii() and index.isdigit() and len(index) <= 4 and int(index) < len(rows):
                del rows[int(index)]
            return True
        return False

    def validate(self, extra_validators: Any = None) -> bool:
        """Whether the schema takes it; `loaded` is then what it made of it."""
        if not super().validate(extra_validators):
            return False
        filled = [row for row in self.products.rows if not row.is_blank]
        body: dict[str, Any] = {"products": [row.as_json() for row in filled], "status": self.status.data}
        for name in ("user", "total_price"):
            text = (self[name].data or "").strip()
            if text:
                body[name] = text
        try:
            self.loaded = self.schema().load(body)
        except ValidationError as error:
            messages: dict[str, Any] = dict(error.normalized_messages())
            lines = messages.pop("products", None)
            if isinstance(lines, dict):
                for index, about in lines.items():
                    filled[index].errors = about
                self.form_errors.append(gettext("Please look at the marked lines."))
            elif lines:
                messages["products"] = [gettext("An order has at least one line.")] if not filled else lines
            self.show(messages)
            return False
        return True


class EditOrderForm(OrderForm):
    """An order that is there; `version` is the one that was opened, so that no change is overwritten."""

    schema = ReplaceOrderSchema

    user = StringField(
        lazy_gettext("Owner"), render_kw={"autocomplete": "off", "maxlength": 150, "required": True}
    )
    version = HiddenField()

    @classmethod
    def of(cls, order: OrderRecord, role: Role, sent: MultiDict[str, str] | None) -> Self:
        """The form for this order, filled with what was sent, or with the order as it stands."""
        total = sum(line.price_cents * line.quantity for line in order.lines)
        form = cls(
            sent,
            user=order.user,
            status=order.status,
            # A total of its own is kept; one that is the sum follows the lines.
            total_price="" if total == order.total_price_cents else cents_text(order.total_price_cents),
            products=[
                Row(str(line.product_id), line.name, cents_text(line.price_cents), str(line.quantity))
                for line in order.lines
            ],
            version=str(order.version),
        )
        if sent is not None and "version" not in sent:
            form.version.data = ""  # and not the version of now, which nobody opened
        form._offer_statuses(order, role)
        return form

    @property
    def opened_version(self) -> int:
        """The version that the form was opened with."""
        return version_in(self.version.data)

    def compare(self, order_id: UUID, actor: Actor) -> tuple[OrderRecord, Overtaken]:
        """The order as it stands now, and what the person should know before they save over it.

        From here on the form is about the version that is shown with it; what was filled in stays.  A
        deleted order cannot be saved over, so the form stays with the version that was opened.
        """
        found = Meanwhile.since(order_id, self.opened_version)
        order = found.order
        rows = [number for number, row in enumerate(self.products.rows, start=1) if not row.is_blank]
        choices = [] if order.is_deleted else found.choices(self.loaded, rows, actor.role)
        if not order.is_deleted:
            self.version.data = str(order.version)
        self._offer_statuses(order, actor.role)
        return order, found.told(actor, choices)

    def _offer_statuses(self, order: OrderRecord, role: Role) -> None:
        status = OrderStatus(order.status)
        choices = [status.value, *(move.value for move in allowed_transitions(status, role))]
        # What was chosen stays chosen even if it can no longer be: the browser would pick another one.
        if self.status.data in STATUSES and self.status.data not in choices:
            choices.append(self.status.data)
        self.status.choices = cast("Any", [SelectChoice(choice, WORDS[choice]) for choice in choices])


def version_in(text: str | None) -> int:
    """The version of the page that was sent; 0, which none has, if that was left out or tampered with."""
    text = text or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
