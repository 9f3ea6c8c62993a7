"""`flask orders verify`: whatever is changed past the service is found."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from orders_app.extensions import db
from orders_app.history.models import OrderEventRow
from orders_app.orders.models import Order, OrderCount, OrderLine, OrderQuarter, ProductName
from tests import factories
from tests.callers import Caller, path_of
from tests.cli.conftest import Run
from tests.conftest import Backend

Tampering = Callable[[Session, UUID], Any]


@pytest.fixture
def orders(alice: Caller, admin: Caller) -> list[UUID]:
    """Three orders with histories of five events, one and two."""
    first, second, third = alice.order(), alice.order(status="cancelled"), admin.order(total_price="1.00")
    alice.patch(path_of(first), {"status": "confirmed"})
    alice.patch(path_of(first), {"products": [factories.line(name="bear"), factories.line()]})
    alice.delete(path_of(first))
    admin.post(path_of(first, "restore"))
    admin.patch(path_of(third), {"user": "bob", "total_price": "2.00"})
    return [UUID(order["order_id"]) for order in (first, second, third)]


def tamper(app: Flask, change: Callable[[Session], object]) -> None:
    with app.app_context():
        session = db.session()
        with factories.past_the_triggers(session):
            change(session)
        session.commit()


def test_all_is_well(run: Run, orders: list[UUID]) -> None:
    result = run("orders", "verify")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("history: 3 orders, 8 events; 0 findings; ")


def test_nothing_to_verify(run: Run) -> None:
    assert run("orders", "verify").stdout.startswith("history: 0 orders, 0 events; 0 findings; ")


def an_event(sequence: int) -> Any:
    return lambda order_id: (OrderEventRow.order_id == order_id) & (OrderEventRow.sequence == sequence)


def set_event(which: int, **values: Any) -> Tampering:
    return lambda session, order_id: session.execute(
        update(OrderEventRow).where(an_event(which)(order_id)).values(**values)
    )


def remove_events(first: int) -> Tampering:
    return lambda session, order_id: session.execute(
        delete(OrderEventRow).where(OrderEventRow.order_id == order_id, OrderEventRow.sequence >= first)
    )


def set_order(**values: Any) -> Tampering:
    return lambda session, order_id: session.execute(
        update(Order).where(Order.id == order_id).values(**values)
    )


def set_line(**values: Any) -> Tampering:
    return lambda session, order_id: session.execute(
        update(OrderLine).where(OrderLine.order_id == order_id, OrderLine.position == 0).values(**values)
    )


def remove_first(session: Session, order_id: UUID) -> None:
    session.execute(delete(OrderEventRow).where(an_event(1)(order_id)))


def remove_and_close_the_gap(session: Session, order_id: UUID) -> None:
    session.execute(delete(OrderEventRow).where(an_event(3)(order_id)))
    for sequence in (4, 5):
        set_event(sequence, sequence=sequence - 1)(session, order_id)
    set_order(version=4)(session, order_id)


def exchange(session: Session, order_id: UUID) -> None:
    for before, after in ((2, 100), (3, 2), (100, 3)):
        set_event(before, sequence=after)(session, order_id)


def add_one(session: Session, order_id: UUID) -> None:
    row = (
        session.execute(select(*OrderEventRow.__table__.columns).where(an_event(5)(order_id)))
        .mappings()
        .one()
    )
    session.execute(insert(OrderEventRow), [{**row, "id": uuid4(), "sequence": 6}])
    set_order(version=6)(session, order_id)


def from_another_order(session: Session, order_id: UUID) -> None:
    """The seal of the same event of another order is good there, and not here."""
    other = session.scalars(
        select(OrderEventRow.seal).where(OrderEventRow.sequence == 1, OrderEventRow.order_id != order_id)
    ).first()
    set_event(1, seal=other)(session, order_id)


def undo_the_last(session: Session, order_id: UUID) -> None:
    remove_events(5)(session, order_id)
    set_order(version=4, is_deleted=True)(session, order_id)


LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)
TAMPERINGS: dict[str, tuple[Tampering, str]] = {
    **{
        f"the {name} of an event": (set_event(2, **{name: value}), "event 2, was changed")
        for name, value in {
            "event": "order.updated",
            "at": LONG_AGO,
            "actor_id": None,
            "actor_name": "mallory",
            "request_id": "r",
            "changes": {"status": ["pending", "cancelled"]},
            "old_status": "cancelled",
            "new_status": "completed",
            "state": bytes(32),
            "seal": bytes(32),
            "began_from": bytes(32),
            "id": uuid4(),
        }.items()
    },
    "an event made to look older": (set_event(2, began_from=None), "event 2, was changed"),
    "an event removed": (
        lambda session, order_id: session.execute(delete(OrderEventRow).where(an_event(3)(order_id))),
        "event 3, is missing",
    ),
    "the first event removed": (remove_first, "event 1, is missing"),
    "the last events removed": (remove_events(4), "event 4, is missing"),
    "the whole history removed": (remove_events(1), "has no history"),
    "an event removed without a gap": (remove_and_close_the_gap, "event 3, was changed"),
    "two events exchanged": (exchange, "event 2, was changed"),
    "an event added": (add_one, "event 6, was changed"),
    "a seal of another order": (from_another_order, "event 1, was changed"),
    "the last change undone": (undo_the_last, "is not what its last event left"),
    **{
        f"the {name} of the order": (set_order(**{name: value}), "is not what its last event left")
        for name, value in {
            "status": "completed",
            "total_price_cents": 1,
            "is_deleted": True,
            "created_at": LONG_AGO,
            "updated_at": LONG_AGO,
        }.items()
    },
    "an imported number for the order": (
        set_order(source="shop", reference="1"),
        "is not what its last event left",
    ),
    "an older version of the order": (set_order(version=4), "is not what its last event left"),
    **{
        f"the {name} of a line": (set_line(**{name: value}), "is not what its last event left")
        for name, value in {
            "name": "gold",
            "price_cents": 1,
            "quantity": 9,
            "position": 7,
            "id": uuid4(),
        }.items()
    },
    "what a search finds a line by": (set_line(name_folded="gold"), "is found under other words"),
    "a line removed": (
        lambda session, order_id: session.execute(delete(OrderLine).where(OrderLine.order_id == order_id)),
        "is not what its last event left",
    ),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_tampering_is_found(run: Run, app: Flask, orders: list[UUID], what: str) -> None:
    change, said = TAMPERINGS[what]
    tamper(app, lambda session: change(session, orders[0]))
    result = run("orders", "verify")
    assert result.exit_code == 3, result.output
    assert f"order {orders[0]}" in result.stdout
    assert said in result.stdout
    assert str(orders[1]) not in result.stdout
    assert str(orders[2]) not in result.stdout


def test_a_name_that_searching_would_not_begin_with_is_found(
    run: Run, app: Flask, orders: list[UUID]
) -> None:
    tamper(app, lambda session: session.execute(delete(ProductName)))
    result = run("orders", "verify")
    assert result.exit_code == 3, result.output
    for order_id in orders:
        assert f"order {order_id} is found under other words than its lines have" in result.stdout


def test_a_wrong_count_is_found(run: Run, app: Flask, orders: list[UUID]) -> None:
    assert run("orders", "verify").exit_code == 0
    change = update(OrderCount).where(OrderCount.number > 0).values(number=OrderCount.number + 1)
    tamper(app, lambda session: session.execute(change))
    result = run("orders", "verify")
    assert result.exit_code == 3, result.output
    assert re.search(
        r"^the count of \w+ orders of all owners is \d+, and there are \d+$", result.stdout, re.MULTILINE
    )
    assert re.search(
        r"^the count of \w+ orders of user [0-9a-f-]{36} is \d+, and", result.stdout, re.MULTILINE
    )
    for order_id in orders:
        assert str(order_id) not in result.stdout


def test_a_wrong_sum_is_found(run: Run, app: Flask, orders: list[UUID]) -> None:
    change = update(OrderCount).where(OrderCount.number > 0).values(total_cents=OrderCount.total_cents - 8401)
    tamper(app, lambda session: session.execute(change))
    result = run("orders", "verify")
    assert result.exit_code == 3, result.output
    of_all = r"^the sum of cancelled orders of all owners is -0\.01, and they come to 84\.00$"
    assert re.search(of_all, result.stdout, re.MULTILINE)
    assert re.search(r"^the sum of \w+ orders of user [0-9a-f-]{36} is ", result.stdout, re.MULTILINE)
    assert "the count of" not in result.stdout


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("number", r"the count of {} is \d+, and there are \d+"),
        ("total_cents", r"the sum of {} is \d+\.\d\d, and they come to \d+\.\d\d"),
    ],
)
def test_a_wrong_quarter_is_found(run: Run, app: Flask, orders: list[UUID], column: str, said: str) -> None:
    change = update(OrderQuarter).where(OrderQuarter.number > 0)
    change = change.values({column: OrderQuarter.__table__.c[column] + 100})
    tamper(app, lambda session: session.execute(change))
    result = run("orders", "verify")
    assert result.exit_code == 3, result.output
    which = r"\w+ orders of the quarter hour from \d{4}-\d\d-\d\dT\d\d:(00|15|30|45):00\.000000Z"
    assert re.search(f"^{said.format(which)}$", result.stdout, re.MULTILINE), result.stdout
    for order_id in orders:
        assert str(order_id) not in result.stdout


def test_what_triggers_keep_is_made_anew(run: Run, app: Flask, orders: list[UUID], alice: Caller) -> None:
    def spoil(session: Session) -> None:
        for statement in (
            delete(ProductName).where(ProductName.name_folded == "affe"),
            delete(OrderQuarter).where(OrderQuarter.status == "cancelled"),
            update(OrderCount).values(number=OrderCount.number + 7, total_cents=OrderCount.total_cents - 1),
        ):
            session.execute(statement)

    tamper(app, spoil)
    assert run("orders", "verify").exit_code == 3
    assert run("orders", "recount").stdout == "All orders are counted.\n"
    assert run("orders", "verify").exit_code == 0
    alice.delete(path_of(alice.order()))
    assert "; 0 findings; " in run("orders", "verify").stdout


@pytest.mark.parametrize("what", ["the total_price_cents of the order", "the price_cents of a line"])
def test_tampering_is_found_after_the_next_change_too(
    run: Run, app: Flask, orders: list[UUID], alice: Caller, what: str
) -> None:
    tamper(app, lambda session: TAMPERINGS[what][0](session, orders[0]))
    for status in ("cancelled", "pending"):
        answer = alice.patch(path_of({"order_id": str(orders[0])}), {"status": status})
        assert answer.status_code == 200, answer.text
    result = run("orders", "verify")
    said = f"order {orders[0]}, event 6, began from an order that had been changed past this service\n"
    assert (result.exit_code, result.stdout.count(said)) == (3, 1)
    assert "; 1 findings; " in result.stdout


def test_what_cannot_be_read_is_found_and_nothing_behind_it(
    run: Run, app: Flask, backend: Backend, orders: list[UUID]
) -> None:
    statement = text("UPDATE order_events SET changes = 'no JSON' WHERE order_id = :order_id")
    first = min(orders)

    def change(session: Session) -> object:
        return session.execute(statement, {"order_id": first.hex})

    if backend.has_redis:
        with pytest.raises(DataError, match="json"):
            tamper(app, change)
        return
    tamper(app, change)
    result = run("orders", "verify")
    assert result.exit_code == 3
    assert "cannot be read" in result.stdout
    assert "Traceback" not in result.output


def test_without_a_key_nothing_is_sealed_or_verified(
    run: Run, make_app: Callable[..., Flask], orders: list[UUID], tmp_path: Path
) -> None:
    keyless = make_app(secret_key="").test_cli_runner()
    line = tmp_path / "one.jsonl"
    line.write_text('{"products": [{"name": "a", "price": 1, "quantity": 1}]}\n')
    for command in (["orders", "verify"], ["orders", "import", str(line), "--user", "alice"]):
        result = keyless.invoke(args=command)
        assert result.exit_code == 1
        assert "Give this command the key that the server has." in result.stderr
    assert run("orders", "verify").stdout.startswith("history: 3 orders, 8 events; 0 findings; ")


def test_nothing_is_brought_in_under_another_key(
    run: Run, make_app: Callable[..., Flask], orders: list[UUID], tmp_path: Path
) -> None:
    line = tmp_path / "one.jsonl"
    line.write_text('{"products": [{"name": "a", "price": 1, "quantity": 1}]}\n')
    command = ["orders", "import", str(line), "--user", "alice"]
    other = make_app(history_key="another-key-of-thirty-two-bytes-or-more").test_cli_runner()
    refused = other.invoke(args=command)
    assert refused.exit_code == 1
    assert "Give it the HISTORY_KEY or SECRET_KEY that the server has" in refused.stderr
    assert run(*command).exit_code == 0
    assert run("orders", "verify").stdout.startswith("history: 4 orders, 9 events; 0 findings; ")


def test_another_owner_is_found(run: Run, app: Flask, orders: list[UUID]) -> None:
    mallory = factories.user_id(app, "bob")
    tamper(app, lambda session: set_order(user_id=mallory)(session, orders[0]))
    assert f"order {orders[0]} is not what its last event left" in run("orders", "verify").stdout


def test_one_change_is_one_finding(run: Run, app: Flask, orders: list[UUID]) -> None:
    tamper(app, lambda session: set_event(2, actor_name="mallory")(session, orders[0]))
    assert "; 1 findings; " in run("orders", "verify").stdout


def test_another_name_of_the_owner_is_no_tampering(run: Run, app: Flask, orders: list[UUID]) -> None:
    factories.change_user(app, "alice", username="alicia", username_key="alicia")
    assert run("orders", "verify").exit_code == 0


def test_another_key_is_told(run: Run, make_app: Callable[..., Flask], orders: list[UUID]) -> None:
    other = make_app(history_key="another-key-of-thirty-two-bytes-or-more")
    result = other.test_cli_runner().invoke(args=["orders", "verify"])
    assert result.exit_code == 3
    assert "set HISTORY_KEY to the old one" in result.stderr


def test_the_key_outlives_a_new_secret_key(
    run: Run, app: Flask, make_app: Callable[..., Flask], orders: list[UUID]
) -> None:
    old = app.config["ORDERS"].secret_key
    renewed = make_app(secret_key="fresh-" + "0123456789abcdef" * 3, history_key=old)
    assert renewed.test_cli_runner().invoke(args=["orders", "verify"]).exit_code == 0


class TestCheckpoint:
    def test_it_grows_with_the_histories(
        self, run: Run, alice: Caller, orders: list[UUID], tmp_path: Path
    ) -> None:
        file = tmp_path / "checkpoint"
        assert run("orders", "verify", "--checkpoint", file).exit_code == 0
        first = file.read_text().splitlines()
        assert [line.split()[:2] for line in first] == [
            [str(order_id), number] for order_id, number in zip(sorted(orders), "512", strict=True)
        ]
        alice.order()
        alice.patch(path_of({"order_id": str(orders[1])}), {"status": "pending"})
        assert run("orders", "verify", "--checkpoint", file).exit_code == 0
        second = file.read_text().splitlines()
        assert len(second) == 4
        assert second[0] == first[0]

    def test_an_order_that_is_gone_without_a_trace_is_missed(
        self, run: Run, app: Flask, orders: list[UUID], tmp_path: Path
    ) -> None:
        file = tmp_path / "checkpoint"
        run("orders", "verify", "--checkpoint", file)
        kept = file.read_text()

        def remove(session: Session) -> None:
            remove_events(1)(session, orders[0])
            session.execute(delete(OrderLine).where(OrderLine.order_id == orders[0]))
            session.execute(delete(Order).where(Order.id == orders[0]))

        tamper(app, remove)
        assert run("orders", "verify").exit_code == 0, "nothing in the database tells of it"
        result = run("orders", "verify", "--checkpoint", file)
        assert result.exit_code == 3
        assert f"order {orders[0]} was there at the checkpoint, and is gone" in result.stdout
        assert file.read_text() == kept, "what was found is not forgotten"

    def test_a_database_of_yesterday_is_told(
        self, run: Run, app: Flask, admin: Caller, orders: list[UUID], tmp_path: Path
    ) -> None:
        """An order that was taken back to its last version but one, seal and all."""
        file = tmp_path / "checkpoint"
        order = path_of({"order_id": str(orders[1])})
        with app.app_context():
            before = db.session().get_one(Order, orders[1]).updated_at
        admin.patch(order, {"total_price": "5.00"})
        run("orders", "verify", "--checkpoint", file)

        def take_back(session: Session) -> None:
            remove_events(2)(session, orders[1])
            set_order(version=1, updated_at=before, total_price_cents=8400)(session, orders[1])

        tamper(app, take_back)
        assert run("orders", "verify").exit_code == 0, "nothing in the database tells of it"
        result = run("orders", "verify", "--checkpoint", file)
        assert (result.exit_code, "has a shorter history than at the checkpoint" in result.stdout) == (
            3,
            True,
        )
        admin.patch(order, {"total_price": "7.00"})
        assert (
            "event 2, is another one than at the checkpoint"
            in run("orders", "verify", "--checkpoint", file).stdout
        )

    @pytest.mark.parametrize(
        "content", ["nonsense\n", "a b c\n", "019ab0f2-6f6e-7cc3-9b9e-4f2f3c1d8a55 1 00ff\n", "\n", "ä"]
    )
    def test_a_file_that_is_none_is_left_alone(self, run: Run, tmp_path: Path, content: str) -> None:
        file = tmp_path / "notes"
        file.write_text(content)
        result = run("orders", "verify", "--checkpoint", file)
        assert result.exit_code == 1
        assert "checkpoint" in result.stderr
        assert file.read_text() == content

    def test_a_folder_that_is_not_there(self, run: Run, tmp_path: Path) -> None:
        result = run("orders", "verify", "--checkpoint", tmp_path / "no" / "file")
        assert result.exit_code == 1
        assert "cannot be written" in result.stderr
