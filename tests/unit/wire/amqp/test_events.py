from tests.fakes.amqp_engine import EngineClient, message

from ironhub.wire.amqp.events import Delivered, Outcome, SaslInit, Settled


def test_no_repr_shows_a_secret_or_a_payload() -> None:
    assert "hunter2" not in repr(SaslInit("PLAIN", b"\0me\0hunter2", "hub"))
    client = EngineClient.opened()
    client.sender()
    assert "hunter2" not in repr(client.say(message(0, b"hunter2")))


def test_the_outcomes_are_those_of_the_standard() -> None:
    """[3.4]"""
    assert [int(outcome) for outcome in Outcome] == [0x24, 0x25, 0x26, 0x27]


def test_a_verdict_says_little_where_there_is_little_to_say() -> None:
    link = EngineClient.opened().receiver()
    verdict = Settled(link, b"t", Outcome.ACCEPTED)
    assert verdict == Settled(link, b"t", 0x24, None, False, False)


def test_equal_deliveries_of_one_link_are_the_same_event() -> None:
    client = EngineClient.opened()
    link = client.sender()
    (event,) = client.say(message(0, b"x"))
    assert isinstance(event, Delivered)
    assert event == Delivered(link, event.delivery)
