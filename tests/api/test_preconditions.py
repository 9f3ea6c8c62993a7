"""`ETag`, `If-None-Match` and `If-Match` on orders."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.callers import ORDERS, Caller, path_of
from tests.factories import body, line

STALE = '"0123456789abcdef0123456789abcdef"'


def tag_of(answer: TestResponse) -> str:
    tag: str = answer.headers["ETag"]
    assert tag.startswith('"')
    assert tag.endswith('"')
    return tag


class TestTags:
    def test_every_answer_that_is_an_order_has_the_tag_of_what_a_read_gives(
        self, alice: Caller, admin: Caller
    ) -> None:
        made = alice.post(ORDERS, body())
        place = made.headers["Location"]
        assert tag_of(made) == tag_of(alice.get(place))
        changed = alice.patch(place, {"status": "confirmed"})
        assert tag_of(changed) == tag_of(alice.get(place)) != tag_of(made)
        replaced = alice.put(place, body(products=[line(name="other")]))
        assert tag_of(replaced) == tag_of(alice.get(place)) != tag_of(changed)
        assert alice.delete(place).status_code == 204
        assert tag_of(admin.post(f"{place}restore/")) == tag_of(admin.get(place))

    def test_it_is_over_the_whole_answer(self, alice: Caller, admin: Caller) -> None:
        place = path_of(alice.order(status="confirmed"))
        assert alice.get(place).get_json() != admin.get(place).get_json()
        assert tag_of(alice.get(place)) != tag_of(admin.get(place))

    def test_a_request_that_changes_nothing_leaves_it(self, alice: Caller) -> None:
        order = alice.order()
        before = tag_of(alice.get(path_of(order)))
        assert tag_of(alice.put(path_of(order), order)) == before

    def test_a_page_has_another_tag_when_the_pages_around_it_change(self, alice: Caller) -> None:
        alice.order()
        first = alice.get(f"{ORDERS}?ordering=created_at&page_size=1")
        alice.order()
        again = alice.get(f"{ORDERS}?ordering=created_at&page_size=1")
        assert first.get_json() == again.get_json()
        assert tag_of(first) != tag_of(again)


class TestIfNoneMatch:
    @pytest.mark.parametrize("form", ["{}", "W/{}", f"{STALE}, {{}}", "*"])
    def test_what_the_client_has_is_not_sent_again(self, alice: Caller, form: str) -> None:
        for place in (path_of(alice.order()), ORDERS):
            known = tag_of(alice.get(place))
            answer = alice.get(place, headers={"If-None-Match": form.format(known)})
            assert (answer.status_code, answer.data) == (304, b"")
            assert tag_of(answer) == known
            assert answer.headers["Cache-Status"] == "orders; hit"

    def test_another_tag_gets_the_answer(self, alice: Caller) -> None:
        place = path_of(alice.order())
        assert alice.get(place, headers={"If-None-Match": STALE}).status_code == 200

    def test_a_change_ends_it(self, alice: Caller) -> None:
        place = path_of(alice.order())
        known = tag_of(alice.get(place))
        alice.patch(place, {"status": "confirmed"})
        assert alice.get(place, headers={"If-None-Match": known}).status_code == 200

    def test_it_tells_a_stranger_nothing(self, alice: Caller, bob: Caller) -> None:
        place = path_of(alice.order())
        known = tag_of(alice.get(place))
        for offered in (known, "*"):
            assert bob.get(place, headers={"If-None-Match": offered}).status_code == 404


class TestIfMatch:
    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    def test_what_was_seen_may_be_changed_once(self, alice: Caller, method: str) -> None:
        order = alice.order()
        place = path_of(order)
        seen = tag_of(alice.get(place))
        more: dict[str, Any] = {} if method == "DELETE" else {"body": body(products=[line(name="new")])}
        assert alice(method, place, headers={"If-Match": STALE}, **more).status_code == 412
        assert alice.get(place).get_json() == order
        assert alice(method, place, headers={"If-Match": seen}, **more).status_code in {200, 204}
        assert alice(method, place, headers={"If-Match": seen}, **more).status_code in {412, 404}

    def test_the_answer_says_what_stands_now(self, alice: Caller) -> None:
        place = path_of(alice.order())
        alice.patch(place, {"status": "confirmed"})
        problem = alice.patch(place, {"status": "cancelled"}, headers={"If-Match": STALE}).get_json()
        assert (problem["code"], problem["current_version"]) == ("precondition_failed", 2)

    @pytest.mark.parametrize(
        ("form", "status"), [("{}", 200), (f"{STALE}, {{}}", 200), ("*", 200), ("W/{}", 412), ("", 412)]
    )
    def test_tags_are_compared_strongly(self, alice: Caller, form: str, status: int) -> None:
        place = path_of(alice.order())
        given = form.format(tag_of(alice.get(place)))
        answer = alice.patch(place, {"status": "confirmed"}, headers={"If-Match": given})
        assert answer.status_code == status

    def test_what_is_not_there_stays_a_404(self, alice: Caller, bob: Caller) -> None:
        for place in (path_of(alice.order()), f"{ORDERS}{uuid4()}/"):
            answer = bob.patch(place, {"status": "confirmed"}, headers={"If-Match": STALE})
            assert answer.status_code == 404

    def test_of_many_who_saw_the_same_one_gets_through(self, alice: Caller, app: Flask) -> None:
        place = path_of(alice.order())
        seen = tag_of(alice.get(place))

        def change(number: int) -> int:
            changes = {"total_price": f"{number}.00"}
            return alice.patch(place, changes, headers={"If-Match": seen}).status_code

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(change, range(1, 25)))
        assert sorted(answers) == [200] + [412] * 23
        assert alice.get(place).get_json()["version"] == 2


class TestDemanded:
    """`REQUIRE_IF_MATCH`: no change without having seen what is changed."""

    def test_a_change_without_it_is_refused(self, app: Flask, make_app: Callable[..., Flask]) -> None:
        careful = Caller.by_token(make_app(require_if_match=True), "alice")
        place = path_of(careful.order())
        for method, more in (
            ("PUT", {"body": body()}),
            ("PATCH", {"body": {"status": "confirmed"}}),
            ("DELETE", {}),
        ):
            answer = careful(method, place, **more)
            assert (answer.status_code, answer.get_json()["code"]) == (428, "precondition_required")
        seen = tag_of(careful.get(place))
        assert careful.delete(place, headers={"If-Match": seen}).status_code == 204
