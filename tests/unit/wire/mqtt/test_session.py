import pytest
from tests.fakes import mqtt_packets as raw

from ironhub.wire.mqtt.encode import encode_packet
from ironhub.wire.mqtt.errors import PacketTooLarge, UsageError
from ironhub.wire.mqtt.events import Acknowledged, Closed, Event
from ironhub.wire.mqtt.limits import SessionLimits
from ironhub.wire.mqtt.packets import (
    Ack,
    Connack,
    Connect,
    Disconnect,
    Packet,
    PacketType,
    Pingreq,
    Publish,
    Suback,
    Subscribe,
    Subscription,
    Unsubscribe,
)
from ironhub.wire.mqtt.properties import Properties, Property
from ironhub.wire.mqtt.reasons import ReasonCode
from ironhub.wire.mqtt.session import ServerSession
from ironhub.wire.mqtt.states import State
from ironhub.wire.mqtt.stream import PacketStream

LIMITS = SessionLimits()


def open_session(
    limits: SessionLimits = LIMITS, *, keep_alive: int = 60, level: int = 4, properties: Properties = ()
) -> ServerSession:
    """A session whose CONNECT came and was accepted at 0.0; what it had to send is gone."""
    session = ServerSession(limits, 0.0)
    connect = Connect("press-7", level, keep_alive=keep_alive, properties=properties)
    assert session.receive(encode_packet(connect, level), 0.0) == [connect]
    assert session.accept(False, None, 0.0) == []
    session.to_send()
    return session


def sent(session: ServerSession) -> list[Packet]:
    """The packets the session has to send."""
    packets: list[Packet] = []
    PacketStream(1 << 28, level=session.level).feed(session.to_send(), packets)
    return packets


def closed_with(events: list[Event]) -> int:
    """The code of the Closed event that ends `events`."""
    assert isinstance(events[-1], Closed)
    return events[-1].code


# From the first byte to the verdict


def test_a_stranger_has_a_bounded_time_that_dripping_does_not_lengthen() -> None:
    session = ServerSession(LIMITS, 100.0)
    for index, byte in enumerate(raw.connect("d")[:-1]):
        assert session.receive(bytes([byte]), 100.0 + index / 2) == []
        assert session.next_timeout == 110.0
    assert session.on_timeout(109.9) == []
    assert closed_with(session.on_timeout(110.0)) == ReasonCode.KEEP_ALIVE_TIMEOUT
    assert session.state is State.CLOSED
    assert session.to_send() == b""
    assert session.next_timeout is None


def test_a_stranger_has_a_smaller_packet_limit_than_a_client() -> None:
    username = "u" * 20_000
    refused = ServerSession(LIMITS, 0.0).receive(raw.connect("d", username=username)[:5], 0.0)
    assert closed_with(refused) == ReasonCode.PACKET_TOO_LARGE
    session = open_session()
    assert session.receive(raw.publish("a", b"x" * 262_144), 1.0) == [Publish("a", b"x" * 262_144)]
    assert closed_with(session.receive(b"\x30\xff\xff\xff\x7f", 1.0)) == ReasonCode.PACKET_TOO_LARGE


def test_the_verdict_waits_for_us_alone() -> None:
    session = ServerSession(LIMITS, 0.0)
    assert session.receive(raw.connect("d"), 5.0) == [Connect("d", keep_alive=60)]
    assert session.state is State.AWAITING_VERDICT
    assert session.next_timeout is None
    assert session.on_timeout(1e9) == []
    assert session.to_send() == b""
    assert session.wants_input


def test_accepting_answers_and_starts_the_keep_alive() -> None:
    session = ServerSession(LIMITS, 0.0)
    session.receive(raw.connect("d"), 5.0)
    assert session.accept(False, None, 8.0) == []
    assert session.to_send() == b"\x20\x02\x00\x00"
    assert session.to_send() == b""
    assert session.next_timeout == 98.0


