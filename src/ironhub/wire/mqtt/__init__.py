"""MQTT 3.1.1 and 5 without IO: packets to and from bytes, and a session as the server sees it.

Compiled by mypyc where a compiler was at hand at install, ordinary Python where not; the behaviour is the same.
"""

from typing import Final

from ironhub.wire.mqtt import session as _session
from ironhub.wire.mqtt.decode import decode_packet
from ironhub.wire.mqtt.encode import encode_packet
from ironhub.wire.mqtt.errors import PacketTooLarge, ProtocolViolation, UsageError
from ironhub.wire.mqtt.events import Acknowledged, Closed, Event
from ironhub.wire.mqtt.limits import SessionLimits
from ironhub.wire.mqtt.packets import (
    LEVEL_3,
    LEVEL_4,
    LEVEL_5,
    Connect,
    Disconnect,
    Packet,
    PacketType,
    Publish,
    Subscribe,
    Subscription,
    Unsubscribe,
    Will,
)
from ironhub.wire.mqtt.properties import Properties, Property
from ironhub.wire.mqtt.reasons import ReasonCode
from ironhub.wire.mqtt.session import ServerSession
from ironhub.wire.mqtt.states import State
from ironhub.wire.mqtt.stream import PacketStream
from ironhub.wire.mqtt.topics import check_topic_filter, check_topic_name, matches

COMPILED: Final[bool] = not str(_session.__file__).endswith(".py")
"""Whether the compiled form runs."""

__all__ = [
    "COMPILED",
    "LEVEL_3",
    "LEVEL_4",
    "LEVEL_5",
    "Acknowledged",
    "Closed",
    "Connect",
    "Disconnect",
    "Event",
    "Packet",
    "PacketStream",
    "PacketTooLarge",
    "PacketType",
    "Properties",
    "Property",
    "ProtocolViolation",
    "Publish",
    "ReasonCode",
    "ServerSession",
    "SessionLimits",
    "State",
    "Subscribe",
    "Subscription",
    "Unsubscribe",
    "UsageError",
    "Will",
    "check_topic_filter",
    "check_topic_name",
    "decode_packet",
    "encode_packet",
    "matches",
]
