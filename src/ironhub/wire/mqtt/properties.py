"""Properties of MQTT 5 packets (section 2.2.2): one table says each one's type, place and bounds."""

from collections.abc import Callable
from enum import IntEnum
from typing import Final, NamedTuple

from ironhub.wire.mqtt import fields
from ironhub.wire.mqtt.errors import ProtocolViolation, UsageError
from ironhub.wire.mqtt.fields import Reader
from ironhub.wire.mqtt.reasons import ReasonCode

PropertyValue = int | str | bytes | tuple[str, str]
Properties = tuple[tuple[int, PropertyValue], ...]
"""Pairs of a Property and its value, in the order sent. A user property's value is a pair of name and value."""

MAX_PROPERTIES: Final = 256
"""How many one packet may have; the standard bounds only their bytes."""


class Property(IntEnum):
    """Identifiers of table 2-4."""

    PAYLOAD_FORMAT_INDICATOR = 1
    MESSAGE_EXPIRY_INTERVAL = 2
    CONTENT_TYPE = 3
    RESPONSE_TOPIC = 8
    CORRELATION_DATA = 9
    SUBSCRIPTION_IDENTIFIER = 11
    SESSION_EXPIRY_INTERVAL = 17
    ASSIGNED_CLIENT_IDENTIFIER = 18
    SERVER_KEEP_ALIVE = 19
    AUTHENTICATION_METHOD = 21
    AUTHENTICATION_DATA = 22
    REQUEST_PROBLEM_INFORMATION = 23
    WILL_DELAY_INTERVAL = 24
    REQUEST_RESPONSE_INFORMATION = 25
    RESPONSE_INFORMATION = 26
    SERVER_REFERENCE = 28
    REASON_STRING = 31
    RECEIVE_MAXIMUM = 33
    TOPIC_ALIAS_MAXIMUM = 34
    TOPIC_ALIAS = 35
    MAXIMUM_QOS = 36
    RETAIN_AVAILABLE = 37
    USER_PROPERTY = 38
    MAXIMUM_PACKET_SIZE = 39
    WILDCARD_SUBSCRIPTION_AVAILABLE = 40
    SUBSCRIPTION_IDENTIFIER_AVAILABLE = 41
    SHARED_SUBSCRIPTION_AVAILABLE = 42


class Kind(IntEnum):
    """How a value is written, and which numbers it may be."""

    FLAG = 1  # a byte, 0 or 1
    TWO = 2
    TWO_NOT_ZERO = 3
    FOUR = 4
    FOUR_NOT_ZERO = 5
    VARIABLE_NOT_ZERO = 6
    TEXT = 7
    BINARY = 8
    PAIR = 9


WILL: Final = 0
"""Stands for the will's properties where a packet type is asked for; the types themselves are 1 to 15."""
_CONNECT, _CONNACK, _PUBLISH, _SUBSCRIBE, _DISCONNECT, _AUTH = 1, 2, 3, 8, 14, 15
_MESSAGE = frozenset({_PUBLISH, WILL})
_EITHER_CONNECT = frozenset({_CONNECT, _CONNACK})
_AUTHENTICATING = frozenset({_CONNECT, _CONNACK, _AUTH})


class Rule(NamedTuple):
    """What the standard says of one property."""

    kind: Kind
    packets: frozenset[int]
    repeats: bool = False


