"""The bounds of a session, one value shared by all sessions of a listener."""

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, kw_only=True)
class SessionLimits:
    """Bytes, seconds and counts a client may take."""

    connect_timeout: float = 10.0
    """Seconds until CONNECT is complete; bytes that drip in do not lengthen it."""
    max_connect_packet: int = 16_384
    """Bytes of a CONNECT, header included: what a stranger may make us hold."""
    max_packet: int = 262_144 + 65_536 + 16
    """Bytes of any later packet, header included: a message body, a topic, and the fields around them."""
    max_inbox: int = 65_536
    """Bytes that may wait between CONNECT and the verdict on it."""
    max_filters: int = 64
    """Topic filters in one SUBSCRIBE or UNSUBSCRIBE."""
    max_silence: float = 1767.0
    """Seconds an open session may be silent, whatever keep-alive it asked for; also where it asked for none."""
    max_qos: int = 1
    """Largest QoS of a publish from the client; a larger one ends the session."""
    receive_window: int = 1024
    """Publishes from the client that may wait for our acknowledgement; beyond it the owner stops reading."""
    send_window: int = 16
    """Publishes with QoS 1 to the client that may wait for its acknowledgement."""
    topic_alias_maximum: int = 0
    """Topic aliases a client of MQTT 5 may set."""