def test_a_kept_session_is_announced_to_those_who_can_have_one() -> None:
    """[MQTT-3.2.2-1] [MQTT-3.2.2-2]"""
    session = ServerSession(LIMITS, 0.0)
    session.receive(raw.connect("d", clean=False), 0.0)
    session.accept(True, None, 0.0)
    assert session.to_send() == b"\x20\x02\x01\x00"
    session = ServerSession(LIMITS, 0.0)
    session.receive(raw.connect("d"), 0.0)
    with pytest.raises(UsageError):
        session.accept(True, None, 0.0)
    session.accept(False, None, 0.0)
    assert session.to_send() == raw.CONNACK_ACCEPTED


def test_our_keep_alive_replaces_the_clients() -> None:
    session = ServerSession(LIMITS, 0.0)
    session.receive(raw.connect("d", keep_alive=60), 0.0)
    session.accept(False, 10, 0.0)
    assert session.next_timeout == 15.0


@pytest.mark.parametrize(
    ("level", "code", "answer"),
    [
        (4, 5, "20020005"),
        (4, ReasonCode.NOT_AUTHORIZED, "20020005"),
        (4, ReasonCode.SERVER_UNAVAILABLE, "20020003"),
        (5, 5, "2003008700"),
        (5, ReasonCode.UNSUPPORTED_PROTOCOL_VERSION, "2003008400"),
    ],
)
def test_a_refusal_is_said_in_the_clients_own_numbers(level: int, code: int, answer: str) -> None:
    session = ServerSession(LIMITS, 0.0)
    session.receive(raw.connect("d", level=level), 0.0)
    session.refuse(code)
    assert session.to_send() == bytes.fromhex(answer)
    assert session.state is State.CLOSED


@pytest.mark.parametrize("code", [0, 6, 0x10, 0x8D, 0xFF])
def test_what_is_no_refusal_changes_nothing(code: int) -> None:
    session = ServerSession(LIMITS, 0.0)
    session.receive(raw.connect("d", level=5), 0.0)
    with pytest.raises(UsageError):
        session.refuse(code)
    assert session.state is State.AWAITING_VERDICT


def test_there_is_one_verdict() -> None:
    session = open_session()
    with pytest.raises(UsageError):
        session.accept(False, None, 0.0)
    with pytest.raises(UsageError):
        session.refuse(5)
    with pytest.raises(UsageError):
        ServerSession(LIMITS, 0.0).accept(False, None, 0.0)


def test_what_comes_before_the_verdict_waits_and_is_handed_out_in_order() -> None:
    session = ServerSession(LIMITS, 0.0)
    waiting = raw.subscribe(1, ("a", 1)) + raw.publish("b", b"x", qos=1, packet_id=2) + raw.PINGREQ
    assert len(session.receive(raw.connect("d") + waiting[:7], 0.0)) == 1
    assert not session.wants_input
    assert session.receive(waiting[7:], 0.0) == []
    assert session.accept(False, None, 0.0) == [Subscribe(1, (Subscription("a", 1),)), Publish("b", b"x", 1, 2)]
    assert session.to_send() == raw.CONNACK_ACCEPTED + raw.PINGRESP
    assert session.wants_input


def test_what_waits_for_the_verdict_is_bounded() -> None:
    limits = SessionLimits(max_inbox=100)
    session = ServerSession(limits, 0.0)
    session.receive(raw.connect("d"), 0.0)
    assert session.receive(bytes(100), 0.0) == []
    assert closed_with(session.receive(b"\x00", 0.0)) == ReasonCode.QUOTA_EXCEEDED
    assert session.accept(False, None, 0.0) == []
    session.refuse(5)
    assert session.to_send() == b""


def test_a_violation_that_waited_comes_out_with_the_verdict() -> None:
    session = ServerSession(LIMITS, 0.0)
    session.receive(raw.connect("d") + raw.publish("a") + b"\x00\x00", 0.0)
    events = session.accept(False, None, 0.0)
    assert events[0] == Publish("a", b"")
    assert closed_with(events) == ReasonCode.MALFORMED_PACKET


