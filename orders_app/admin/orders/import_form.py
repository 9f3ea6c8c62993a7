"""How an uploaded file is to be read: the options of the command line, as a form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from typing import Any, Final

from flask_babel import gettext, lazy_gettext
from wtforms import BooleanField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # its stubs lag behind

from orders_app.admin.frame.forms import ZONES, PanelForm
from orders_app.admin.frame.words import STATUSES
from orders_app.admin.orders.import_words import reason_in_words
from orders_app.auth.domain import clean_username
from orders_app.orders.domain import OrderStatus
from orders_app.orders.importing import given, values
from orders_app.orders.importing.options import Columns, Format, ImportOptions, NegativeQuantity
from orders_app.shared.errors import Invalid

FIELDS: Final = {
    "order": lazy_gettext("Order number"),
    "name": lazy_gettext("Product"),
    "price": lazy_gettext("Price"),
    "quantity": lazy_gettext("Quantity"),
    "created": lazy_gettext("Created"),
    "user": lazy_gettext("Owner"),
    "status": lazy_gettext("Status"),
}
"""What a column can be."""
REQUIRED: Final = ("order", "name", "price", "quantity")
MAIN: Final = ("user", "create_users")
MORE: Final = (
    *("status", "status_prefixes", "source", "time_zone", "created_format", "negative"),
    *("encoding", "file_format"),
)
"""The fields that are folded away."""
DEFAULT_STATUS: Final = ImportOptions().status
_ENCODINGS: Final = (
    *("utf-8", "utf-16", "cp1252", "cp1251", "cp1250", "iso8859-1", "iso8859-15", "koi8-r", "cp866"),
    *("mac-roman", "gb18030", "shift_jis"),
)
# WTForms takes plain strings; its type stubs are a version behind.
_STATUS_CHOICES: Any = [SelectChoice(status.value, STATUSES[status.value]) for status in OrderStatus]
_ENCODING_CHOICES: Any = [SelectChoice(name, name) for name in _ENCODINGS]
_FORMAT_CHOICES: Any = [
    SelectChoice("", lazy_gettext("as its name or its first character says")),
    SelectChoice(Format.CSV.value, lazy_gettext("CSV, a row a line item")),
    SelectChoice(Format.JSONL.value, lazy_gettext("JSON Lines, everything")),
]


class ImportForm(PanelForm):
    user = StringField(
        lazy_gettext("Owner of orders that name none"),
        description=lazy_gettext("The user name of an account."),
        render_kw={"autocomplete": "off"},
    )
    create_users = BooleanField(
        lazy_gettext("Make accounts for owners who have none"),
        description=lazy_gettext("Nobody can log in to them until a password is set."),
    )
    status = SelectField(
        lazy_gettext("Status of orders that name none"),
        choices=_STATUS_CHOICES,
        default=DEFAULT_STATUS.value,
    )
    status_prefixes = StringField(
        lazy_gettext("Status by the beginning of the order number"),
        description=lazy_gettext("For example C=cancelled; several with commas between them."),
        render_kw={"autocomplete": "off"},
    )
    source = StringField(
        lazy_gettext("Source"),
        description=lazy_gettext(
            "The shop that the orders come from. Order numbers of one source are known again; "
            "left empty, it is what the file says, else “import”."
        ),
        render_kw={"autocomplete": "off"},
    )
    time_zone = StringField(
        lazy_gettext("Time zone of times without one"),
        description=lazy_gettext("For example Europe/Moscow; left empty, it is UTC."),
        render_kw={"autocomplete": "off", "list": ZONES},
    )
    created_format = StringField(
        lazy_gettext("How dates are written"),
        description=lazy_gettext(
            "Only where they are neither 2026-12-31 nor 31.12.2026: %(form)s is 12/31/2026 14:05.",
            form="%m/%d/%Y %H:%M",
        ),
        render_kw={"autocomplete": "off"},
    )
    negative = BooleanField(
        lazy_gettext("Take negative quantities without their sign"),
        description=lazy_gettext("Otherwise such rows are refused."),
    )
    encoding = SelectField(lazy_gettext("Encoding"), choices=_ENCODING_CHOICES)
    file_format = SelectField(lazy_gettext("Format"), choices=_FORMAT_CHOICES)

    def asked(self, columns: Sequence[str]) -> dict[str, Any]:
        """What was filled in; `columns` says what each column of the file is."""
        said = {name: self[name].data for name in (*MAIN, *MORE)}
        return {**said, "columns": [column if column in FIELDS else "" for column in columns]}


def reading_options(asked: Mapping[str, Any]) -> ImportOptions:
    """How the bytes of the file are to be read."""
    kind = asked.get("file_format")
    return ImportOptions(
        encoding=given.encoding(asked.get("encoding") or "utf-8"), format=Format(kind) if kind else None
    )


def options_of(asked: Mapping[str, Any], seen: Mapping[str, Any]) -> ImportOptions:
    """The options, for a file that was `seen` to be so.  Raises `Invalid`, with what is wrong by field."""
    errors: dict[str, list[str]] = {}

    def checked(name: str, rule: Callable[[str], Any], otherwise: Any = None) -> Any:
        text = str(asked.get(name) or "").strip()
        try:
            return rule(text) if text else otherwise
        except ValueError as error:
            errors[name] = [reason_in_words(str(error))]
            return otherwise

    reading = reading_options(asked)
    options = ImportOptions(
        columns=_columns(asked, seen, errors),
        format=Format(seen["format"]),
        encoding=reading.encoding,
        timezone=checked("time_zone", given.time_zone, UTC),
        created_format=checked("created_format", str),
        status=OrderStatus(asked.get("status") or DEFAULT_STATUS),
        status_prefixes=checked("status_prefixes", _prefixes, ()),
        negative_quantity=NegativeQuantity.ABSOLUTE if asked.get("negative") else NegativeQuantity.REFUSE,
        user=checked("user", clean_username),
        create_users=bool(asked.get("create_users")),
        source=checked("source", values.source),
    )
    if errors:
        raise Invalid("The options are not valid.", errors=errors)
    return options


def _prefixes(text: str) -> tuple[tuple[str, OrderStatus], ...]:
    return tuple(given.status_prefix(part.strip()) for part in text.split(",") if part.strip())


def _columns(asked: Mapping[str, Any], seen: Mapping[str, Any], errors: dict[str, list[str]]) -> Columns:
    if seen["is_own"] or seen["format"] == Format.JSONL:
        return Columns()
    found: dict[str, str] = {}
    for name, column in zip(seen["columns"], asked.get("columns", ()), strict=False):
        if column in found:
            twice = gettext("Only one column can be this: %(what)s.", what=FIELDS[column])
            errors.setdefault("columns", []).append(twice)
        elif column:
            found[column] = name
    missing = [str(FIELDS[name]) for name in REQUIRED if name not in found]
    if missing:
        say = gettext("Say which column is this: %(what)s.", what=", ".join(missing))
        errors.setdefault("columns", []).append(say)
    return Columns(**found)
