"""What happened to an order while somebody had a page of it open.

Forms and buttons carry the version of the page that they stand on.  When another one stands by the
time they are sent, nothing is done, and this says what changed in between and what the person had
entered, so that they can decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask_babel import gettext, lazy_gettext

from orders_app.admin.frame.differences import JsonLine, differences, line_text, paired, plain
from orders_app.admin.frame.overtaken import Choice, Overtaken, Step, in_short
from orders_app.admin.frame.words import FIELDS, word
from orders_app.auth.domain import username_key
from orders_app.extensions import read_connection
from orders_app.history.repository import EventRecord, history_of
from orders_app.orders.domain import Line, OrderStatus, allowed_transitions
from orders_app.orders.queries import get_order
from orders_app.orders.records import OrderRecord
from orders_app.shared.identity import Actor, Role
from orders_app.shared.money import cents_text, to_cents

MOST_STEPS = 20
MOST_LINES = 40
"""How much one page tells; the rest is said to be there."""
YOU = lazy_gettext("You")


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """An order as it stands now, and the events since the version that somebody saw."""

    order: OrderRecord
    events: list[EventRecord]
    is_known: bool
    """False where the page did not say which version it showed, or named one that there never was."""

    @classmethod
    def since(cls, order_id: UUID, seen: int) -> Meanwhile:
        with read_connection() as connection:
            order = get_order(connection, order_id)
            assert order is not None  # noqa: S101  (orders are never removed)
            is_known = 1 <= seen <= order.version
            events = history_of(connection, order_id, since=seen + 1) if is_known else []
        # The history was read after the order, and may go on from there.
        return cls(order, [event for event in events if event.sequence <= order.version], is_known)

    def in_short(self, actor: Actor) -> str:
        """One sentence for a message."""
        if not self.events:
            return gettext(
                "The page you came from does not say what it showed; this is the order as it is now."
            )
        found = [text for event in self.events for text in map(str, differences(event.changes))]
        return f"{self._headline(actor)}. {in_short(found)}."

    def told(self, actor: Actor, choices: Sequence[Choice] = ()) -> Overtaken:
        """The whole of it, with what was entered where that differs."""
        steps = []
        for event in self.events[-MOST_STEPS:]:
            changed = differences(event.changes)
            more = max(len(changed) - MOST_LINES, 0)
            steps.append(Step(event.sequence, _who(event.user, actor), event.at, changed[:MOST_LINES], more))
        return Overtaken(
            headline=self._headline(actor),
            at=self.events[-1].at if self.events else None,
            is_deleted=self.order.is_deleted,
            steps=steps,
            earlier=max(len(self.events) - MOST_STEPS, 0),
            choices=list(choices[:MOST_LINES]),
            more_choices=max(len(choices) - MOST_LINES, 0),
            has_opened=self.is_known,
        )

    def choices(self, loaded: Mapping[str, Any], rows: Sequence[int], role: Role) -> list[Choice]:
        """Where what was entered differs from what now stands.

        `loaded` is what the schema made of the form; `rows` holds the number of the row of each line.
        """
        now, opened = _values(self.order), self._opened()
        lines: Sequence[Line] = loaded["lines"]
        mine: dict[str, str] = {
            "user": loaded.get("owner", self.order.user),
            "status": str(loaded["status"]),
            "total_price": cents_text(_cents(loaded.get("total_price"), lines)),
        }
        found = []
        for name in ("user", "status", "total_price"):
            same = mine[name] == now[name]
            if name == "user":
                same = username_key(mine[name]) == username_key(now[name])
            if not same:
                note = _obstacle(self.order, mine[name], role) if name == "status" else ""
                was, stands, wanted = (plain(values.get(name), name) for values in (opened, now, mine))
                found.append(Choice(str(FIELDS[name]), was, stands, wanted, note))
        entered = [_as_json(line) for line in lines]
        numbers = {id(line): row for line, row in zip(entered, rows, strict=True)}
        before = {line["product_id"]: line for line in opened.get("products", ())}
        pairs, moved = paired(now["products"], entered)
        for there, line in pairs:
            texts = line_text(there), line_text(line)
            if texts[0] != texts[1]:
                known = before.get((line or {}).get("product_id")) or before.get(
                    (there or {}).get("product_id")
                )
                label = gettext("A line that your form lacks")
                if line is not None:
                    label = gettext("Line %(number)s", number=numbers[id(line)])
                found.append(Choice(label, line_text(known), *texts))
        if moved:
            found.append(
                Choice(gettext("Order of the lines"), None, gettext("as it stands"), gettext("another one"))
            )
        return found

    def _opened(self) -> dict[str, Any]:
        """The order as it was on the page: what now stands, with the events undone."""
        if not self.is_known:
            return {}
        values = _values(self.order)
        for event in reversed(self.events):
            values |= {name: before for name, (before, _) in event.changes.items()}
        return values

    def _headline(self, actor: Actor) -> str:
        if self.order.is_deleted:
            who = [_who(event.user, actor) for event in self.events if "is_deleted" in event.changes][-1:]
            if not who:
                return gettext("This order is deleted")
            return gettext("%(names)s deleted this order meanwhile", names=_and(who))
        people = list(dict.fromkeys(_who(event.user, actor) for event in self.events))
        if not people:
            return gettext("This page does not say which version of the order it showed")
        if people == [str(YOU)]:
            return gettext("You changed this order meanwhile, in another window")
        named = [people[0], *(gettext("you") if name == str(YOU) else name for name in people[1:])]
        names = _and(named) if len(people) <= 3 else gettext("%(number)s people", number=len(people))
        return gettext("%(names)s changed this order meanwhile", names=names)


def _who(name: str, actor: Actor) -> str:
    return str(YOU) if name == actor.username else name


def _and(names: Sequence[str]) -> str:
    return gettext(" and ").join(filter(None, (", ".join(names[:-1]), names[-1])))


def _values(order: OrderRecord) -> dict[str, Any]:
    return {
        "user": order.user,
        "status": order.status,
        "total_price": cents_text(order.total_price_cents),
        "products": [line.as_json() for line in order.lines],
    }


def _as_json(line: Line) -> JsonLine:
    return {
        "product_id": str(line.product_id or ""),
        "name": line.name,
        "price": cents_text(to_cents(line.price)),
        "quantity": line.quantity,
    }


def _cents(total: Any, lines: Iterable[Line]) -> int:
    return to_cents(total) if total is not None else sum(to_cents(x.price) * x.quantity for x in lines)


def _obstacle(order: OrderRecord, wanted: str, role: Role) -> str:
    status = OrderStatus(order.status)
    if OrderStatus(wanted) in allowed_transitions(status, role):
        return ""
    return gettext(
        "An order that is %(status)s cannot become %(wanted)s: choose another status in the form.",
        status=word(status),
        wanted=word(wanted),
    )