def test_an_unknown_level_is_answered_and_another_protocol_is_not() -> None:
    """[MQTT-3.1.2-1] [MQTT-3.1.2-2]"""
    session = ServerSession(LIMITS, 0.0)
    assert closed_with(session.receive(raw.connect("d", level=6), 0.0)) == ReasonCode.UNSUPPORTED_PROTOCOL_VERSION
    assert session.to_send() == b"\x20\x02\x00\x01"
    session = ServerSession(LIMITS, 0.0)
    session.receive(raw.connect("d", name="AMQP"), 0.0)
    assert session.to_send() == b""


def test_level_3_is_read_like_3_1_1() -> None:
    session = ServerSession(LIMITS, 0.0)
    (connect,) = session.receive(raw.connect("d", level=3, name="MQIsdp"), 0.0)
    assert isinstance(connect, Connect)
    assert connect.level == session.level == 3
    session.accept(False, None, 0.0)
    assert session.to_send() == raw.CONNACK_ACCEPTED


def test_a_client_without_an_id_is_refused_unless_its_session_is_clean() -> None:
    """[MQTT-3.1.3-8]"""
    session = ServerSession(LIMITS, 0.0)
    events = session.receive(raw.connect("", clean=False), 0.0)
    assert closed_with(events) == ReasonCode.CLIENT_IDENTIFIER_NOT_VALID
    assert len(events) == 1
    assert session.to_send() == b"\x20\x02\x00\x02"


# While open


@pytest.mark.parametrize("name", raw.MALFORMED)
def test_a_malformed_packet_ends_the_session_and_nothing_else(name: str) -> None:
    session = open_session()
    events = session.receive(raw.publish("a") + raw.MALFORMED[name] + raw.publish("b"), 1.0)
    assert events[0] == Publish("a", b"")
    assert isinstance(events[1], Closed)
    assert len(events) == 2
    assert session.state is State.CLOSED
    assert session.receive(raw.publish("c"), 1.0) == []
    assert session.to_send() == b""


@pytest.mark.parametrize("name", raw.MALFORMED_CONNECTS)
def test_a_malformed_connect_never_reaches_us(name: str) -> None:
    session = ServerSession(LIMITS, 0.0)
    (event,) = session.receive(raw.MALFORMED_CONNECTS[name], 1.0)
    assert isinstance(event, Closed)
    assert session.state is State.CLOSED


def test_publishes_are_acknowledged_when_we_say_so_in_their_order() -> None:
    """[MQTT-4.6.0-2] [MQTT-3.3.4-1]"""
    session = open_session()
    stream = b"".join(raw.publish("a", qos=1, packet_id=packet_id) for packet_id in (3, 1, 2, 9))
    events = session.receive(stream + raw.publish("a"), 1.0)
    assert len(events) == 5
    assert session.unacknowledged == 4
    session.acknowledge(2)
    assert session.to_send() == b""
    session.acknowledge_first(2)
    assert session.to_send() == raw.puback(3) + raw.puback(1) + raw.puback(2)
    session.acknowledge(9)
    assert session.to_send() == raw.puback(9)
    assert session.unacknowledged == 0


def test_an_acknowledgement_nobody_waits_for_is_our_mistake() -> None:
    session = open_session()
    session.receive(raw.publish("a", qos=1, packet_id=1), 1.0)
    for packet_id, code in ((2, 0), (1, 1)):
        with pytest.raises(UsageError):
            session.acknowledge(packet_id, code)
    with pytest.raises(UsageError):
        session.acknowledge_first(2)


def test_reading_stops_while_too_much_waits() -> None:
    session = open_session(SessionLimits(receive_window=2))
    wants = []
    for packet_id in (1, 2):
        session.receive(raw.publish("a", qos=1, packet_id=packet_id), 1.0)
        wants.append(session.wants_input)
    session.acknowledge(1)
    assert [*wants, session.wants_input] == [True, False, True]


