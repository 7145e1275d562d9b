"""What MQTT 3.1.1 demands of a client, by statement: what our client does, and what it bears from a server."""

import pytest
from tests.fakes import mqtt_packets as raw

from ironhub.wire.mqtt.client import ClientLimits, ClientSession, ClientState
from ironhub.wire.mqtt.packets import Connect

GOOD = {
    "MQTT-3.2.0-1": raw.CONNACK_ACCEPTED,
    "MQTT-3.3.2-2": raw.CONNACK_ACCEPTED + raw.publish("a/b", b"x"),
    "MQTT-3.3.4-1": raw.CONNACK_ACCEPTED + raw.publish("a/b", b"x", qos=1),
    "MQTT-3.1.2-24": raw.CONNACK_ACCEPTED + raw.PINGRESP,
    "3.4": raw.CONNACK_ACCEPTED + raw.puback(7),
}
BAD = {
    "MQTT-3.2.0-1, publish first": raw.publish("a"),
    "MQTT-3.2.0-1, PINGRESP first": raw.PINGRESP,
    "3.2.2.1": b"\x20\x02\x02\x00",
    "MQTT-3.2.2-4": b"\x20\x02\x01\x05",
    "3.2.2.3": b"\x20\x02\x00\x06",
    "MQTT-3.3.1-4": raw.CONNACK_ACCEPTED + raw.packet(0x36, raw.field("a"), raw.number(1)),
    "MQTT-3.3.1-2": raw.CONNACK_ACCEPTED + raw.packet(0x38, raw.field("a")),
    "MQTT-2.3.1-1": raw.CONNACK_ACCEPTED + raw.publish("a", qos=1, packet_id=0),
    "MQTT-3.8.4-6": raw.CONNACK_ACCEPTED + raw.publish("a", qos=2),
    "MQTT-3.9.3-2": raw.CONNACK_ACCEPTED + raw.suback(1, b"\x03"),
    "MQTT-2.2.2-2": raw.CONNACK_ACCEPTED + b"\x41\x02\x00\x01",
    "3.2, a second one": raw.CONNACK_ACCEPTED * 2,
    "3.1, from a server": raw.CONNACK_ACCEPTED + raw.connect("d"),
    "3.12, from a server": raw.CONNACK_ACCEPTED + raw.PINGREQ,
    "3.14, from a server": raw.CONNACK_ACCEPTED + raw.DISCONNECT,
}


def heard(data: bytes) -> ClientState:
    """The state of a new session after a server said this."""
    session = ClientSession(Connect("d", keep_alive=60), ClientLimits(), 0.0)
    session.receive(data)
    return session.state


@pytest.mark.parametrize("statement", GOOD)
def test_what_a_server_may_send_is_borne(statement: str) -> None:
    assert heard(GOOD[statement]) is ClientState.OPEN


@pytest.mark.parametrize("statement", BAD)
def test_what_no_server_may_send_ends_the_session(statement: str) -> None:
    assert heard(BAD[statement]) is ClientState.CLOSED


def test_mqtt_3_1_0_1_the_first_packet_is_connect_and_nothing_else_leaves_before_connack() -> None:
    session = ClientSession(Connect("d", keep_alive=60), ClientLimits(), 0.0)
    assert session.to_send() == raw.connect("d")
    assert session.on_timeout(29.0) == []
    assert session.to_send() == b""


def test_mqtt_2_3_1_4_an_id_in_flight_is_not_used_again() -> None:
    session = ClientSession(Connect("d"), ClientLimits(send_window=3), 0.0)
    session.receive(raw.CONNACK_ACCEPTED)
    used: list[int] = []
    for _ in range(70_000):
        packet_id = session.publish("t", b"", 1, 0.0)
        assert packet_id not in used[-2:]
        used.append(packet_id)
        if session.in_flight == 3:
            session.receive(raw.puback(used[-3]))
            session.to_send()
    assert set(used) == set(range(1, 65_536))


def test_mqtt_3_1_2_23_something_is_sent_within_the_keep_alive() -> None:
    session = ClientSession(Connect("d", keep_alive=60), ClientLimits(), 0.0)
    session.receive(raw.CONNACK_ACCEPTED)
    session.to_send()
    assert session.next_timeout == 60.0
    session.on_timeout(60.0)
    assert session.to_send() == raw.PINGREQ


def test_mqtt_3_14_4_nothing_leaves_after_disconnect() -> None:
    session = ClientSession(Connect("d"), ClientLimits(), 0.0)
    session.receive(raw.CONNACK_ACCEPTED + raw.publish("a", qos=1))
    session.to_send()
    session.disconnect()
    session.acknowledge(1)
    assert session.to_send() == raw.DISCONNECT
