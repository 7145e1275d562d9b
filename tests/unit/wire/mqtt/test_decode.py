import pytest

from ironhub.wire.mqtt.decode import decode_packet
from ironhub.wire.mqtt.errors import ProtocolViolation, UnsupportedLevel
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
from ironhub.wire.mqtt.reasons import ReasonCode


def decode(first: int, body: str, level: int = 4) -> Packet:
    """`body` in hex; it stands inside more bytes, so that reading past an end shows."""
    data = b"\xaa" + bytes.fromhex(body) + b"\xbb"
    return decode_packet(first, data, 1, len(data) - 1, level)


@pytest.mark.parametrize(
    ("first", "body", "level", "expected"),
    [
        (0x10, "00044d515454 04 02 003c 0001 64", 4, Connect("d", keep_alive=60)),
        (0x10, "0006 4d5149736470 03 00 0000 0001 64", 4, Connect("d", level=3, clean_start=False)),
        (
            0x10,
            "00044d515454 04 f6 0001 0001 64 0001 74 0002 6869 0001 75 0002 00ff",
            4,
            Connect("d", 4, True, 1, "u", b"\x00\xff", Will("t", b"hi", 2, True)),
        ),
        (
            0x10,
            "00044d515454 05 46 0000 05 1100000e10 0000 05 1800000005 0001 74 0000 0001 70",
            4,
            Connect(
                "",
                5,
                password=b"p",
                will=Will("t", b"", properties=((Property.WILL_DELAY_INTERVAL, 5),)),
                properties=((Property.SESSION_EXPIRY_INTERVAL, 3600),),
            ),
        ),
        (0x20, "0100", 4, Connack(True, 0)),
        (0x20, "0005", 4, Connack(False, 5)),
        (0x20, "0087 02 2401", 5, Connack(False, 0x87, ((Property.MAXIMUM_QOS, 1),))),
        (0x30, "0001 61", 4, Publish("a", b"")),
        (0x3B, "0001 61 ffff 7878", 4, Publish("a", b"xx", 1, 65_535, True, True)),
        (0x34, "0001 61 0001", 4, Publish("a", b"", 2, 1)),
        (0x32, "0001 61 0001 00 78", 5, Publish("a", b"x", 1, 1)),
        (0x30, "0000 03 230001 78", 5, Publish("", b"x", properties=((Property.TOPIC_ALIAS, 1),))),
        (0x40, "0001", 4, Ack(PacketType.PUBACK, 1)),
        (0x50, "0001 10", 5, Ack(PacketType.PUBREC, 1, 0x10)),
        (0x62, "0001 92 00", 5, Ack(PacketType.PUBREL, 1, 0x92)),
        (0x70, "0001", 5, Ack(PacketType.PUBCOMP, 1)),
        (0x40, "0001 87 04 1f000161", 5, Ack(PacketType.PUBACK, 1, 0x87, ((Property.REASON_STRING, "a"),))),
        (0x82, "0007 0001 61 01 0001 2b 02", 4, Subscribe(7, (Subscription("a", 1), Subscription("+", 2)))),
        (0x82, "0007 02 0b05 0001 61 2d", 5, Subscribe(7, (Subscription("a", 1, True, True, 2),), ((11, 5),))),
        (0x90, "0007 000180", 4, Suback(7, b"\x00\x01\x80")),
        (0x90, "0007 00 87", 5, Suback(7, b"\x87")),
        (0xA2, "0007 0001 61 0001 23", 4, Unsubscribe(7, ("a", "#"))),
        (0xB0, "0007", 4, Unsuback(7)),
        (0xB0, "0007 00 0011", 5, Unsuback(7, b"\x00\x11")),
        (0xC0, "", 4, Pingreq()),
        (0xD0, "", 5, Pingresp()),
        (0xE0, "", 4, Disconnect()),
        (0xE0, "", 5, Disconnect()),
        (0xE0, "04", 5, Disconnect(4)),
        (0xE0, "00 05 1100000001", 5, Disconnect(0, ((Property.SESSION_EXPIRY_INTERVAL, 1),))),
        (0xF0, "", 5, Auth(0)),
        (0xF0, "18 04 15000161", 5, Auth(0x18, ((Property.AUTHENTICATION_METHOD, "a"),))),
    ],
)
def test_a_packet_is_what_its_bytes_say(first: int, body: str, level: int, expected: Packet) -> None:
    assert decode(first, body, level) == expected


@pytest.mark.parametrize(
    ("first", "body"),
    [
        (0x10, "00044d515454 05 02 0000 00"),  # no client id
        (0x10, "00044d515454 05 02 0000 03 160000 0001 64"),  # authentication data without a method
        (0x10, "00044d515454 05 06 0000 00 0000 05 0800022b61 0001 74 0000"),  # will with a wildcard to answer to
        (0x20, "0000"),  # no properties
        (0x20, "0001 00"),  # a return code of 3.1.1
        (0x20, "0200 00"),
        (0x20, "0187 00"),  # refused, and present
        (0x30, "0000 00"),  # neither topic nor alias
        (0x30, "0001 61"),  # no properties
        (0x30, "0001 61 05 0800022b61"),  # response topic with a wildcard
        (0x40, "0001 01"),
        (0x40, "0001 00 00 00"),
        (0x62, "0001 10"),
        (0x82, "0001 00 0001 61 40"),
        (0x82, "0001 00 0001 61 30"),  # retain handling 3
        (0x82, "0001 00 0001 61 03"),
        (0x82, "0001 00 000a 2473686172652f672f61 04"),  # shared, no local
        (0x82, "0001 00 0008 2473686172652f67 00"),  # shared without a filter
        (0x82, "0001 00"),
        (0xA2, "0001 00"),
        (0x90, "0001 00"),
        (0x90, "0001 00 03"),
        (0xB0, "0001 00"),
        (0xB0, "0001 00 01"),
        (0xE0, "01"),
        (0xE0, "00 00 00"),
        (0xF0, "18"),  # a reason code without properties
        (0xF0, "80 00"),
        (0xF1, ""),
    ],
)
def test_what_mqtt_5_does_not_allow_is_refused(first: int, body: str) -> None:
    with pytest.raises(ProtocolViolation):
        decode(first, body, 5)