def test_our_own_pause_is_not_the_clients_silence() -> None:
    session = open_session(SessionLimits(receive_window=1))
    session.receive(raw.publish("a", qos=1, packet_id=1), 0.0)
    assert session.on_timeout(90.0) == []
    assert session.next_timeout == 180.0
    session.acknowledge(1)
    assert closed_with(session.on_timeout(180.0)) == ReasonCode.KEEP_ALIVE_TIMEOUT


def test_a_ping_is_answered() -> None:
    """[MQTT-3.12.4-1]"""
    session = open_session()
    assert session.receive(raw.PINGREQ, 1.0) == []
    assert session.to_send() == raw.PINGRESP


def test_subscriptions_are_answered_with_a_code_for_each_filter() -> None:
    session = open_session()
    (event,) = session.receive(raw.subscribe(7, ("a/#", 1), ("b", 2)), 1.0)
    assert event == Subscribe(7, (Subscription("a/#", 1), Subscription("b", 2)))
    session.suback(7, bytes([1, ReasonCode.NOT_AUTHORIZED]))
    assert session.to_send() == raw.suback(7, b"\x01\x80")
    assert session.receive(raw.unsubscribe(8, "a/#"), 1.0) == [Unsubscribe(8, ("a/#",))]
    session.unsuback(8, b"\x00")
    assert session.to_send() == raw.packet(0xB0, b"\x00\x08")


def test_an_answer_before_the_session_is_open_is_our_mistake() -> None:
    session = ServerSession(LIMITS, 0.0)
    with pytest.raises(UsageError):
        session.suback(1, b"\x00")
    with pytest.raises(UsageError):
        session.publish("a", b"")


# Messages to the client


def test_messages_have_ids_until_they_are_acknowledged() -> None:
    session = open_session()
    assert session.publish("a", b"0") == 0
    assert session.publish("a", b"1", 1) == 1
    assert session.publish("a", b"2", 1, dup=True) == 2
    assert session.to_send() == (
        raw.publish("a", b"0") + raw.publish("a", b"1", qos=1) + raw.publish("a", b"2", qos=1, packet_id=2, dup=True)
    )
    assert session.in_flight == 2
    assert session.receive(raw.puback(1) + raw.puback(1) + raw.puback(99), 1.0) == [Acknowledged(1)]
    assert session.publish("a", b"3", 1) == 3


def test_messages_in_flight_are_bounded() -> None:
    session = open_session(SessionLimits(send_window=1))
    room = [session.can_publish]
    session.publish("a", b"1", 1)
    room.append(session.can_publish)
    with pytest.raises(UsageError):
        session.publish("a", b"2", 1)
    assert session.publish("a", b"any number", 0, retain=True) == 0
    session.receive(raw.puback(1), 1.0)
    assert [*room, session.can_publish] == [True, False, True]


@pytest.mark.parametrize(("topic", "qos"), [("", 0), ("a/#", 0), ("a/+", 0), ("a", 2), ("a", -1), ("a\0", 1)])
def test_what_is_no_message_is_not_sent(topic: str, qos: int) -> None:
    session = open_session()
    with pytest.raises(UsageError):
        session.publish(topic, b"", qos)
    assert session.to_send() == b""
    assert session.in_flight == 0


# Time


def test_silence_of_one_and_a_half_keep_alive_ends_the_session() -> None:
    """[MQTT-3.1.2-24]"""
    session = open_session(keep_alive=60)
    session.receive(raw.PINGREQ, 10.0)
    session.to_send()
    assert session.next_timeout == 100.0
    assert session.on_timeout(99.9) == []
    assert closed_with(session.on_timeout(100.0)) == ReasonCode.KEEP_ALIVE_TIMEOUT
    assert session.to_send() == b""  # 3.1.1 has no DISCONNECT from a server


@pytest.mark.parametrize("keep_alive", [0, 1178, 65_535])
def test_no_session_may_be_silent_for_ever(keep_alive: int) -> None:
    assert open_session(keep_alive=keep_alive).next_timeout == 1767.0


