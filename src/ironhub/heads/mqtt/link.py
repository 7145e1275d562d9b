"""What a DeviceSession may ask of the conversation it lives in."""

from typing import Protocol

from ironhub.heads.listener import Channel
from ironhub.wire.mqtt import ServerSession


class Link(Protocol):
    """The connection of one device; implemented by MqttConversation."""

    wire: ServerSession
    """The MQTT state of the connection; after a change of it, `flush`."""

    @property
    def channel(self) -> Channel:
        """The way to the peer."""

    @property
    def closed(self) -> bool:
        """Nothing can be sent any more."""

    def flush(self) -> None:
        """Send what the wire session has to say."""

    def adjust_reading(self) -> None:
        """Pause or resume reading from the peer, as what was read before finds room."""

    def made_room(self) -> None:
        """Some of what was read before is done: read on if that was awaited. Costs next to nothing if not."""

    def fail(self, code: str, message: str) -> None:
        """End the connection because of what the peer did, or the store could not do."""

    def close(self) -> None:
        """Flush and close in order."""

    def abort(self) -> None:
        """Close at once."""