@pytest.mark.parametrize(
    ("first", "body"),
    [
        (0x20, "00"),
        (0x20, "000000"),
        (0x20, "0006"),
        (0x20, "0200"),
        (0x20, "0105"),
        (0x90, "0001"),
        (0x90, "0001 03"),
        (0x90, "0001 87"),
        (0xB0, "0001 00"),
        (0xD0, "00"),
        (0xF0, ""),
        (0x82, "0001 0001 61 08"),
    ],
)
def test_what_only_mqtt_5_knows_or_a_client_must_refuse_is_refused(first: int, body: str) -> None:
    with pytest.raises(ProtocolViolation):
        decode(first, body, 4)


@pytest.mark.parametrize(
    ("first", "body"),
    [
        (0x10, "00044d515454 04 03 0000 0001 64"),  # reserved flag
        (0x10, "00044d515454 04 0a 0000 0001 64"),  # a will's QoS without a will
        (0x10, "00044d515454 04 22 0000 0001 64"),  # a will's retain without a will
        (0x10, "00044d515454 04 1e 0000 0001 64 0001 74 0000"),  # a will with QoS 3
        (0x10, "00044d515454 04 42 0000 0001 64 0001 70"),  # a password without a user name
        (0x30, "0000"),  # no topic
        (0x38, "0001 61"),  # QoS 0, repeated
        (0x36, "0001 61 0001"),  # QoS 3
        (0x32, "0001 61 0000"),  # packet id 0
        (0x82, "0001"),  # no filter
        (0xA2, "0001"),
    ],
)
def test_what_no_client_may_send_is_refused(first: int, body: str) -> None:
    """[MQTT-3.1.2-3] [MQTT-3.1.2-13] [MQTT-3.1.2-14] [MQTT-3.1.2-15] [MQTT-3.1.2-22] [MQTT-3.3.1-2] [MQTT-3.3.1-4]"""
    with pytest.raises(ProtocolViolation):
        decode(first, body)


@pytest.mark.parametrize("level", [4, 5])
@pytest.mark.parametrize("first", [byte for byte in range(256) if byte >> 4 not in (1, 3)])
def test_the_flags_of_a_packet_are_its_own(first: int, level: int) -> None:
    """[MQTT-2.2.2-2]: table 2.2, all of it"""
    own = 2 if first >> 4 in (6, 8, 10) else 0
    bodies = {2: "000000", 9: "00010000", 8: "0001 00 0001 61 00", 10: "0001 00 0001 61", 11: "00010000"}
    body = bodies.get(first >> 4, "0001" if 4 <= first >> 4 <= 7 else "")
    if level == 4:
        body = {2: "0000", 9: "000100", 8: "000100016100", 10: "0001000161", 11: "0001"}.get(first >> 4, body)
    if first & 0x0F == own and first >> 4 not in ((0,) if level == 5 else (0, 15)):
        decode(first, body, level)
    else:
        with pytest.raises(ProtocolViolation):
            decode(first, body, level)


def test_the_number_of_filters_is_bounded() -> None:
    body = bytes.fromhex("0001") + b"\x00\x01a" * 3
    assert len(decode_packet(0xA2, body, 0, len(body), 4, 3).topic_filters) == 3  # type: ignore[union-attr]
    with pytest.raises(ProtocolViolation) as caught:
        decode_packet(0xA2, body, 0, len(body), 4, 2)
    assert caught.value.code == ReasonCode.QUOTA_EXCEEDED


def test_a_level_that_cannot_be_read_is_told_apart() -> None:
    """[MQTT-3.1.2-2]: it is answered, another protocol [MQTT-3.1.2-1] is not"""
    with pytest.raises(UnsupportedLevel):
        decode(0x10, "00044d515454 06 02 0000 0000")
    with pytest.raises(ProtocolViolation) as caught:
        decode(0x10, "00044d515455 04 02 0000 0000")
    assert not isinstance(caught.value, UnsupportedLevel)


def test_a_topic_to_answer_to_is_a_topic() -> None:
    properties = ((Property.CONTENT_TYPE, "x"), (Property.RESPONSE_TOPIC, "b"))
    assert decode(0x30, "0001 61 08 0300 0178 08 0001 62", 5) == Publish("a", b"", properties=properties)


def test_every_packet_cut_short_is_refused() -> None:
    whole = "00044d515454 04 f6 0001 0001 64 0001 74 0002 6869 0001 75 0002 00ff".replace(" ", "")
    for size in range(0, len(whole), 2):
        with pytest.raises(ProtocolViolation):
            decode(0x10, whole[:size])
    publish = "0003 612f62 0001".replace(" ", "")
    for size in range(0, len(publish), 2):
        with pytest.raises(ProtocolViolation):
            decode(0x32, publish[:size])