def test_dripping_bytes_keep_nothing_alive_but_progress_does() -> None:
    session = open_session(keep_alive=60)
    data = raw.publish("a", b"x" * 20_000)
    for second in range(80):
        session.receive(data[second : second + 1], float(second))
    assert session.next_timeout == 90.0
    session.receive(data[80:5000], 80.0)
    assert session.next_timeout == 170.0
    session.receive(data[5000:9000], 160.0)
    assert session.next_timeout == 170.0
    session.receive(data[9000:9200], 165.0)
    assert session.next_timeout == 255.0
    assert len(session.receive(data[9200:], 200.0)) == 1
    assert session.next_timeout == 290.0


def test_each_large_packet_has_progress_of_its_own() -> None:
    session = open_session(keep_alive=60)
    data = raw.publish("a", b"x" * 10_000)
    session.receive(data[:5000], 10.0)
    session.receive(data[5000:], 20.0)
    session.receive(data[:5000], 30.0)
    assert session.next_timeout == 120.0


# The end


def test_a_client_that_says_goodbye_is_heard_and_then_no_more() -> None:
    """[MQTT-3.14.4-2]"""
    session = open_session()
    assert session.receive(raw.publish("a") + raw.DISCONNECT + raw.publish("b") + b"\x00", 1.0) == [
        Publish("a", b""),
        Disconnect(),
    ]
    assert session.state is State.CLOSED


def test_what_we_owe_is_forgotten_with_the_session() -> None:
    session = open_session()
    session.receive(raw.publish("a", qos=1) + raw.subscribe(1, ("a", 0)) + raw.DISCONNECT, 1.0)
    session.acknowledge(1)
    session.acknowledge_first(7)
    session.suback(1, b"\x00")
    session.unsuback(1)
    session.close()
    assert session.to_send() == b""
    assert not session.can_publish
    assert not session.wants_input
    with pytest.raises(UsageError):
        session.publish("a", b"")


def test_what_was_acknowledged_before_we_close_is_still_sent() -> None:
    session = open_session()
    session.receive(raw.publish("a", qos=1), 1.0)
    session.acknowledge(1)
    session.close()
    assert session.to_send() == raw.puback(1)


# QoS 2, where it is admitted


def test_qos_2_is_received_once() -> None:
    """[MQTT-4.3.3-2]"""
    session = open_session(SessionLimits(max_qos=2))
    data = raw.publish("a", b"x", qos=2)
    assert session.receive(data + data, 1.0) == [Publish("a", b"x", 2, 1)]
    assert session.to_send() == b""
    session.acknowledge(1)
    assert sent(session) == [Ack(PacketType.PUBREC, 1)]
    assert session.receive(data, 1.0) == []
    assert sent(session) == [Ack(PacketType.PUBREC, 1)]
    pubrel = raw.packet(0x62, b"\x00\x01")
    assert session.receive(pubrel + pubrel, 1.0) == []
    assert sent(session) == [Ack(PacketType.PUBCOMP, 1)] * 2
    assert session.receive(data, 1.0) == [Publish("a", b"x", 2, 1)]


# MQTT 5


def test_mqtt_5_is_told_the_limits_and_more_where_we_say_more() -> None:
    session = ServerSession(LIMITS, 0.0)
    session.receive(raw.connect("", level=5), 0.0)
    session.accept(False, None, 0.0, ((Property.ASSIGNED_CLIENT_IDENTIFIER, "made-up"),))
    (connack,) = sent(session)
    assert isinstance(connack, Connack)
    assert dict(connack.properties) == {
        Property.RECEIVE_MAXIMUM: 1024,
        Property.MAXIMUM_PACKET_SIZE: LIMITS.max_packet,
        Property.MAXIMUM_QOS: 1,
        Property.ASSIGNED_CLIENT_IDENTIFIER: "made-up",
    }


