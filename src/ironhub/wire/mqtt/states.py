"""The order of the protocol as the server sees it, all of it, in one table."""

from enum import Enum
from typing import Final

from ironhub.wire.mqtt.packets import PacketType


class State(Enum):
    """How far a session is."""

    AWAITING_CONNECT = 1
    AWAITING_VERDICT = 2
    OPEN = 3
    CLOSED = 4


ALLOWED: Final[dict[State, frozenset[PacketType]]] = {
    State.AWAITING_CONNECT: frozenset({PacketType.CONNECT}),  # [MQTT-3.1.0-1]
    State.AWAITING_VERDICT: frozenset(),  # what comes waits in the stream
    State.OPEN: frozenset(  # no second CONNECT [MQTT-3.1.0-2], and nothing that only a server sends
        {
            PacketType.PUBLISH,
            PacketType.PUBACK,
            PacketType.PUBREL,
            PacketType.SUBSCRIBE,
            PacketType.UNSUBSCRIBE,
            PacketType.PINGREQ,
            PacketType.DISCONNECT,
        }
    ),
    State.CLOSED: frozenset(),
}
