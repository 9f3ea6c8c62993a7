"""The checker itself: it is silent about what may be, and finds what may not, in histories made by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.consistency.records import Expected, Finding, Kind, Outcome, StoredAnswer, seen
from tests.consistency.story import Story

KILLED = Expected(answered=False)


def busy() -> Story:
    """A history with everything in it, and nothing wrong."""
    story = Story()
    first, second = story.create(), story.create(key="k")
    other = story.create("bob")
    story.change(first, total_price="2.00")
    story.change(first, kind=Kind.PUT, status="confirmed", total_price="3.00").if_match = 2
    story.refuse(first, 412).if_match = 2
    story.refuse(other, 404)
    story.change(other, "admin", user="alice")
    story.change(second, kind=Kind.DELETE, is_deleted=True)
    story.refuse(second, 404, Kind.READ)
    story.change(second, "admin", Kind.RESTORE, is_deleted=False)
    for order_id in (first, second, other):
        story.read(order_id)
    story.show(other, second, first, page=1, last=True)
    story.show(other, second, page=1)
    story.show(first, second, walk=1, ordering="created_at")
    story.show(other, walk=1, ordering="created_at", after=True, last=True)
    story.events(first, 3)
    return story


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert busy().findings() == set()


def test_a_reader_may_see_either_side_of_a_change_that_is_under_way() -> None:
    story = Story()
    order = story.create()
    change = story.change(order, total_price="2.00")
    for version in (1, 2):
        story.read(order, version=version).started = change.started
        story.log[-1].ended = change.ended + version
    assert story.findings() == set()


def test_what_nobody_knows_about_may_have_happened_or_not() -> None:
    story = Story()
    order = story.create()
    story.lose(story.change(order, total_price="2.00"))
    story.create()
    story.lose(story.log[-1])
    story.lose(story.operation(Kind.PATCH, order_id=order, sent={"total_price": "9.00"}))
    story.read(order)
    assert story.findings(KILLED) == set()


def test_a_retry_under_a_key_finds_what_the_lost_attempt_made() -> None:
    story = Story()
    order = story.create(key="k")
    made = story.lose(story.log[-1])
    answer = (seen(story.snapshots[order][1]),)
    story.change(order, total_price="2.00")
    story.operation(Kind.CREATE, order_id=order, key="k", replayed=True, seen=answer, sent=made.sent)
    assert story.findings(KILLED) == set()


def test_an_unavailable_database_and_a_full_log_are_expected_where_they_were_taken_away() -> None:
    story = Story()
    order = story.create()
    story.change(order, status="confirmed")
    story.final.status_lines.clear()
    story.operation(Kind.READ, order_id=order, outcome=Outcome.UNKNOWN, status=503)
    assert story.findings() == {Finding.UNEXPECTED, Finding.LOG}
    assert story.findings(Expected(served=False, logged=False)) == set()


# What may not be.  Each function spoils a story and is named for it.


def stale_read(story: Story, order: str) -> None:
    story.read(order, version=1)


def stale_list(story: Story, order: str) -> None:
    story.operation(Kind.LIST, seen=(seen(story.snapshots[order][1]),))


def stale_events(story: Story, order: str) -> None:
    story.events(order, 1)


def not_found_although_there(story: Story, order: str) -> None:
    story.refuse(order, 404, Kind.READ)


def deleted_and_still_shown(story: Story, order: str) -> None:
    story.change(order, kind=Kind.DELETE, is_deleted=True)
    story.read(order, version=2)


def going_back_after_a_reader_saw_more(story: Story, order: str) -> None:
    change = story.change(order, total_price="7.00")
    change.ended += 1000  # its own answer is still on the way
    story.read(order)
    story.read(order, version=2)


def a_state_that_never_was(story: Story, order: str) -> None:
    story.read(order, total_price="55.00")


def a_version_that_never_was(story: Story, order: str) -> None:
    shown = seen({**story.snapshots[order][2], "version": 9})
    story.operation(Kind.READ, order_id=order, seen=(shown,))


def another_users_order(story: Story, order: str) -> None:
    story.read(order, user="bob")


def another_users_order_in_a_list(story: Story, order: str) -> None:
    story.show(order, user="bob")


def another_users_events(story: Story, order: str) -> None:
    story.events(order, 2).user = "bob"


def an_acknowledged_change_without_an_event(story: Story, order: str) -> None:
    story.operation(Kind.PATCH, order_id=order, sent={"total_price": "8.00"})


def an_acknowledged_order_that_is_not_there(story: Story, order: str) -> None:
    story.operation(Kind.CREATE, order_id="nowhere")


def two_changes_of_the_same_version(story: Story, order: str) -> None:
    story.change(order, total_price="3.00").if_match = 2
    story.change(order, total_price="4.00").if_match = 2


def a_change_that_began_from_what_was_no_longer_so(story: Story, order: str) -> None:
    story.change(order, total_price="3.00")
    story.final.events[-1].changes["total_price"][0] = "1.00"


def what_was_sent_is_not_what_stands(story: Story, order: str) -> None:
    story.change(order, total_price="3.00").sent = {"total_price": "4.00"}


def an_order_that_differs_from_its_last_event(story: Story, order: str) -> None:
    story.final.orders[order]["total_price"] = "6.00"


def a_key_that_stands_for_two_orders(story: Story, order: str) -> None:
    story.create(key="twice")
    story.create(key="twice")


def an_answer_of_another_key(story: Story, order: str) -> None:
    story.operation(Kind.CREATE, order_id=order, key="other", replayed=True)


def an_answer_that_is_not_the_first(story: Story, order: str) -> None:
    again = story.create(key="again")
    shown = (seen({**story.snapshots[again][1], "total_price": "5.00"}),)
    story.operation(Kind.CREATE, order_id=again, key="again", replayed=True, seen=shown)


def an_order_under_a_key_that_was_not_kept(story: Story, order: str) -> None:
    story.create(key="lost")
    story.final.answers.clear()


def an_answer_without_its_order(story: Story, order: str) -> None:
    story.final.answers.append(StoredAnswer(user="alice", order_id="nowhere", status=201))


def a_refused_change_that_was_made(story: Story, order: str) -> None:
    change = story.change(order, total_price="3.00")
    change.outcome, change.status, change.seen = Outcome.FAILED, 409, ()


def a_version_without_an_event(story: Story, order: str) -> None:
    story.final.orders[order]["version"] = 3


def one_request_and_two_events(story: Story, order: str) -> None:
    story.change(order, total_price="3.00")
    story.record(story.log[-1], order, {}, "order.updated")


def one_version_and_two_events(story: Story, order: str) -> None:
    story.final.events.append(story.final.events[-1])


def a_gap_in_the_sequence(story: Story, order: str) -> None:
    story.final.orders[order]["version"] += 1
    story.change(order, total_price="3.00")


def a_change_that_nobody_sent(story: Story, order: str) -> None:
    story.final.events[-1] = replace(story.final.events[-1], request_id="somebody")


def an_event_of_another_kind(story: Story, order: str) -> None:
    story.final.events[-1] = replace(story.final.events[-1], event="order.created")


def an_event_by_another_user(story: Story, order: str) -> None:
    story.final.events[-1] = replace(story.final.events[-1], user="bob")


def a_deleted_order_that_was_changed(story: Story, order: str) -> None:
    story.change(order, kind=Kind.DELETE, is_deleted=True)
    story.change(order, total_price="3.00")


def a_change_that_brought_an_order_back(story: Story, order: str) -> None:
    story.change(order, kind=Kind.DELETE, is_deleted=True)
    story.change(order, is_deleted=False)


def lines_without_an_order(story: Story, order: str) -> None:
    story.final.positions["nowhere"] = [0]


def an_order_without_lines(story: Story, order: str) -> None:
    del story.final.positions[order]


def events_without_an_order(story: Story, order: str) -> None:
    story.final.events.append(replace(story.final.events[-1], order_id="nowhere"))


def a_logged_change_that_is_not_in_the_history(story: Story, order: str) -> None:
    story.final.status_lines.append((order, "r99"))


def a_change_that_was_logged_twice(story: Story, order: str) -> None:
    story.change(order, status="confirmed")
    story.final.status_lines.append(story.final.status_lines[-1])


def missing_on_the_first_page(story: Story, order: str) -> None:
    newer = story.create()
    story.create("bob")
    story.show(order, page=1)
    assert newer


def missing_on_a_page_that_is_not_full(story: Story, order: str) -> None:
    newer = story.create()
    story.show(newer, page=1, last=True)


def skipped_by_a_walk(story: Story, order: str) -> None:
    newer = story.create()
    story.show(newer, walk=1, ordering="status", last=True)


def visited_twice_by_a_walk(story: Story, order: str) -> None:
    story.show(order, walk=1)
    story.show(order, walk=1, after=True, last=True)


def in_a_list_of_another_status(story: Story, order: str) -> None:
    story.show(order, status="cancelled")


def a_page_out_of_order(story: Story, order: str) -> None:
    newer = story.create()
    story.show(order, newer, page=1)


def a_request_without_an_answer(story: Story, order: str) -> None:
    story.lose(story.read(order))


def an_error_of_the_server(story: Story, order: str) -> None:
    story.operation(Kind.READ, order_id=order, outcome=Outcome.UNKNOWN, status=500)


def refused_although_the_version_stood(story: Story, order: str) -> None:
    story.refuse(order, 412).if_match = 2


def a_history_that_does_not_verify(story: Story, order: str) -> None:
    story.final.complaints.append("the chain of order-1 is broken")


SPOILED: list[tuple[Callable[[Story, str], None], Finding]] = [
    (stale_read, Finding.STALE),
    (stale_list, Finding.STALE),
    (stale_events, Finding.STALE),
    (not_found_although_there, Finding.STALE),
    (deleted_and_still_shown, Finding.STALE),
    (going_back_after_a_reader_saw_more, Finding.STALE),
    (a_state_that_never_was, Finding.NEVER_SO),
    (a_version_that_never_was, Finding.NEVER_SO),
    (another_users_order, Finding.LEAK),
    (another_users_order_in_a_list, Finding.LEAK),
    (another_users_events, Finding.LEAK),
    (an_acknowledged_change_without_an_event, Finding.LOST_WRITE),
    (an_acknowledged_order_that_is_not_there, Finding.LOST_WRITE),
    (two_changes_of_the_same_version, Finding.LOST_UPDATE),
    (a_change_that_began_from_what_was_no_longer_so, Finding.LOST_UPDATE),
    (what_was_sent_is_not_what_stands, Finding.LOST_UPDATE),
    (an_order_that_differs_from_its_last_event, Finding.HISTORY),
    (a_key_that_stands_for_two_orders, Finding.DOUBLED),
    (an_answer_of_another_key, Finding.REPLAY),
    (an_answer_that_is_not_the_first, Finding.REPLAY),
    (an_order_under_a_key_that_was_not_kept, Finding.REPLAY),
    (an_answer_without_its_order, Finding.ORPHAN),
    (a_refused_change_that_was_made, Finding.REFUSED),
    (a_version_without_an_event, Finding.NO_EVENT),
    (one_request_and_two_events, Finding.EVENTS_DOUBLED),
    (one_version_and_two_events, Finding.EVENTS_DOUBLED),
    (a_gap_in_the_sequence, Finding.GAP),
    (a_change_that_nobody_sent, Finding.UNEXPLAINED),
    (an_event_of_another_kind, Finding.UNEXPLAINED),
    (an_event_by_another_user, Finding.HISTORY),
    (a_deleted_order_that_was_changed, Finding.RESURRECTED),
    (a_change_that_brought_an_order_back, Finding.RESURRECTED),
    (lines_without_an_order, Finding.ORPHAN),
    (an_order_without_lines, Finding.ORPHAN),
    (events_without_an_order, Finding.ORPHAN),
    (a_logged_change_that_is_not_in_the_history, Finding.LOG),
    (a_change_that_was_logged_twice, Finding.LOG),
    (missing_on_the_first_page, Finding.MISSING),
    (missing_on_a_page_that_is_not_full, Finding.MISSING),
    (skipped_by_a_walk, Finding.MISSING),
    (visited_twice_by_a_walk, Finding.TWICE),
    (in_a_list_of_another_status, Finding.MISPLACED),
    (a_page_out_of_order, Finding.MISPLACED),
    (a_request_without_an_answer, Finding.UNANSWERED),
    (an_error_of_the_server, Finding.UNEXPECTED),
    (refused_although_the_version_stood, Finding.UNEXPECTED),
    (a_history_that_does_not_verify, Finding.TAMPERED),
]


@pytest.mark.parametrize(
    ("spoil", "kind"), SPOILED, ids=[spoil.__name__.replace("_", " ") for spoil, _ in SPOILED]
)
def test_it_finds(spoil: Callable[[Story, str], None], kind: Finding) -> None:
    """In each story alice has an order at version 2 when it goes wrong."""
    story = Story()
    order = story.create()
    story.change(order, total_price="2.00")
    assert story.findings() == set()
    spoil(story, order)
    assert kind in story.findings()


def test_every_kind_of_finding_is_found_by_some_story() -> None:
    assert {kind for _, kind in SPOILED} == set(Finding)
