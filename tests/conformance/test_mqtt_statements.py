"""Each normative statement on what a server reads, by vectors; what it must *do* is told by name below them."""

import pytest
from tests.conformance.mqtt_vectors import VECTORS, Vector
from tests.fakes import mqtt_packets as raw

from ironhub.wire.mqtt import Closed, ServerSession, SessionLimits, State


def outcome(vector: Vector) -> ServerSession:
    """The session after it read the vector."""
    session = ServerSession(SessionLimits(), 0.0)
    if not vector.first:
        session.receive(raw.connect("d", level=vector.level), 0.0)
        session.accept(False, None, 0.0)
        session.to_send()
    events = session.receive(vector.data, 0.0)
    assert (session.state is State.CLOSED) == any(isinstance(event, Closed) for event in events)
    return session


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.id)
def test_a_statement_is_obeyed(vector: Vector) -> None:
    session = outcome(vector)
    if not vector.good:
        assert session.state is State.CLOSED
    elif vector.first:
        assert session.state is State.AWAITING_VERDICT
    else:
        assert session.state is State.OPEN


def test_the_bad_vectors_outnumber_the_good_and_no_two_are_the_same() -> None:
    assert sum(not vector.good for vector in VECTORS) > 2 * sum(vector.good for vector in VECTORS)
    assert len({(vector.data, vector.level, vector.first) for vector in VECTORS}) > 0.95 * len(VECTORS)


def opened(level: int = 4) -> ServerSession:
    """A session accepted at 0.0 with keep-alive 60."""
    session = ServerSession(SessionLimits(), 0.0)
    session.receive(raw.connect("d", level=level), 0.0)
    session.accept(False, None, 0.0)
    session.to_send()
    return session


def test_mqtt_3_1_2_2_an_unknown_level_gets_return_code_1_before_the_end() -> None:
    session = ServerSession(SessionLimits(), 0.0)
    session.receive(raw.connect("d", level=7), 0.0)
    assert session.to_send() == b"\x20\x02\x00\x01"


def test_mqtt_3_1_2_24_silence_of_one_and_a_half_keep_alive_ends_the_session() -> None:
    session = opened()
    session.receive(raw.PINGREQ, 1.0)
    assert session.on_timeout(90.99) == []
    assert session.on_timeout(91.0) != []


def test_mqtt_3_1_3_8_no_id_and_no_clean_session_gets_return_code_2() -> None:
    session = ServerSession(SessionLimits(), 0.0)
    session.receive(raw.connect("", clean=False), 0.0)
    assert session.to_send() == b"\x20\x02\x00\x02"


def test_mqtt_3_1_4_5_what_follows_a_refused_connect_is_not_processed() -> None:
    session = ServerSession(SessionLimits(), 0.0)
    session.receive(raw.connect("d") + raw.publish("a"), 0.0)
    session.refuse(5)
    assert session.receive(raw.publish("a"), 0.0) == []
    assert session.to_send() == b"\x20\x02\x00\x05"


def test_mqtt_3_2_0_1_connack_is_the_first_packet_a_client_gets() -> None:
    session = ServerSession(SessionLimits(), 0.0)
    session.receive(raw.connect("d") + raw.PINGREQ, 0.0)
    session.accept(False, None, 0.0)
    assert session.to_send() == raw.CONNACK_ACCEPTED + raw.PINGRESP


def test_mqtt_3_3_4_1_a_publish_with_qos_1_is_answered_by_its_own_id() -> None:
    session = opened()
    session.receive(raw.publish("a", qos=1, packet_id=0x1234), 0.0)
    session.acknowledge(0x1234)
    assert session.to_send() == raw.puback(0x1234)


def test_mqtt_3_8_4_2_suback_has_the_id_of_its_subscribe() -> None:
    session = opened()
    session.receive(raw.subscribe(0x1234, ("a", 0)), 0.0)
    session.suback(0x1234, b"\x00")
    assert session.to_send() == raw.suback(0x1234, b"\x00")


def test_mqtt_3_10_4_4_unsuback_has_the_id_of_its_unsubscribe() -> None:
    session = opened()
    session.receive(raw.unsubscribe(0x1234, "a"), 0.0)
    session.unsuback(0x1234)
    assert session.to_send() == b"\xb0\x02\x12\x34"


def test_mqtt_3_12_4_1_a_ping_is_answered() -> None:
    session = opened()
    session.receive(raw.PINGREQ * 2, 0.0)
    assert session.to_send() == raw.PINGRESP * 2


def test_mqtt_3_14_4_2_nothing_is_heard_after_disconnect() -> None:
    session = opened()
    assert len(session.receive(raw.DISCONNECT + raw.publish("a"), 0.0)) == 1


def test_mqtt_4_6_0_2_pubacks_leave_in_the_order_of_the_publishes() -> None:
    session = opened()
    session.receive(raw.publish("a", qos=1, packet_id=2) + raw.publish("a", qos=1, packet_id=1), 0.0)
    session.acknowledge(1)
    session.acknowledge(2)
    assert session.to_send() == raw.puback(2) + raw.puback(1)


def test_mqtt_4_6_0_6_messages_leave_in_the_order_we_publish() -> None:
    session = opened()
    for payload in (b"1", b"2", b"3"):
        session.publish("a", payload)
    assert session.to_send() == b"".join(raw.publish("a", payload) for payload in (b"1", b"2", b"3"))


def test_section_4_13_1_of_mqtt_5_a_client_hears_why() -> None:
    session = opened(level=5)
    session.receive(b"\x00\x00", 0.0)
    assert session.to_send() == b"\xe0\x01\x81"
