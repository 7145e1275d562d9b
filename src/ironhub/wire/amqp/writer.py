"""Writes transfer frames straight into the bytes to send: what all transfers of a link have in common is made once."""

from typing import Final, final

from ironhub.wire.amqp.encode import FALSE, NULL, TRUE, uint
from ironhub.wire.amqp.transfers import TRANSFER

_COUNT: Final = 11
_REST: Final = NULL + NULL + FALSE + FALSE + FALSE
"""rcv-settle-mode, state, resume, aborted, batchable."""


@final
class TransferWriter:
    """The transfers of one link, written full width (2.7.5)."""

    __slots__ = ("_channel", "_format", "_handle", "_lead", "_tag_head", "_tag_size", "_tails", "overhead")

    def __init__(self, channel: int, handle: int) -> None:
        self._channel = channel.to_bytes(2, "big")
        self._handle = uint(handle)
        self._tag_size = -1
        self._format = 0
        self._lead = b""
        self._tag_head = b""
        self._tails: tuple[bytes, bytes, bytes, bytes] = (b"", b"", b"", b"")
        self.overhead = 0
        """Bytes of a frame besides its payload."""

    def shape(self, tag_size: int, message_format: int) -> None:
        """Make ready for tags of this size, 32 bytes at most, and this format."""
        if tag_size == self._tag_size and message_format == self._format:
            return
        self._tag_size = tag_size
        self._format = message_format
        self._tag_head = bytes((0xA0, tag_size))
        format_ = uint(message_format)
        self._tails = (
            format_ + FALSE + FALSE + _REST,
            format_ + TRUE + FALSE + _REST,
            format_ + FALSE + TRUE + _REST,
            format_ + TRUE + TRUE + _REST,
        )
        size = len(self._handle) + 5 + 2 + tag_size + len(self._tails[0])
        head = b"\x02\x00" + self._channel + bytes((0x00, 0x53, TRANSFER, 0xC0, size + 1, _COUNT))
        self._lead = head + self._handle + b"\x70"
        self.overhead = 4 + len(head) + size

    def write(
        self, out: bytearray, delivery_id: int, tag: bytes, payload: bytes, settled: bool, more: bool = False
    ) -> None:
        """Append one frame to `out`."""
        out += (self.overhead + len(payload)).to_bytes(4, "big")
        out += self._lead
        out += delivery_id.to_bytes(4, "big")
        out += self._tag_head
        out += tag
        out += self._tails[(2 if more else 0) + (1 if settled else 0)]
        out += payload