def test_mqtt_5_hears_why_its_session_ends() -> None:
    session = open_session(level=5)
    assert closed_with(session.receive(encode_packet(Publish("a", b"", 2, 1), 5), 1.0)) == ReasonCode.QOS_NOT_SUPPORTED
    assert sent(session) == [Disconnect(ReasonCode.QOS_NOT_SUPPORTED)]
    session = open_session(level=5)
    session.close(ReasonCode.SESSION_TAKEN_OVER)
    session.close(ReasonCode.SESSION_TAKEN_OVER)
    assert sent(session) == [Disconnect(ReasonCode.SESSION_TAKEN_OVER)]


def test_mqtt_5_hears_nothing_before_connack() -> None:
    """MQTT 5 [MQTT-3.14.0-1]"""
    session = ServerSession(SessionLimits(max_inbox=1), 0.0)
    session.receive(raw.connect("d", level=5) + raw.PINGREQ, 0.0)
    assert session.state is State.CLOSED
    assert session.to_send() == b""


def test_mqtt_5_bounds_what_we_send() -> None:
    session = open_session(level=5, properties=((Property.RECEIVE_MAXIMUM, 1), (Property.MAXIMUM_PACKET_SIZE, 20)))
    with pytest.raises(PacketTooLarge):
        session.publish("a", b"x" * 20, 1)
    assert session.publish("a", b"x", 1, properties=((Property.PAYLOAD_FORMAT_INDICATOR, 1),)) == 1
    with pytest.raises(UsageError):
        session.publish("a", b"", 1)
    assert session.receive(encode_packet(Ack(PacketType.PUBACK, 1, 0x97), 5), 1.0) == [Acknowledged(1, 0x97)]
    assert session.can_publish


def test_mqtt_5_hears_reason_codes() -> None:
    session = open_session(SessionLimits(max_qos=2), level=5)
    publishes = encode_packet(Publish("a", b"", 1, 1), 5) + encode_packet(Publish("a", b"", 2, 2), 5)
    session.receive(publishes, 1.0)
    session.acknowledge(1, ReasonCode.NO_MATCHING_SUBSCRIBERS)
    session.acknowledge(2, ReasonCode.QUOTA_EXCEEDED)
    session.suback(3, bytes([ReasonCode.NOT_AUTHORIZED]))
    session.unsuback(4, bytes([ReasonCode.NO_SUBSCRIPTION_EXISTED]))
    assert sent(session)[:3] == [
        Ack(PacketType.PUBACK, 1, ReasonCode.NO_MATCHING_SUBSCRIBERS),
        Ack(PacketType.PUBREC, 2, ReasonCode.QUOTA_EXCEEDED),
        Suback(3, bytes([ReasonCode.NOT_AUTHORIZED])),
    ]
    session.receive(encode_packet(Ack(PacketType.PUBREL, 2), 5), 1.0)  # its id was free since the refusal
    assert sent(session) == [Ack(PacketType.PUBCOMP, 2, ReasonCode.PACKET_IDENTIFIER_NOT_FOUND)]


def test_mqtt_5_cannot_prolong_what_ends_at_once() -> None:
    session = open_session(level=5)
    goodbye = Disconnect(0, ((Property.SESSION_EXPIRY_INTERVAL, 5),))
    assert closed_with(session.receive(encode_packet(goodbye, 5), 1.0)) == ReasonCode.PROTOCOL_ERROR


def test_enhanced_authentication_is_refused() -> None:
    """MQTT 5 [MQTT-4.12.0-1]"""
    session = ServerSession(LIMITS, 0.0)
    connect = Connect("d", 5, properties=((Property.AUTHENTICATION_METHOD, "x"),))
    assert closed_with(session.receive(encode_packet(connect, 5), 0.0)) == ReasonCode.BAD_AUTHENTICATION_METHOD
    assert sent(session) == [Connack(False, ReasonCode.BAD_AUTHENTICATION_METHOD)]
    assert encode_packet(Pingreq(), 5) == raw.PINGREQ
