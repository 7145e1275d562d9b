"""From a packet's value to its bytes; what does not fit its field or its protocol level is a UsageError."""

from typing import Final

from ironhub.wire.mqtt import fields
from ironhub.wire.mqtt.errors import UsageError
from ironhub.wire.mqtt.packets import (
    LEVEL_3,
    LEVEL_5,
    Ack,
    Auth,
    Connack,
    Connect,
    Disconnect,
    Packet,
    PacketType,
    Publish,
    Suback,
    Subscribe,
    Subscription,
    Unsuback,
    Unsubscribe,
    Will,
    type_of,
)
from ironhub.wire.mqtt.properties import WILL, Properties, encode_properties
from ironhub.wire.mqtt.reasons import CODES, SUBACK_CODES_3

PINGRESP: Final = b"\xd0\x00"
"""The whole packet."""


def encode_packet(packet: Packet, level: int) -> bytes:
    """The bytes of `packet` in the form of `level` (3, 4 or 5; a CONNECT carries its own).

    Raises:
        UsageError: a field is out of its bounds, or the packet does not exist at this level.
    """
    if isinstance(packet, Publish):
        return encode_publish(
            packet.topic,
            packet.payload,
            packet.qos,
            packet.packet_id,
            packet.retain,
            packet.dup,
            packet.properties,
            level,
        )
    body = _body(packet, level)
    packet_type = type_of(packet)
    first = packet_type << 4
    if packet_type in (PacketType.PUBREL, PacketType.SUBSCRIBE, PacketType.UNSUBSCRIBE):
        first |= 2  # [MQTT-3.6.1-1] [MQTT-3.8.1-1] [MQTT-3.10.1-1]
    return bytes((first,)) + fields.variable(len(body)) + body


def _body(packet: Packet, level: int) -> bytes:
    if isinstance(packet, Connect):
        return _connect(packet)
    if isinstance(packet, Connack):
        return _verdict(packet, level) + _properties(packet.properties, type_of(packet), level)
    if isinstance(packet, Ack):
        return fields.packet_id(packet.packet_id) + _reason(packet.code, packet.properties, type_of(packet), level)
    if isinstance(packet, (Subscribe, Unsubscribe)):
        return _filters(packet, level)
    if isinstance(packet, (Suback, Unsuback)):
        return _codes(packet, level)
    if isinstance(packet, Disconnect):
        return _reason(packet.code, packet.properties, type_of(packet), level)
    if isinstance(packet, Auth):
        if level != LEVEL_5:
            raise UsageError("there is no AUTH before MQTT 5")
        # With a reason code its properties' length is never left out (3.15.2.1).
        return _code(packet.code, PacketType.AUTH) + encode_properties(packet.properties, PacketType.AUTH)
    return b""


def encode_publish(
    topic: str,
    payload: bytes,
    qos: int,
    packet_id: int,
    retain: bool,
    dup: bool,
    properties: Properties,
    level: int,
) -> bytes:
    """A PUBLISH; the arguments are the fields of `Publish`."""
    if not 0 <= qos <= 2 or (dup and not qos):
        raise UsageError("a PUBLISH has QoS 0 to 2, and none is repeated with QoS 0")
    head = fields.text(topic)
    if qos:
        head += fields.packet_id(packet_id)
    if level == LEVEL_5:
        head += encode_properties(properties, PacketType.PUBLISH)
    elif properties:
        raise UsageError("there are no properties before MQTT 5")
    size = len(head) + len(payload)
    first = 0x30 | qos << 1 | (1 if retain else 0) | (8 if dup else 0)
    return b"".join((bytes((first,)), fields.variable(size), head, payload))


