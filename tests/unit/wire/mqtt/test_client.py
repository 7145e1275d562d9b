"""Tests of wire/mqtt/client.py, against packets written by hand."""

import pytest
from tests.fakes import mqtt_packets as raw

from ironhub.wire.mqtt.client import Accepted, ClientLimits, ClientSession, ClientState, Refused, Subscribed
from ironhub.wire.mqtt.errors import UsageError
from ironhub.wire.mqtt.events import Acknowledged, Closed
from ironhub.wire.mqtt.packets import LEVEL_5, Connect, Publish
from ironhub.wire.mqtt.reasons import ReasonCode

LIMITS = ClientLimits(send_window=2, receive_window=2)
CONNECT = Connect("press-7", username="hub/press-7", password=b"secret", keep_alive=60)


def opened(keep_alive: int = 60) -> ClientSession:
    """A session that was accepted at 0.0; what it had to send is gone."""
    session = ClientSession(Connect("press-7", keep_alive=keep_alive), LIMITS, 0.0)
    session.to_send()
    assert session.receive(raw.CONNACK_ACCEPTED) == [Accepted(session_present=False)]
    return session


def test_the_first_packet_is_the_connect() -> None:
    session = ClientSession(CONNECT, LIMITS, 0.0)
    assert session.to_send() == raw.connect("press-7", username="hub/press-7", password=b"secret")
    assert session.to_send() == b""
    assert session.state is ClientState.AWAITING_CONNACK
    assert not session.can_publish


def test_another_level_is_the_callers_mistake() -> None:
    with pytest.raises(UsageError):
        ClientSession(Connect("d", LEVEL_5), LIMITS, 0.0)


def test_a_refusal_is_the_last_word() -> None:
    session = ClientSession(CONNECT, LIMITS, 0.0)
    assert session.receive(b"\x20\x02\x00\x05" + raw.publish("a")) == [Refused(5)]
    assert session.state is ClientState.CLOSED
    assert session.next_timeout is None
    assert session.receive(raw.PINGRESP) == []


def test_a_server_that_never_answers_the_connect_is_given_up() -> None:
    session = ClientSession(CONNECT, LIMITS, 100.0)
    assert session.next_timeout == 130.0
    assert session.on_timeout(129.9) == []
    (event,) = session.on_timeout(130.0)
    assert isinstance(event, Closed)
    assert event.code == ReasonCode.KEEP_ALIVE_TIMEOUT
    assert session.on_timeout(1000.0) == []


def test_a_publish_is_acknowledged_by_its_id_and_the_window_bounds_how_many_wait() -> None:
    session = opened()
    assert [session.publish("t", b"x", 1, 1.0) for _ in range(2)] == [1, 2]
    assert session.to_send() == raw.publish("t", b"x", qos=1) + raw.publish("t", b"x", qos=1, packet_id=2)
    assert (session.can_publish, session.in_flight) == (False, 2)
    with pytest.raises(UsageError):
        session.publish("t", b"x", 1, 1.0)
    assert session.receive(raw.puback(2)) == [Acknowledged(2)]
    assert session.receive(raw.puback(2)) == []
    assert session.can_publish
    assert session.publish("t", b"x", 0, 1.0) == 0


@pytest.mark.parametrize(("topic", "qos"), [("", 1), ("a/#", 1), ("a/+", 0), ("a", 2)])
def test_what_is_no_message_is_not_sent(topic: str, qos: int) -> None:
    session = opened()
    with pytest.raises(UsageError):
        session.publish(topic, b"", qos, 0.0)
    assert (session.to_send(), session.in_flight) == (b"", 0)


def test_subscriptions_are_answered_filter_by_filter() -> None:
    session = opened()
    assert session.subscribe(("a/#", "b"), 1) == 1
    assert session.to_send() == raw.subscribe(1, ("a/#", 1), ("b", 1))
    assert session.receive(raw.suback(9, b"\x00")) == []
    assert session.receive(raw.suback(1, b"\x01\x80")) == [Subscribed(1, b"\x01\x80")]


def test_messages_are_acknowledged_in_the_order_they_came() -> None:
    session = opened()
    first, second = (raw.publish("a", b"x", qos=1, packet_id=packet_id) for packet_id in (7, 8))
    assert session.receive(first + second) == [Publish("a", b"x", 1, 7), Publish("a", b"x", 1, 8)]
    session.acknowledge(8)
    assert session.to_send() == b""
    session.acknowledge(7)
    assert session.to_send() == raw.puback(7) + raw.puback(8)
    with pytest.raises(UsageError):
        session.acknowledge(7)


def test_a_server_that_does_not_wait_for_acknowledgements_is_left() -> None:
    session = opened()
    events = session.receive(b"".join(raw.publish("a", qos=1, packet_id=packet_id) for packet_id in (1, 2, 3)))
    assert [type(event) for event in events] == [Publish, Publish, Closed]
    session.acknowledge(1)
    assert session.to_send() == b""


def test_a_silent_client_pings_and_a_silent_server_is_given_up() -> None:
    """[MQTT-3.1.2-23]"""
    session = opened()
    session.publish("t", b"", 0, 10.0)
    session.to_send()
    assert session.next_timeout == 70.0
    assert session.on_timeout(69.0) == []
    assert session.on_timeout(70.0) == []
    assert session.to_send() == raw.PINGREQ
    assert session.next_timeout == 100.0
    assert session.receive(raw.PINGRESP) == []
    assert session.next_timeout == 130.0
    session.on_timeout(130.0)
    assert isinstance(session.on_timeout(160.0)[0], Closed)


def test_without_a_keep_alive_nobody_is_in_a_hurry() -> None:
    session = opened(keep_alive=0)
    assert session.next_timeout is None
    assert session.on_timeout(1e9) == []


@pytest.mark.parametrize(
    "packet",
    [
        raw.CONNACK_ACCEPTED,
        raw.PINGREQ,
        raw.subscribe(1, ("a", 0)),
        raw.connect("d"),
        raw.publish("a", qos=2),
        b"\xf0\x00",
    ],
)
def test_what_no_server_may_send_ends_the_session(packet: bytes) -> None:
    session = opened()
    events = session.receive(raw.publish("a", b"x") + packet + raw.publish("b"))
    assert events[0] == Publish("a", b"x")
    assert isinstance(events[1], Closed)
    assert len(events) == 2
    assert session.state is ClientState.CLOSED


def test_a_client_takes_leave_once() -> None:
    session = opened()
    session.disconnect()
    assert session.to_send() == raw.DISCONNECT
    session.disconnect()
    assert session.to_send() == b""
    with pytest.raises(UsageError):
        session.publish("a", b"", 0, 0.0)