RULES: Final[dict[int, Rule]] = {
    Property.PAYLOAD_FORMAT_INDICATOR: Rule(Kind.FLAG, _MESSAGE),
    Property.MESSAGE_EXPIRY_INTERVAL: Rule(Kind.FOUR, _MESSAGE),
    Property.CONTENT_TYPE: Rule(Kind.TEXT, _MESSAGE),
    Property.RESPONSE_TOPIC: Rule(Kind.TEXT, _MESSAGE),
    Property.CORRELATION_DATA: Rule(Kind.BINARY, _MESSAGE),
    Property.SUBSCRIPTION_IDENTIFIER: Rule(Kind.VARIABLE_NOT_ZERO, frozenset({_PUBLISH, _SUBSCRIBE})),
    Property.SESSION_EXPIRY_INTERVAL: Rule(Kind.FOUR, frozenset({_CONNECT, _CONNACK, _DISCONNECT})),
    Property.ASSIGNED_CLIENT_IDENTIFIER: Rule(Kind.TEXT, frozenset({_CONNACK})),
    Property.SERVER_KEEP_ALIVE: Rule(Kind.TWO, frozenset({_CONNACK})),
    Property.AUTHENTICATION_METHOD: Rule(Kind.TEXT, _AUTHENTICATING),
    Property.AUTHENTICATION_DATA: Rule(Kind.BINARY, _AUTHENTICATING),
    Property.REQUEST_PROBLEM_INFORMATION: Rule(Kind.FLAG, frozenset({_CONNECT})),
    Property.WILL_DELAY_INTERVAL: Rule(Kind.FOUR, frozenset({WILL})),
    Property.REQUEST_RESPONSE_INFORMATION: Rule(Kind.FLAG, frozenset({_CONNECT})),
    Property.RESPONSE_INFORMATION: Rule(Kind.TEXT, frozenset({_CONNACK})),
    Property.SERVER_REFERENCE: Rule(Kind.TEXT, frozenset({_CONNACK, _DISCONNECT})),
    Property.REASON_STRING: Rule(Kind.TEXT, frozenset({_CONNACK, 4, 5, 6, 7, 9, 11, _DISCONNECT, _AUTH})),
    Property.RECEIVE_MAXIMUM: Rule(Kind.TWO_NOT_ZERO, _EITHER_CONNECT),
    Property.TOPIC_ALIAS_MAXIMUM: Rule(Kind.TWO, _EITHER_CONNECT),
    Property.TOPIC_ALIAS: Rule(Kind.TWO_NOT_ZERO, frozenset({_PUBLISH})),  # [MQTT-3.3.2-8]
    Property.MAXIMUM_QOS: Rule(Kind.FLAG, frozenset({_CONNACK})),
    Property.RETAIN_AVAILABLE: Rule(Kind.FLAG, frozenset({_CONNACK})),
    Property.USER_PROPERTY: Rule(Kind.PAIR, frozenset(range(16)) - {12, 13}, repeats=True),
    Property.MAXIMUM_PACKET_SIZE: Rule(Kind.FOUR_NOT_ZERO, _EITHER_CONNECT),
    Property.WILDCARD_SUBSCRIPTION_AVAILABLE: Rule(Kind.FLAG, frozenset({_CONNACK})),
    Property.SUBSCRIPTION_IDENTIFIER_AVAILABLE: Rule(Kind.FLAG, frozenset({_CONNACK})),
    Property.SHARED_SUBSCRIPTION_AVAILABLE: Rule(Kind.FLAG, frozenset({_CONNACK})),
}

_NOT_ZERO = frozenset({Kind.TWO_NOT_ZERO, Kind.FOUR_NOT_ZERO, Kind.VARIABLE_NOT_ZERO})


def number(properties: Properties, wanted: int, default: int) -> int:
    """The value of a property that is a number; `default` where the packet has none."""
    for identifier, value in properties:
        if identifier == wanted and isinstance(value, int):
            return value
    return default


def has(properties: Properties, wanted: int) -> bool:
    """Whether the packet has this property."""
    return any(identifier == wanted for identifier, _ in properties)