def _verdict(packet: Connack, level: int) -> bytes:
    if packet.session_present and packet.code:  # [MQTT-3.2.2-4]
        raise UsageError("a session that is refused is not present")
    if level == LEVEL_5:
        return bytes((packet.session_present,)) + _code(packet.code, PacketType.CONNACK)
    if not 0 <= packet.code <= 5:
        raise UsageError(f"{packet.code} is no return code of CONNACK")
    return bytes((packet.session_present, packet.code))


def _code(code: int, packet_type: PacketType) -> bytes:
    if code not in CODES[packet_type]:
        raise UsageError(f"{code:#04x} is no reason code of {packet_type.name}")
    return bytes((code,))


def _properties(properties: Properties, packet_type: int, level: int) -> bytes:
    if level == LEVEL_5:
        return encode_properties(properties, packet_type)
    if properties:
        raise UsageError("there are no properties before MQTT 5")
    return b""


def _reason(code: int, properties: Properties, packet_type: PacketType, level: int) -> bytes:
    """Reason code and properties, left out where they say nothing (MQTT 5, 3.4.2.1 and 3.14.2.1)."""
    if level != LEVEL_5:
        if code or properties:
            raise UsageError("there are no reason codes and properties before MQTT 5")
        return b""
    if properties:
        return _code(code, packet_type) + encode_properties(properties, packet_type)
    return _code(code, packet_type) if code else b""


def _connect(packet: Connect) -> bytes:
    will = packet.will
    flags = 0x02 if packet.clean_start else 0
    if will is not None:
        flags |= 0x04 | will.qos << 3 | (0x20 if will.retain else 0)
    if packet.username is not None:
        flags |= 0x80
    if packet.password is not None:
        flags |= 0x40
    parts = [
        fields.text("MQIsdp" if packet.level == LEVEL_3 else "MQTT"),
        bytes((packet.level, flags)),
        fields.two_bytes(packet.keep_alive),
        _properties(packet.properties, PacketType.CONNECT, packet.level),
        fields.text(packet.client_id),
    ]
    if will is not None:
        parts.append(_will(will, packet.level))
    if packet.username is not None:
        parts.append(fields.text(packet.username))
    if packet.password is not None:
        parts.append(fields.binary(packet.password))
    return b"".join(parts)


def _will(will: Will, level: int) -> bytes:
    if not 0 <= will.qos <= 2:
        raise UsageError("a will has QoS 0 to 2")
    return _properties(will.properties, WILL, level) + fields.text(will.topic) + fields.binary(will.payload)


def _filters(packet: Subscribe | Unsubscribe, level: int) -> bytes:
    parts = [fields.packet_id(packet.packet_id), _properties(packet.properties, type_of(packet), level)]
    if isinstance(packet, Subscribe):
        parts += [fields.text(item.topic_filter) + _options(item, level) for item in packet.subscriptions]
    else:
        parts += [fields.text(topic_filter) for topic_filter in packet.topic_filters]
    if len(parts) == 2:
        raise UsageError("a packet needs at least one topic filter")
    return b"".join(parts)


def _options(item: Subscription, level: int) -> bytes:
    options = item.qos | item.no_local << 2 | item.retain_as_published << 3 | item.retain_handling << 4
    if item.qos > 2 or not 0 <= options < (0x30 if level == LEVEL_5 else 3):
        raise UsageError("a subscription has options its protocol level does not know")
    return bytes((options,))


def _codes(packet: Suback | Unsuback, level: int) -> bytes:
    if isinstance(packet, Unsuback) and level != LEVEL_5:
        return fields.packet_id(packet.packet_id)
    if not packet.codes:
        raise UsageError("an acknowledgement needs at least one code")
    packet_type = type_of(packet)
    codes = b"".join([_code(code, packet_type) for code in packet.codes])
    if level != LEVEL_5 and not SUBACK_CODES_3.issuperset(codes):  # 3.1.1 [MQTT-3.9.3-2]
        raise UsageError("SUBACK has a code its protocol level does not know")
    return fields.packet_id(packet.packet_id) + _properties(packet.properties, packet_type, level) + codes
