"""heads/mqtt/parked.py"""

from ironhub.core.ids import identity
from ironhub.heads.mqtt.parked import MAX_BYTES, MAX_IDENTITIES, MAX_PER_IDENTITY, ParkedReplies, Reply

PRESS = identity("press-7")
OVEN = identity("oven-1")


def test_replies_come_back_in_order_and_once() -> None:
    parked = ParkedReplies()
    for number in range(3):
        parked.park(PRESS, Reply(f"t{number}", b""))
    assert [reply.topic for reply in parked.take(PRESS)] == ["t0", "t1", "t2"]
    assert parked.take(PRESS) == []


def test_an_identity_keeps_only_its_newest_replies() -> None:
    parked = ParkedReplies()
    for number in range(MAX_PER_IDENTITY + 2):
        parked.park(PRESS, Reply(f"t{number}", b""))
    assert next(reply.topic for reply in parked.take(PRESS)) == "t2"


def test_the_oldest_identity_makes_room_when_all_together_are_too_large() -> None:
    parked = ParkedReplies()
    parked.park(PRESS, Reply("t", bytes(MAX_BYTES // 2)))
    parked.park(OVEN, Reply("t", bytes(MAX_BYTES // 2)))
    assert parked.take(PRESS) == []
    assert len(parked.take(OVEN)) == 1


def test_commands_that_were_sent_are_remembered_once() -> None:
    parked = ParkedReplies()
    parked.remember_sent(PRESS, {1, 2})
    parked.remember_sent(OVEN, set())
    assert parked.take_sent(PRESS) == {1, 2}
    assert parked.take_sent(PRESS) == set()
    assert parked.take_sent(OVEN) == set()


def test_no_more_identities_are_remembered_than_fit() -> None:
    parked = ParkedReplies()
    for number in range(MAX_IDENTITIES + 1):
        parked.remember_sent(identity(f"d{number}"), {1})
    assert parked.take_sent(identity("d0")) == set()
    assert parked.take_sent(identity("d1")) == {1}
