"""Reason codes of MQTT 5 (section 2.4), which packet may carry which, and what 3.1.1 says instead."""

from enum import IntEnum
from typing import Final


class ReasonCode(IntEnum):
    """A byte of MQTT 5: below 0x80 it went well. SUCCESS is also "normal disconnection" and "granted QoS 0"."""

    SUCCESS = 0x00
    GRANTED_QOS_1 = 0x01
    GRANTED_QOS_2 = 0x02
    DISCONNECT_WITH_WILL = 0x04
    NO_MATCHING_SUBSCRIBERS = 0x10
    NO_SUBSCRIPTION_EXISTED = 0x11
    CONTINUE_AUTHENTICATION = 0x18
    RE_AUTHENTICATE = 0x19
    UNSPECIFIED_ERROR = 0x80
    MALFORMED_PACKET = 0x81
    PROTOCOL_ERROR = 0x82
    IMPLEMENTATION_SPECIFIC_ERROR = 0x83
    UNSUPPORTED_PROTOCOL_VERSION = 0x84
    CLIENT_IDENTIFIER_NOT_VALID = 0x85
    BAD_USER_NAME_OR_PASSWORD = 0x86
    NOT_AUTHORIZED = 0x87
    SERVER_UNAVAILABLE = 0x88
    SERVER_BUSY = 0x89
    BANNED = 0x8A
    SERVER_SHUTTING_DOWN = 0x8B
    BAD_AUTHENTICATION_METHOD = 0x8C
    KEEP_ALIVE_TIMEOUT = 0x8D
    SESSION_TAKEN_OVER = 0x8E
    TOPIC_FILTER_INVALID = 0x8F
    TOPIC_NAME_INVALID = 0x90
    PACKET_IDENTIFIER_IN_USE = 0x91
    PACKET_IDENTIFIER_NOT_FOUND = 0x92
    RECEIVE_MAXIMUM_EXCEEDED = 0x93
    TOPIC_ALIAS_INVALID = 0x94
    PACKET_TOO_LARGE = 0x95
    MESSAGE_RATE_TOO_HIGH = 0x96
    QUOTA_EXCEEDED = 0x97
    ADMINISTRATIVE_ACTION = 0x98
    PAYLOAD_FORMAT_INVALID = 0x99
    RETAIN_NOT_SUPPORTED = 0x9A
    QOS_NOT_SUPPORTED = 0x9B
    USE_ANOTHER_SERVER = 0x9C
    SERVER_MOVED = 0x9D
    SHARED_SUBSCRIPTIONS_NOT_SUPPORTED = 0x9E
    CONNECTION_RATE_EXCEEDED = 0x9F
    MAXIMUM_CONNECT_TIME = 0xA0
    SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED = 0xA1
    WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED = 0xA2


def _codes(*items: int | range) -> frozenset[int]:
    return frozenset(code for item in items for code in ([item] if isinstance(item, int) else item))


CONNACK_CODES: Final = _codes(
    0, range(0x80, 0x8B), 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F
)  # [MQTT-3.2.2-8]
PUBACK_CODES: Final = _codes(0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99)  # [MQTT-3.4.2-1] [MQTT-3.5.2-1]
PUBREL_CODES: Final = _codes(0, 0x92)  # [MQTT-3.6.2-1] [MQTT-3.7.2-1]
SUBACK_CODES: Final = _codes(0, 1, 2, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2)  # [MQTT-3.9.3-2]
SUBACK_CODES_3: Final = _codes(0, 1, 2, 0x80)  # 3.1.1 [MQTT-3.9.3-2]
UNSUBACK_CODES: Final = _codes(0, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91)  # [MQTT-3.11.3-2]
AUTH_CODES: Final = _codes(0, 0x18, 0x19)  # [MQTT-3.15.2-1]
CLIENT_DISCONNECT_CODES: Final = _codes(0, 4, range(0x80, 0x84), 0x90, range(0x93, 0x9A))
"""What a client may say in DISCONNECT (table 3-10)."""
SERVER_DISCONNECT_CODES: Final = _codes(0, range(0x80, 0x84), 0x87, 0x89, 0x8B, range(0x8D, 0x91), range(0x93, 0xA3))
DISCONNECT_CODES: Final = CLIENT_DISCONNECT_CODES | SERVER_DISCONNECT_CODES  # [MQTT-3.14.2-1]

CODES: Final[dict[int, frozenset[int]]] = {
    2: CONNACK_CODES,
    4: PUBACK_CODES,
    5: PUBACK_CODES,
    6: PUBREL_CODES,
    7: PUBREL_CODES,
    9: SUBACK_CODES,
    11: UNSUBACK_CODES,
    14: DISCONNECT_CODES,
    15: AUTH_CODES,
}
"""What each packet type (table 2-1) may say in MQTT 5."""

_RETURN_CODES: Final[dict[int, int]] = {
    ReasonCode.UNSUPPORTED_PROTOCOL_VERSION: 1,
    ReasonCode.CLIENT_IDENTIFIER_NOT_VALID: 2,
    ReasonCode.SERVER_UNAVAILABLE: 3,
    ReasonCode.SERVER_BUSY: 3,
    ReasonCode.CONNECTION_RATE_EXCEEDED: 3,
    ReasonCode.QUOTA_EXCEEDED: 3,
    ReasonCode.BAD_USER_NAME_OR_PASSWORD: 4,
}
_REASONS: Final[dict[int, int]] = {
    1: ReasonCode.UNSUPPORTED_PROTOCOL_VERSION,
    2: ReasonCode.CLIENT_IDENTIFIER_NOT_VALID,
    3: ReasonCode.SERVER_UNAVAILABLE,
    4: ReasonCode.BAD_USER_NAME_OR_PASSWORD,
    5: ReasonCode.NOT_AUTHORIZED,
}


def return_code(code: int) -> int:
    """The CONNACK return code (1-5) of 3.1.1 for a refusal given in either numbering; 5 where it has no word."""
    return code if code in _REASONS else _RETURN_CODES.get(code, 5)


def reason_code(code: int) -> int:
    """The MQTT 5 CONNACK reason code (0x80 and up) for a refusal given in either numbering."""
    return _REASONS.get(code, code)
