"""What keeps a server that is gone from slowing every request."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from orders_app.http.breaker import LONGEST_TRY_SECONDS, Breaker


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_after_a_while_one_caller_may_try() -> None:
    clock = Clock()
    breaker = Breaker(seconds=5, clock=clock)
    assert breaker.trip() is True
    seen = []
    for seconds in (0, 4.9, 0.2, 10):
        clock.now += seconds
        seen.append((breaker.is_open, breaker.may_try()))
    assert seen == [(True, False), (True, False), (True, True), (True, False)]
    assert breaker.close() is True
    assert (breaker.is_open, breaker.may_try()) == (False, False)


def test_a_failed_try_begins_the_while_anew() -> None:
    clock = Clock()
    breaker = Breaker(seconds=5, clock=clock)
    breaker.trip()
    clock.now += 6
    assert breaker.may_try()
    assert breaker.trip() is False, "it was open already"
    assert not breaker.may_try()
    clock.now += 6
    assert breaker.may_try()


def test_of_many_who_would_like_to_try_one_does() -> None:
    clock = Clock()
    breaker = Breaker(seconds=5, clock=clock)
    breaker.trip()
    clock.now += 6
    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(lambda _: breaker.may_try(), range(200))) == 1


def test_of_whom_nothing_is_heard_another_one_takes_the_place() -> None:
    clock = Clock()
    breaker = Breaker(seconds=5, clock=clock)
    breaker.trip()
    clock.now += 6
    assert breaker.may_try()
    clock.now += LONGEST_TRY_SECONDS - 1
    assert not breaker.may_try()
    clock.now += 2
    assert breaker.may_try()
    assert not breaker.may_try()
