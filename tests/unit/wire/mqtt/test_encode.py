import pytest
from tests.fakes import mqtt_packets as raw

from ironhub.wire.mqtt.decode import decode_packet
from ironhub.wire.mqtt.encode import PINGRESP, encode_packet
from ironhub.wire.mqtt.errors import UsageError
from ironhub.wire.mqtt.packets import (
    Ack,
    Auth,
    Connack,
    Connect,
    Disconnect,
    Packet,
    PacketType,
    Pingreq,
    Pingresp,
    Publish,
    Suback,
    Subscribe,
    Subscription,
    Unsuback,
    Unsubscribe,
    Will,
)
from ironhub.wire.mqtt.properties import Property


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (Connect("d", keep_alive=60), raw.connect("d")),
        (Connect("d", 3), raw.packet(0x10, raw.field("MQIsdp"), b"\x03\x02\x00\x00", raw.field("d"))),
        (Connect("d", 5, keep_alive=60), raw.connect("d", level=5)),
        (
            Connect("d", 4, False, 60, "u", b"p", Will("t", b"x", 1)),
            raw.connect("d", username="u", password=b"p", clean=False, will=("t", b"x"), will_qos=1),
        ),
        (Connack(False, 5), b"\x20\x02\x00\x05"),
        (Connack(True, 0), b"\x20\x02\x01\x00"),
        (Publish("a/b", b"x"), raw.publish("a/b", b"x")),
        (
            Publish("a", b"x" * 200, 1, 258, True, True),
            raw.publish("a", b"x" * 200, qos=1, packet_id=258, retain=True, dup=True),
        ),
        (Ack(PacketType.PUBACK, 258), raw.puback(258)),
        (Ack(PacketType.PUBREL, 1), raw.packet(0x62, b"\x00\x01")),
        (Subscribe(1, (Subscription("a/#", 1), Subscription("b", 0))), raw.subscribe(1, ("a/#", 1), ("b", 0))),
        (Suback(1, b"\x00\x80"), raw.suback(1, b"\x00\x80")),
        (Unsubscribe(1, ("a", "b")), raw.unsubscribe(1, "a", "b")),
        (Unsuback(1), raw.packet(0xB0, b"\x00\x01")),
        (Pingreq(), raw.PINGREQ),
        (Pingresp(), PINGRESP),
        (Disconnect(), raw.DISCONNECT),
    ],
)
def test_a_packet_becomes_the_bytes_the_standard_draws(packet: Packet, expected: bytes) -> None:
    level = packet.level if isinstance(packet, Connect) else 4
    assert encode_packet(packet, level) == expected


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (Connack(False, 0x87), "20 03 00 87 00"),
        (Publish("a", b"x"), "30 05 0001 61 00 78"),
        (Publish("", b"", properties=((Property.TOPIC_ALIAS, 1),)), "30 06 0000 03 230001"),
        (Ack(PacketType.PUBACK, 1), "40 02 0001"),
        (Ack(PacketType.PUBACK, 1, 0x87), "40 03 0001 87"),
        (Ack(PacketType.PUBREC, 1, 0, ((Property.REASON_STRING, "a"),)), "50 08 0001 00 04 1f 0001 61"),
        (Subscribe(1, (Subscription("a", 1, True, True, 2),)), "82 07 0001 00 0001 61 2d"),
        (Unsuback(1, b"\x00\x11"), "b0 05 0001 00 0011"),
        (Disconnect(), "e0 00"),
        (Disconnect(0x8E), "e0 01 8e"),
        (Auth(0x18, ((Property.AUTHENTICATION_METHOD, "a"),)), "f0 06 18 04 15 0001 61"),
        (Auth(0), "f0 02 00 00"),
    ],
)
def test_a_packet_becomes_the_bytes_mqtt_5_draws(packet: Packet, expected: str) -> None:
    assert encode_packet(packet, 5) == bytes.fromhex(expected)


def test_a_will_has_properties_of_its_own() -> None:
    connect = Connect("d", 5, will=Will("t", b"x", properties=((Property.WILL_DELAY_INTERVAL, 1),)))
    written = encode_packet(connect, 5)
    assert decode_packet(0x10, written, 2, len(written), 0) == connect


USER = ((Property.USER_PROPERTY, ("a", "b")),)


@pytest.mark.parametrize(
    "packet",
    [
        Publish("a", b"", 3, 1),
        Publish("a", b"", 1, 0),
        Publish("a", b"", 1, 65_536),
        Publish("a", b"", dup=True),
        Publish("a", b"", properties=USER),
        Publish("x" * 65_536, b""),
        Connect("d", properties=USER),
        Connect("d", will=Will("t", b"", 3)),
        Connect("d", keep_alive=65_536),
        Connect("d", password=b"x" * 65_536),
        Connack(False, 6),
        Connack(True, 5),
        Connack(False, 0, USER),
        Ack(PacketType.PUBACK, 0),
        Ack(PacketType.PUBACK, 1, 0x80),
        Ack(PacketType.PUBACK, 1, 0, USER),
        Subscribe(1, ()),
        Subscribe(1, (Subscription("a", 3),)),
        Subscribe(1, (Subscription("a", 1, no_local=True),)),
        Unsubscribe(1, ()),
        Suback(1, b""),
        Suback(1, b"\x87"),
        Disconnect(4),
        Auth(0),
    ],
)
def test_what_3_1_1_cannot_say_is_not_written(packet: Packet) -> None:
    with pytest.raises(UsageError):
        encode_packet(packet, 4)


@pytest.mark.parametrize(
    "packet",
    [
        Connack(False, 5),
        Connack(True, 0x87),
        Ack(PacketType.PUBREL, 1, 0x10),
        Ack(PacketType.PUBACK, 1, 1, USER),
        Suback(1, b"\x03"),
        Unsuback(1, b""),
        Subscribe(1, (Subscription("a", 3),)),
        Subscribe(1, (Subscription("a", 0, retain_handling=3),)),
        Disconnect(5),
        Auth(1),
        Publish("a", b"", properties=((Property.MAXIMUM_QOS, 1),)),
    ],
)
def test_what_mqtt_5_cannot_say_is_not_written(packet: Packet) -> None:
    with pytest.raises(UsageError):
        encode_packet(packet, 5)
