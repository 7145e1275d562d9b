"""app/waiting.py"""

from tests.fakes.clock import FakeClock

from ironhub.app.waiting import wait_until


def test_what_is_ready_is_not_waited_for() -> None:
    assert wait_until(lambda: True, 0.0, FakeClock())


def test_patience_ends() -> None:
    clock = FakeClock()
    looks = 0

    def look() -> bool:
        nonlocal looks
        looks += 1
        clock.advance(1.0)
        return False

    assert not wait_until(look, 2.0, clock)
    assert looks == 2


def test_something_may_become_ready_while_it_is_waited_for() -> None:
    answers = iter([False, True])
    assert wait_until(lambda: next(answers), 5.0, FakeClock())