def decode_properties(reader: Reader, packet_type: int) -> Properties:
    """Read the property length and the properties after it.

    Raises:
        ProtocolViolation: unknown or not of this packet (2.2.2.2), more than once, out of its bounds, too many.
    """
    size = reader.variable()
    if size == 0:
        return ()
    end = reader.pos + size
    if end > reader.end:
        raise ProtocolViolation("properties go on after their packet")
    inner = Reader(reader.data, reader.pos, end)
    found: list[tuple[int, PropertyValue]] = []
    seen: set[int] = set()
    while inner.pos < end:
        identifier = inner.variable()
        rule = _rule(identifier, packet_type)
        if identifier in seen and not _may_repeat(identifier, rule, packet_type):
            raise ProtocolViolation("a property stands twice in a packet", ReasonCode.PROTOCOL_ERROR)
        if len(found) >= MAX_PROPERTIES:
            raise ProtocolViolation("a packet has too many properties", ReasonCode.QUOTA_EXCEEDED)
        seen.add(identifier)
        found.append((identifier, _decode_value(inner, rule.kind)))
    reader.pos = end
    return tuple(found)


def _rule(identifier: int, packet_type: int) -> Rule:
    rule = RULES.get(identifier)
    if rule is None or packet_type not in rule.packets:
        raise ProtocolViolation("a property does not belong into its packet")
    return rule


def _may_repeat(identifier: int, rule: Rule, packet_type: int) -> bool:
    """A PUBLISH carries one subscription identifier for each subscription it answers (3.3.2.3.8)."""
    return rule.repeats or (identifier == Property.SUBSCRIPTION_IDENTIFIER and packet_type == _PUBLISH)


def _decode_value(reader: Reader, kind: Kind) -> PropertyValue:
    if kind == Kind.PAIR:
        return reader.text(), reader.text()
    if kind == Kind.TEXT:
        return reader.text()
    if kind == Kind.BINARY:
        return reader.binary()
    value = _NUMBERS[kind](reader)
    if (kind in _NOT_ZERO and value == 0) or (kind == Kind.FLAG and value > 1):
        raise ProtocolViolation("a property has a value it must not have", ReasonCode.PROTOCOL_ERROR)
    return value


_NUMBERS: Final[dict[int, Callable[[Reader], int]]] = {
    Kind.FLAG: Reader.byte,
    Kind.TWO: Reader.two_bytes,
    Kind.TWO_NOT_ZERO: Reader.two_bytes,
    Kind.FOUR: Reader.four_bytes,
    Kind.FOUR_NOT_ZERO: Reader.four_bytes,
    Kind.VARIABLE_NOT_ZERO: Reader.variable,
}


def encode_properties(properties: Properties, packet_type: int) -> bytes:
    """The property length and the properties.

    Raises:
        UsageError: one of them is unknown, not of this packet, or has a value it cannot have.
    """
    if not properties:
        return b"\0"
    parts: list[bytes] = []
    for identifier, value in properties:
        rule = RULES.get(identifier)
        if rule is None or packet_type not in rule.packets:
            raise UsageError(f"property {identifier} does not belong into packet type {packet_type}")
        parts.append(bytes((identifier,)) + _encode_value(rule.kind, value))
    body = b"".join(parts)
    return fields.variable(len(body)) + body


def _encode_value(kind: Kind, value: PropertyValue) -> bytes:
    if kind == Kind.PAIR and isinstance(value, tuple):
        return fields.text(value[0]) + fields.text(value[1])
    if kind == Kind.TEXT and isinstance(value, str):
        return fields.text(value)
    if kind == Kind.BINARY and isinstance(value, bytes):
        return fields.binary(value)
    if not isinstance(value, int) or kind in (Kind.PAIR, Kind.TEXT, Kind.BINARY):
        raise UsageError(f"a property of kind {kind.name} cannot be {type(value).__name__}")
    if kind == Kind.FLAG:
        return b"\1" if value else b"\0"
    if kind == Kind.VARIABLE_NOT_ZERO:
        return fields.variable(value)
    return fields.two_bytes(value) if kind in (Kind.TWO, Kind.TWO_NOT_ZERO) else fields.four_bytes(value)
