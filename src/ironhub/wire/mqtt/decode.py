"""From the bytes of one whole packet to its value; anything the standard does not allow is a ProtocolViolation."""

from collections.abc import Callable
from typing import Final

from ironhub.wire.mqtt import reasons
from ironhub.wire.mqtt.errors import ProtocolViolation, UnsupportedLevel
from ironhub.wire.mqtt.fields import Reader
from ironhub.wire.mqtt.packets import (
    LEVEL_5,
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
from ironhub.wire.mqtt.properties import WILL, Properties, Property, decode_properties, has
from ironhub.wire.mqtt.reasons import ReasonCode
from ironhub.wire.mqtt.topics import TopicCache, check_shared_filter, check_topic_filter, check_topic_name, is_shared

MAX_FILTERS: Final = 64
"""Topic filters in one SUBSCRIBE or UNSUBSCRIBE, unless the caller says otherwise; the standard knows no bound."""

_FLAGS: Final = (-1, 0, 0, -1, 0, 0, 2, 0, 2, 0, 2, 0, 0, 0, 0, 0)
"""The low four bits of the first byte, by packet type (table 2.2); PUBLISH alone uses them."""


def decode_packet(first: int, data: bytes, start: int, end: int, level: int, max_filters: int = MAX_FILTERS) -> Packet:
    """Decode one packet.

    Args:
        first: its first byte, type and flags.
        data: holds what comes after the remaining length, from `start` up to `end`.
        level: 3, 4 or 5; a CONNECT names its own and does not need it.
        max_filters: how many a SUBSCRIBE or UNSUBSCRIBE may have.

    Raises:
        ProtocolViolation: it is not what the standard allows.
    """
    packet_type = first >> 4
    if packet_type == PacketType.PUBLISH:
        return decode_publish(first, data, start, end, level, TopicCache())
    if _FLAGS[packet_type] != first & 0x0F:  # [MQTT-2.2.2-2], and type 0 is forbidden
        raise ProtocolViolation("a packet has an unknown type or flags that are not its own")
    reader = Reader(data, start, end)
    packet: Packet
    if packet_type == PacketType.SUBSCRIBE:
        packet = _subscribe(reader, level, max_filters)
    elif packet_type == PacketType.UNSUBSCRIBE:
        packet = _unsubscribe(reader, level, max_filters)
    elif PacketType.PUBACK <= packet_type <= PacketType.PUBCOMP:
        packet = _ack(reader, level, PacketType(packet_type))
    else:
        packet = _DECODERS[packet_type](reader, level)
    reader.finish()
    return packet


def decode_publish(first: int, data: bytes, start: int, end: int, level: int, cache: TopicCache) -> Publish:
    """Decode a PUBLISH; `cache` knows the topics that came before, the other arguments are those of `decode_packet`."""
    # The hot path: everything stands in this one function, and nothing is copied but topic and payload.
    pos = start + 2
    if pos <= end:
        pos += data[start] << 8 | data[start + 1]
    if pos > end:
        raise ProtocolViolation("a packet ends before its fields do")
    raw = data[start + 2 : pos]
    topic = cache.topic if raw == cache.raw else cache.decode(raw)
    packet_id = 0
    if first & 0x06:
        if first & 0x06 == 0x06:
            raise ProtocolViolation("a PUBLISH has QoS 3")  # [MQTT-3.3.1-4]
        if pos + 2 > end:
            raise ProtocolViolation("a packet ends before its fields do")
        packet_id = data[pos] << 8 | data[pos + 1]
        if packet_id == 0:
            raise ProtocolViolation("a packet identifier is zero")  # [MQTT-2.3.1-1]
        pos += 2
    elif first & 0x08:
        raise ProtocolViolation("a PUBLISH with QoS 0 claims to be a repetition")  # [MQTT-3.3.1-2]
    properties: Properties = ()
    if level == LEVEL_5:
        reader = Reader(data, pos, end)
        properties = decode_properties(reader, PacketType.PUBLISH)
        _check_response_topic(properties)
        pos = reader.pos
    if not topic and not has(properties, Property.TOPIC_ALIAS):
        raise ProtocolViolation("a topic name is empty", ReasonCode.TOPIC_NAME_INVALID)  # [MQTT-4.7.3-1]
    return Publish(topic, data[pos:end], first >> 1 & 3, packet_id, first & 1 != 0, first & 8 != 0, properties)


def _check_response_topic(properties: Properties) -> None:
    for identifier, value in properties:
        if identifier == Property.RESPONSE_TOPIC and isinstance(value, str):
            check_topic_name(value)  # MQTT 5 [MQTT-3.3.2-14]


def _connect(reader: Reader, _: int) -> Connect:
    level = _protocol_level(reader)
    flags = reader.byte()
    keep_alive = reader.two_bytes()
    _check_connect_flags(flags, level)
    properties: Properties = ()
    if level == LEVEL_5:
        properties = decode_properties(reader, PacketType.CONNECT)
        if has(properties, Property.AUTHENTICATION_DATA) and not has(properties, Property.AUTHENTICATION_METHOD):
            raise ProtocolViolation("authentication data stand without a method", ReasonCode.PROTOCOL_ERROR)
    client_id = reader.text()
    return Connect(
        client_id=client_id,
        level=level,
        clean_start=bool(flags & 0x02),
        keep_alive=keep_alive,
        will=_will(reader, level, flags) if flags & 0x04 else None,
        username=reader.text() if flags & 0x80 else None,
        password=reader.binary() if flags & 0x40 else None,
        properties=properties,
    )


def _protocol_level(reader: Reader) -> int:
    name = reader.binary()
    level = reader.byte()
    if name == b"MQIsdp" and level == 3:
        return level
    if name != b"MQTT":  # [MQTT-3.1.2-1]
        raise ProtocolViolation("CONNECT names another protocol", ReasonCode.UNSUPPORTED_PROTOCOL_VERSION)
    if level not in (4, 5):
        raise UnsupportedLevel  # [MQTT-3.1.2-2]
    return level


def _check_connect_flags(flags: int, level: int) -> None:
    if flags & 0x01:
        raise ProtocolViolation("CONNECT has its reserved flag set")  # [MQTT-3.1.2-3]
    if not flags & 0x04 and flags & 0x38:
        raise ProtocolViolation("CONNECT has flags of a will but no will")  # [MQTT-3.1.2-13] [MQTT-3.1.2-15]
    if flags & 0x18 == 0x18:
        raise ProtocolViolation("a will has QoS 3")  # [MQTT-3.1.2-14]
    if level != LEVEL_5 and flags & 0xC0 == 0x40:
        raise ProtocolViolation("CONNECT has a password but no user name")  # [MQTT-3.1.2-22]


def _will(reader: Reader, level: int, flags: int) -> Will:
    properties: Properties = ()
    if level == LEVEL_5:
        properties = decode_properties(reader, WILL)
        _check_response_topic(properties)
    topic = reader.text()
    check_topic_name(topic)
    return Will(topic, reader.binary(), flags >> 3 & 3, bool(flags & 0x20), properties)


def _connack(reader: Reader, level: int) -> Connack:
    flags = reader.byte()
    code = reader.byte()
    if flags > 1:
        raise ProtocolViolation("CONNACK has a reserved flag set")  # 3.2.2.1
    if flags and code:
        raise ProtocolViolation("CONNACK refuses a session and has it present")  # [MQTT-3.2.2-4]
    if level != LEVEL_5:
        if code > 5:
            raise ProtocolViolation("CONNACK has an unknown return code")
        return Connack(bool(flags), code)
    _check_code(code, PacketType.CONNACK)
    return Connack(bool(flags), code, decode_properties(reader, PacketType.CONNACK))


def _check_code(code: int, packet_type: int) -> None:
    if code not in reasons.CODES[packet_type]:
        raise ProtocolViolation("a packet has a reason code that is not its own")


def _ack(reader: Reader, level: int, packet_type: PacketType) -> Ack:
    packet_id = reader.packet_id()
    if level != LEVEL_5 or reader.left() == 0:  # MQTT 5, 3.4.2.1: no reason code means success
        return Ack(packet_type, packet_id)
    code = reader.byte()
    _check_code(code, packet_type)
    if reader.left() == 0:
        return Ack(packet_type, packet_id, code)
    return Ack(packet_type, packet_id, code, decode_properties(reader, packet_type))


def _subscribe(reader: Reader, level: int, max_filters: int) -> Subscribe:
    packet_id = reader.packet_id()
    properties = decode_properties(reader, PacketType.SUBSCRIBE) if level == LEVEL_5 else ()
    found: list[Subscription] = []
    while reader.left():
        _check_count(len(found), max_filters)
        topic_filter = _filter(reader, level)
        found.append(_subscription(topic_filter, reader.byte(), level))
    if not found:
        raise ProtocolViolation("SUBSCRIBE has no topic filter", ReasonCode.PROTOCOL_ERROR)  # [MQTT-3.8.3-3]
    return Subscribe(packet_id, tuple(found), properties)


def _filter(reader: Reader, level: int) -> str:
    topic_filter = reader.text()
    check_topic_filter(topic_filter)
    if level == LEVEL_5 and is_shared(topic_filter):
        check_shared_filter(topic_filter)
    return topic_filter


def _subscription(topic_filter: str, options: int, level: int) -> Subscription:
    if options & 3 == 3 or options & (0xC0 if level == LEVEL_5 else 0xFC):  # [MQTT-3-8.3-4]
        raise ProtocolViolation("SUBSCRIBE has an unknown QoS or reserved bits set")
    if options & 0x30 == 0x30:
        raise ProtocolViolation("SUBSCRIBE has retain handling 3", ReasonCode.PROTOCOL_ERROR)
    if options & 4 and is_shared(topic_filter):
        raise ProtocolViolation("a shared subscription has no-local set", ReasonCode.PROTOCOL_ERROR)  # [MQTT-3.8.3-4]
    return Subscription(topic_filter, options & 3, bool(options & 4), bool(options & 8), options >> 4 & 3)


def _check_count(count: int, max_filters: int) -> None:
    if count >= max_filters:
        raise ProtocolViolation("a packet has too many topic filters", ReasonCode.QUOTA_EXCEEDED)


def _suback(reader: Reader, level: int) -> Suback:
    packet_id = reader.packet_id()
    properties = decode_properties(reader, PacketType.SUBACK) if level == LEVEL_5 else ()
    codes = _codes(reader, PacketType.SUBACK)
    if level != LEVEL_5 and not reasons.SUBACK_CODES_3.issuperset(codes):  # 3.1.1 [MQTT-3.9.3-2]
        raise ProtocolViolation("SUBACK has an unknown return code")
    return Suback(packet_id, codes, properties)


def _codes(reader: Reader, packet_type: int) -> bytes:
    codes = reader.take(reader.left())
    if not codes:
        raise ProtocolViolation("an acknowledgement has no code", ReasonCode.PROTOCOL_ERROR)
    for code in codes:
        _check_code(code, packet_type)
    return codes


def _unsubscribe(reader: Reader, level: int, max_filters: int) -> Unsubscribe:
    packet_id = reader.packet_id()
    properties = decode_properties(reader, PacketType.UNSUBSCRIBE) if level == LEVEL_5 else ()
    found: list[str] = []
    while reader.left():
        _check_count(len(found), max_filters)
        found.append(_filter(reader, level))
    if not found:
        raise ProtocolViolation("UNSUBSCRIBE has no topic filter", ReasonCode.PROTOCOL_ERROR)  # [MQTT-3.10.3-2]
    return Unsubscribe(packet_id, tuple(found), properties)


def _unsuback(reader: Reader, level: int) -> Unsuback:
    packet_id = reader.packet_id()
    if level != LEVEL_5:
        return Unsuback(packet_id)
    properties = decode_properties(reader, PacketType.UNSUBACK)
    return Unsuback(packet_id, _codes(reader, PacketType.UNSUBACK), properties)


def _disconnect(reader: Reader, level: int) -> Disconnect:
    if level != LEVEL_5 or reader.left() == 0:
        return Disconnect()
    code = reader.byte()
    _check_code(code, PacketType.DISCONNECT)
    return Disconnect(code, decode_properties(reader, PacketType.DISCONNECT) if reader.left() else ())


def _auth(reader: Reader, level: int) -> Auth:
    if level != LEVEL_5:
        raise ProtocolViolation("packet type 15 is forbidden before MQTT 5")
    if reader.left() == 0:
        return Auth(0)
    code = reader.byte()
    _check_code(code, PacketType.AUTH)
    return Auth(code, decode_properties(reader, PacketType.AUTH))


_DECODERS: Final[dict[int, Callable[[Reader, int], Packet]]] = {
    PacketType.CONNECT: _connect,
    PacketType.CONNACK: _connack,
    PacketType.SUBACK: _suback,
    PacketType.UNSUBACK: _unsuback,
    PacketType.PINGREQ: lambda _reader, _level: Pingreq(),
    PacketType.PINGRESP: lambda _reader, _level: Pingresp(),
    PacketType.DISCONNECT: _disconnect,
    PacketType.AUTH: _auth,
}
