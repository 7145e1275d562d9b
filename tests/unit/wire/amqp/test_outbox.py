from ironhub.wire.amqp.frames import MIN_MAX_FRAME
from ironhub.wire.amqp.outbox import Outbox


def test_what_is_appended_is_taken_once_and_in_order() -> None:
    out = Outbox()
    out.data += b"head"
    out.frame(258, b"body")
    assert out.take() == b"head\x00\x00\x00\x0c\x02\x00\x01\x02body"
    assert out.take() == b""


def test_until_the_peer_says_more_it_takes_the_least_there_is() -> None:
    assert Outbox().max_frame == MIN_MAX_FRAME
