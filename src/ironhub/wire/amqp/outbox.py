"""What one connection has to send, and the counts that all its sessions share."""

from typing import final

from ironhub.wire.amqp.frames import AMQP_FRAME, MIN_MAX_FRAME, encode_frame


@final
class Outbox:
    """One run of bytes: everything is appended, and taken all at once."""

    __slots__ = ("data", "links", "max_frame", "terms", "unfinished")

    def __init__(self) -> None:
        self.data = bytearray()
        self.max_frame = MIN_MAX_FRAME
        """Bytes of one frame that the peer takes."""
        self.links = 0
        """Handles that are in use, links that wait for the peer's DETACH among them."""
        self.terms = 0
        """Bytes of the ATTACHes of these."""
        self.unfinished = 0
        """Bytes of incoming messages that are not whole yet."""

    def frame(self, channel: int, body: bytes) -> None:
        """Append an AMQP frame."""
        self.data += encode_frame(AMQP_FRAME, channel, body)

    def take(self) -> bytes:
        """All that was appended since the last time."""
        if not self.data:
            return b""
        taken = bytes(self.data)
        self.data.clear()
        return taken
