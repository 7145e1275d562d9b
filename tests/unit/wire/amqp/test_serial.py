import pytest

from ironhub.wire.amqp.serial import distance, remaining


@pytest.mark.parametrize(
    ("first", "second", "steps"),
    [(0, 0, 0), (1, 5, 4), (0xFFFF_FFFF, 2, 3), (5, 1, -1), (2, 0xFFFF_FFFF, -1), (0, 0x8000_0000, -1)],
)
def test_a_distance_goes_forward_over_the_end_of_the_numbers(first: int, second: int, steps: int) -> None:
    assert distance(first, second) == steps


@pytest.mark.parametrize(
    ("granted", "seen", "done", "left"),
    [
        (10, 0, 0, 10),
        (10, 0, 4, 6),
        (10, 0, 10, 0),
        (10, 0, 11, 0),
        (0xFFFF_FFFF, 5, 9, 0xFFFF_FFFB),
        (10, 0xFFFF_FFFE, 3, 5),
    ],
)
def test_what_was_sent_since_a_grant_is_taken_off_it(granted: int, seen: int, done: int, left: int) -> None:
    assert remaining(granted, seen, done) == left


def test_a_peer_that_counts_what_never_was_is_believed_in_what_it_grants() -> None:
    assert remaining(10, 7, 3) == 10
