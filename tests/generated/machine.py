"""The second half of the state machine: orders, and what must be true after each step."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from hypothesis import strategies as st
from hypothesis.stateful import MultipleResults, invariant, multiple, precondition, rule

from tests.callers import ORDERS
from tests.generated.client import OPERATOR, check_refusal, without_place
from tests.generated.model import Account, Order, Refused, Shown, event_of
from tests.generated.people import WHO, WHOEVER, People

STATUSES = ["pending", "confirmed", "cancelled", "completed"]
AMOUNTS = ["0.00", "0.01", "12.50", "229.00", "9999999999.99"]
ORDERINGS = ["created_at", "-updated_at", "total_price", "-total_price", "status", "-status", "-created_at"]
LINES = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["affe", "Äpfel", "50%_off", "straße"]),
            "price": st.sampled_from(AMOUNTS[:4]),
            "quantity": st.integers(0, 3),
        }
    ),
    min_size=1,
    max_size=3,
)
OPTIONAL = {
    "status": st.sampled_from(STATUSES),
    "total_price": st.sampled_from(AMOUNTS),
    "user": st.sampled_from(["ann", "ben", "root", "nobody", 7]),
}
NEW_ORDERS = st.fixed_dictionaries({"products": LINES}, optional=OPTIONAL)
CHANGES = st.fixed_dictionaries({}, optional={**OPTIONAL, "products": LINES})
INVALID = st.sampled_from(
    [
        {"products": []},
        {"status": "nope"},
        {"total_price": "1.005"},
        {"total_price": -1},
        {"products": [{"name": " ", "price": "1", "quantity": 1}]},
        {"products": [{"name": "affe", "price": "NaN", "quantity": 1}]},
        {"products": [{"name": "affe", "price": "1", "quantity": -1}]},
        {"surprise": 1},
    ]
)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "status": st.lists(st.sampled_from(STATUSES), min_size=1, max_size=2, unique=True),
        "min_price": st.sampled_from(AMOUNTS[:3]),
        "max_price": st.sampled_from(AMOUNTS[3:]),
        "q": st.sampled_from(["AFFE", "äp", "%", "_", "STRASSE", "nothing"]),
        "is_deleted": st.just("true"),
        "user": WHO,
        "ordering": st.sampled_from(ORDERINGS),
    },
)
CONDITIONS = st.sampled_from(["none", "none", "right", "right", "any", "stale"])
KEYED = st.sampled_from(
    [
        {"products": [{"name": "affe", "price": "42.00", "quantity": quantity}], "status": status}
        for quantity, status in ((0, "cancelled"), (1, "pending"))
    ]
)
REPLAYED = "Idempotent-Replayed"


class Machine(People):
    """Orders: made, read, listed, changed, deleted and restored by everybody, allowed or not."""

    @rule(target=People.orders, who=WHO, body=NEW_ORDERS)
    def create(self, who: str, body: dict[str, Any]) -> Order | MultipleResults[Order]:
        actor, sent = self.shop.accounts[who], self._with_names(body)
        answer = self.client.send(actor, "POST", ORDERS, sent)
        expected = self._expect(actor, answer, lambda: self.shop.new_order(actor, sent))
        return multiple() if expected is None else self._made(actor, answer, expected)

    @rule(target=People.orders, who=WHO, body=KEYED, key=st.sampled_from(["one", "two"]))
    def create_once(self, who: str, body: dict[str, Any], key: str) -> Order | MultipleResults[Order]:
        actor, first = self.shop.accounts[who], self.shop.kept.get((who, key))
        answer = self.client.send(actor, "POST", ORDERS, body, Idempotency_Key=key)
        if first is not None and actor.is_active:
            sent, kept, role = first
            if sent != body:
                check_refusal(answer, Refused(422, "idempotency_key_reused"))
            elif role == "admin" and not actor.is_admin:
                check_refusal(answer, Refused(403, "forbidden"))
            else:
                assert (answer.status, answer.body, answer.headers[REPLAYED]) == (201, kept, "true")
            return multiple()
        assert REPLAYED not in answer.headers
        expected = self._expect(actor, answer, lambda: self.shop.new_order(actor, body))
        if expected is None:
            return multiple()
        self.shop.kept[who, key] = (body, answer.body, actor.role)
        return self._made(actor, answer, expected)

    @rule(who=WHOEVER, order=People.orders, status=OPTIONAL["status"], condition=CONDITIONS)
    def move(self, who: str, order: Order, status: str, condition: str) -> None:
        self._change(self._actor(who, order), order, {"status": status}, "PATCH", condition)

    @rule(who=WHOEVER, order=People.orders, body=CHANGES, keep=st.booleans(), condition=CONDITIONS)
    def patch(self, who: str, order: Order, body: dict[str, Any], keep: bool, condition: str) -> None:
        sent = self._with_names(body)
        if keep and "products" in sent:
            # One line more than the order has names an id twice, and the second of them is a new line.
            ids = [line["product_id"] for line in order.shown["products"]]
            sent["products"] = [
                {**line, "product_id": ids[min(place, len(ids) - 1)]}
                for place, line in enumerate(sent["products"])
            ]
        self._change(self._actor(who, order), order, sent, "PATCH", condition)

    @rule(who=WHOEVER, order=People.orders, body=CHANGES, condition=CONDITIONS)
    def put(self, who: str, order: Order, body: dict[str, Any], condition: str) -> None:
        """With the lines as they are, or with others."""
        sent = {"products": order.shown["products"], **self._with_names(body)}
        self._change(self._actor(who, order), order, sent, "PUT", condition)

    def _change(
        self, actor: Account, order: Order, sent: dict[str, Any], method: str, condition: str
    ) -> None:
        headers, stale = self._condition(actor, order, condition)
        answer = self.client.send(actor, method, path_of(order), sent, **headers)
        expected = self._expect(
            actor, answer, lambda: self.shop.changed(actor, order, sent, replace=method == "PUT", stale=stale)
        )
        if expected is not None:
            assert answer.status == 200, answer.body
            before = order.shown
            self.client.adopt(order, expected, actor, answer)
            if expected is not before:
                self._record(order, before, actor)

    @rule(who=WHOEVER, order=People.orders, condition=CONDITIONS)
    def delete(self, who: str, order: Order, condition: str) -> None:
        actor = self._actor(who, order)
        headers, stale = self._condition(actor, order, condition)
        answer = self.client.send(actor, "DELETE", path_of(order), **headers)
        request_id = self.client.request_id
        expected = self._expect(actor, answer, lambda: self.shop.deleted(actor, order, stale=stale))
        if expected is not None:
            assert (answer.status, answer.body) == (204, b"")
            before = order.shown
            self.client.adopt(order, expected, OPERATOR, self.client.send(OPERATOR, "GET", path_of(order)))
            self._record(order, before, actor, request_id)

    @rule(who=WHOEVER, order=People.orders)
    def restore(self, who: str, order: Order) -> None:
        self._restore(self._actor(who, order), order)

    @precondition(lambda self: self._deleted())
    @rule(who=st.sampled_from(["root", "root", "the owner"]), number=st.integers(0, 5))
    def restore_a_deleted_one(self, who: str, number: int) -> None:
        order = self._deleted()[number % len(self._deleted())]
        self._restore(self._actor(who, order), order)

    def _deleted(self) -> list[Order]:
        return [order for order in self.shop.orders if order.shown["is_deleted"]]

    def _restore(self, actor: Account, order: Order) -> None:
        before = order.shown
        answer = self.client.send(actor, "POST", path_of(order, "restore"))
        expected = self._expect(actor, answer, lambda: self.shop.restored(actor, order))
        if expected is not None:
            assert answer.status == 200, answer.body
            self.client.adopt(order, expected, actor, answer)
            self._record(order, before, actor)

    @rule(who=WHO, order=People.orders, body=INVALID, method=st.sampled_from(["POST", "PUT", "PATCH"]))
    def send_nonsense(self, who: str, order: Order, body: dict[str, Any], method: str) -> None:
        """It is refused wherever it is sent, and changes nothing, as the invariants show."""
        actor = self.shop.accounts[who]
        sent = {"products": order.shown["products"], **body}
        answer = self.client.send(actor, method, ORDERS if method == "POST" else path_of(order), sent)
        refused = Refused(422, "validation_error") if actor.is_active else Refused(401, "invalid_credentials")
        check_refusal(answer, refused)

    @rule(
        who=WHO,
        order=People.orders,
        request=st.sampled_from(
            [
                ("GET", "", None),
                ("PUT", "", {"products": [{"name": "affe", "price": "1", "quantity": 1}]}),
                ("PATCH", "", {"status": "confirmed"}),
                ("PATCH", "", {"status": "nope"}),
                ("DELETE", "", None),
                ("GET", "events", None),
                ("POST", "restore", None),
            ]
        ),
        condition=CONDITIONS,
    )
    def look_at_what_is_not_there(
        self, who: str, order: Order, request: tuple[str, str, Any], condition: str
    ) -> None:
        """Somebody else's order answers like one that never existed (R404)."""
        actor, (method, below, body) = self.shop.accounts[who], request
        if actor.is_active and self.shop.may_see(actor, order):
            return
        headers, _ = self._condition(OPERATOR, order, condition)
        never = Order({"order_id": str(uuid4())})
        answers = [
            self.client.send(actor, method, path_of(each, below), body, **headers) for each in (order, never)
        ]
        assert without_place(answers[0]) == without_place(answers[1])
        assert answers[0].status in {401, 403, 404, 422}

    @rule(who=WHOEVER, order=People.orders, known=st.sampled_from(["none", "current", "old"]))
    def read(self, who: str, order: Order, known: str) -> None:
        """The order as it is; 304 exactly while the tag that was seen stands."""
        actor = self._actor(who, order)
        current = order.tags.get(order.tag_key(actor)) if known == "current" else None
        old = [tag for key, tag in order.tags.items() if key[0] != order.shown["version"]]
        tags = [current] if current else old if known == "old" else []
        headers = {"If_None_Match": ", ".join(tags)} if tags else {}
        answer = self.client.send(actor, "GET", path_of(order), **headers)
        if self._expect(actor, answer, lambda: self.shop.seen(actor, order)) is None:
            return
        self.client.check_tag(order, actor, answer)
        if current:
            assert (answer.status, answer.body) == (304, b"")
        else:
            assert (answer.status, answer.json()) == (200, order.seen_by(actor))

    @rule(who=WHO, wanted=FILTERS, size=st.integers(1, 4), by_cursor=st.booleans())
    def list_some(self, who: str, wanted: dict[str, Any], size: int, by_cursor: bool) -> None:
        """All pages of a list, one after the other, are what the model filters and sorts."""
        actor, wanted = self.shop.accounts[who], self._with_names(wanted)
        start = {"cursor": "", "count": "exact"} if by_cursor else {"page": 1}
        query = self._query(actor, wanted, page_size=size, **start)
        try:
            self.shop.admit(actor)
            expected = self.shop.listed(actor, wanted)
        except Refused as refused:
            check_refusal(self.client.send(actor, "GET", f"{ORDERS}?{query}"), refused)
            return
        pages = list(self.client.pages(actor, query))
        assert [order for page in pages for order in page.json()] == expected
        assert all(len(page.json()) == size for page in pages[:-1])
        for page in pages:
            assert json.loads(page.headers["X-Pagination"])["total"] == len(expected)

    @invariant()
    def every_list_is_the_models(self) -> None:
        """Whatever was cached before the last step, and by whichever worker process."""
        for actor in self.shop.accounts.values():
            answer = self.client.send(actor, "GET", f"{ORDERS}?{self._query(actor, {}, page_size=200)}")
            if not actor.is_active:
                check_refusal(answer, Refused(401, "invalid_credentials"))
                continue
            assert (answer.status, answer.json()) == (200, self.shop.listed(actor, {}))

    def teardown(self) -> None:
        """Every history is the model's: one event for one change, and none for anything else."""
        for order in self.shop.orders:
            answer = self.client.send(OPERATOR, "GET", path_of(order, "events"))
            events = answer.json()
            times = [event.pop("at") for event in events]
            assert len({event.pop("event_id") for event in events}) == len(events)
            assert events == order.events
            assert times == sorted(times)
            assert times[0] == order.shown["created_at"]
            assert times[-1] == order.shown["updated_at"]

    def _made(self, actor: Account, answer: Any, expected: Shown) -> Order:
        assert answer.status == 201, answer.body
        order = Order({})
        self.client.adopt(order, expected, actor, answer)
        assert answer.headers["Location"] == path_of(order)
        self.shop.orders.append(order)
        self._record(order, None, actor)
        return order

    def _record(self, order: Order, before: Shown | None, actor: Account, request_id: str = "") -> None:
        request_id = request_id or self.client.request_id
        order.events.append(event_of(before, order.shown, user=actor.name, request_id=request_id))

    def _with_names(self, body: dict[str, Any]) -> dict[str, Any]:
        """The same with the name that somebody has by now."""
        accounts = self.shop.accounts
        named = body.get("user")
        return {**body, "user": accounts[named].name} if named in accounts else dict(body)

    def _condition(self, actor: Account, order: Order, kind: str) -> tuple[dict[str, str], bool]:
        """Headers of a request, and whether the tag in them is of another version than the current one."""
        current = self.client.send(actor, "GET", path_of(order)).headers.get("ETag")
        if kind == "none" or (kind == "right" and current is None):
            return {}, False
        if kind == "any":
            return {"If_Match": "*"}, False
        old = [tag for key, tag in order.tags.items() if key[0] != order.shown["version"]]
        tags = [current] if kind == "right" else (old or ['"never"'])
        return {"If_Match": ", ".join(str(tag) for tag in tags)}, kind == "stale"


def path_of(order: Order, below: str = "") -> str:
    """The path of an order, or of what lies below it."""
    path = f"{ORDERS}{order.order_id}/"
    return f"{path}{below}/" if below else path
