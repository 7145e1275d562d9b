"""What a session tells its owner. Packets that need an answer are events themselves; two more stand here."""

from dataclasses import dataclass
from typing import final

from ironhub.wire.mqtt.packets import Connect, Disconnect, Publish, Subscribe, Unsubscribe


@final
@dataclass(frozen=True)
class Acknowledged:
    """The client has our publish with QoS 1; its packet id is free again. `code`: MQTT 5, 0x80 and up is a refusal."""

    packet_id: int
    code: int = 0


@final
@dataclass(frozen=True)
class Closed:
    """The session ended without DISCONNECT from the client; always the last event. Send `to_send()`, then close."""

    reason: str
    """For our log: the rule that was broken, or the wait that took too long."""
    code: int
    """The MQTT 5 reason code for it."""


Event = Connect | Publish | Subscribe | Unsubscribe | Acknowledged | Disconnect | Closed
"""`Disconnect` and `Closed` are last words: nothing comes after either."""
