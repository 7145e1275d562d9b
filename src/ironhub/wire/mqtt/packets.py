"""The control packets of MQTT 3.1.1 and 5 as values; both versions share them, fields only 5 has are empty in 3.1.1."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, final

from ironhub.wire.mqtt.properties import Properties

LEVEL_3: Final = 3
"""MQTT 3.1, protocol name "MQIsdp"."""
LEVEL_4: Final = 4
"""MQTT 3.1.1."""
LEVEL_5: Final = 5
"""MQTT 5."""


class PacketType(IntEnum):
    """The four high bits of a packet's first byte (table 2.1)."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14
    AUTH = 15


@final
@dataclass(init=False, repr=False)
class Publish:
    """A message, in either direction. Its repr tells the payload's size only.

    Not frozen, and with a constructor of its own: it is made once per message and costs a third this way.
    """

    topic: str
    """Empty only where a topic alias stands for it (MQTT 5)."""
    payload: bytes
    qos: int
    packet_id: int
    """0 where `qos` is 0."""
    retain: bool
    dup: bool
    properties: Properties

    def __init__(
        self,
        topic: str,
        payload: bytes,
        qos: int = 0,
        packet_id: int = 0,
        retain: bool = False,
        dup: bool = False,
        properties: Properties = (),
    ) -> None:
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.packet_id = packet_id
        self.retain = retain
        self.dup = dup
        self.properties = properties

    def __repr__(self) -> str:
        return (
            f"Publish(topic={self.topic!r}, payload=<{len(self.payload)} bytes>, qos={self.qos}, "
            f"packet_id={self.packet_id}, retain={self.retain}, dup={self.dup}, properties={self.properties!r})"
        )


@final
@dataclass(frozen=True)
class Will:
    """What the server publishes for a client that goes without DISCONNECT (3.1.2.5)."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    properties: Properties = ()


@final
@dataclass(frozen=True, repr=False)
class Connect:
    """A client asks for a session. Its repr shows neither user name nor password."""

    client_id: str
    """May be empty: the server then names the client, or refuses it."""
    level: int = LEVEL_4
    """3, 4 (3.1.1) or 5."""
    clean_start: bool = True
    """"Clean session" in 3.1.1."""
    keep_alive: int = 0
    """Seconds; 0: none."""
    username: str | None = None
    password: bytes | None = None
    will: Will | None = None
    properties: Properties = ()

    def __repr__(self) -> str:
        return f"Connect(client_id={self.client_id!r}, level={self.level}, keep_alive={self.keep_alive})"


@final
@dataclass(frozen=True)
class Connack:
    """The verdict on a CONNECT; `code` is a return code (3.1.1) or a reason code (5), 0: accepted."""

    session_present: bool
    code: int
    properties: Properties = ()


@final
@dataclass(frozen=True)
class Ack:
    """PUBACK, PUBREC, PUBREL or PUBCOMP: the four have one form."""

    packet_type: PacketType
    packet_id: int
    code: int = 0
    """MQTT 5; always 0 in 3.1.1."""
    properties: Properties = ()


@final
@dataclass(frozen=True)
class Subscription:
    """One filter of a SUBSCRIBE; all but the first two are MQTT 5 (3.8.3.1)."""

    topic_filter: str
    qos: int
    no_local: bool = False
    retain_as_published: bool = False
    retain_handling: int = 0


@final
@dataclass(frozen=True)
class Subscribe:
    """A client wants messages; has one filter or more. Answer with one code for each, in order."""

    packet_id: int
    subscriptions: tuple[Subscription, ...]
    properties: Properties = ()


@final
@dataclass(frozen=True)
class Suback:
    """One code for each filter, in order: the QoS granted, or 0x80 and up."""

    packet_id: int
    codes: bytes
    properties: Properties = ()


@final
@dataclass(frozen=True)
class Unsubscribe:
    """A client no longer wants messages of these filters; at least one."""

    packet_id: int
    topic_filters: tuple[str, ...]
    properties: Properties = ()


@final
@dataclass(frozen=True)
class Unsuback:
    """In MQTT 5 one code for each filter; in 3.1.1 `codes` is empty."""

    packet_id: int
    codes: bytes = b""
    properties: Properties = ()


@final
@dataclass(frozen=True)
class Pingreq:
    """A client is there, and wants to know whether the server is."""


@final
@dataclass(frozen=True)
class Pingresp:
    """The server is."""


@final
@dataclass(frozen=True)
class Disconnect:
    """The last packet of a session; `code` 0 in 3.1.1. With 0x04 the client wants its will published (MQTT 5)."""

    code: int = 0
    properties: Properties = ()


@final
@dataclass(frozen=True)
class Auth:
    """A step of enhanced authentication (MQTT 5, 4.12)."""

    code: int
    properties: Properties = ()


Packet = (
    Connect
    | Connack
    | Publish
    | Ack
    | Subscribe
    | Suback
    | Unsubscribe
    | Unsuback
    | Pingreq
    | Pingresp
    | Disconnect
    | Auth
)

_TYPES: Final[dict[type, PacketType]] = {
    Connect: PacketType.CONNECT,
    Connack: PacketType.CONNACK,
    Publish: PacketType.PUBLISH,
    Subscribe: PacketType.SUBSCRIBE,
    Suback: PacketType.SUBACK,
    Unsubscribe: PacketType.UNSUBSCRIBE,
    Unsuback: PacketType.UNSUBACK,
    Pingreq: PacketType.PINGREQ,
    Pingresp: PacketType.PINGRESP,
    Disconnect: PacketType.DISCONNECT,
    Auth: PacketType.AUTH,
}


def type_of(packet: Packet) -> PacketType:
    """Which of the fifteen a packet is."""
    return packet.packet_type if isinstance(packet, Ack) else _TYPES[type(packet)]
