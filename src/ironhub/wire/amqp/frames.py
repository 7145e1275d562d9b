"""Cuts a stream of bytes into frames and protocol headers (part 2, 2.2 and 2.3), whatever the pieces it arrives in."""

from typing import Final, TypeAlias, final

from ironhub.wire.amqp.conditions import FRAMING_ERROR
from ironhub.wire.amqp.errors import ProtocolViolation

AMQP_FRAME: Final = 0
SASL_FRAME: Final = 1
PROTOCOL_HEADER: Final = -1
"""Eight bytes that begin with "AMQP"."""

AMQP_HEADER: Final = b"AMQP\x00\x01\x00\x00"
"""[2.2]"""
SASL_HEADER: Final = b"AMQP\x03\x01\x00\x00"
"""[5.3.1]"""
EMPTY_FRAME: Final = b"\x00\x00\x00\x08\x02\x00\x00\x00"
"""What keeps a connection from being silent [2.4.5]."""
HEAD: Final = 8
"""Bytes of a header, and of the least frame."""
MIN_MAX_FRAME: Final = 512
"""The smallest max-frame-size there may be [2.7.1]."""

Frame: TypeAlias = tuple[int, int, bytes]
"""What it is (AMQP_FRAME, SASL_FRAME, PROTOCOL_HEADER), its channel, and its body, or all of a header."""


@final
class FrameBuffer:
    """Holds at most one frame that is not yet whole, and no more of it than has come.

    Each byte is copied a bounded number of times, in pieces of any size.
    """

    __slots__ = ("_at", "_data", "_needed", "_partial", "max_frame")

    def __init__(self, max_frame: int) -> None:
        """`max_frame` is in bytes, the frame's header included; it may be changed at any time."""
        self.max_frame = max_frame
        self._data = b""
        self._at = 0
        self._partial: bytearray | None = None
        self._needed = 0

    @property
    def pending(self) -> int:
        """Bytes held that no frame has been made of."""
        return len(self._data) - self._at if self._partial is None else len(self._partial)

    def feed(self, data: bytes) -> None:
        """Append what came; then ask `take()` until it has nothing."""
        partial = self._partial
        if partial is None:
            if self._at == len(self._data):
                self._data = data
                self._at = 0
                return
            partial = self._wait_for(0)
        partial += data

    def take(self) -> Frame | None:
        """The next frame or header that is whole; an empty body is a sign of life [2.4.5].

        Raises:
            ProtocolViolation: the stream cannot be read on; it is raised at each further call.
        """
        if self._partial is not None:
            if len(self._partial) < self._needed:
                return None  # without a look at what waits: or each byte that drips in would cost a copy of all of it
            self._data = bytes(self._partial)
            self._partial = None
        data = self._data
        at = self._at
        if len(data) - at < HEAD:
            if at < len(data):
                self._wait_for(HEAD)
            return None
        if data[at] == 0x41 and data.startswith(b"AMQP", at):
            self._at = at + HEAD
            return PROTOCOL_HEADER, 0, data[at : at + HEAD]
        size = data[at] << 24 | data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3]
        offset = data[at + 4] << 2
        kind = data[at + 5]
        if size > self.max_frame or offset < HEAD or offset > size or kind > SASL_FRAME:
            raise ProtocolViolation(FRAMING_ERROR, _complaint(size, self.max_frame, offset, kind))
        stop = at + size
        if stop > len(data):
            self._wait_for(size)
            return None
        self._at = stop
        return kind, data[at + 6] << 8 | data[at + 7], data[at + offset : stop]

    def clear(self) -> None:
        """Forget what is held."""
        self._partial = None
        self._data = b""
        self._at = 0

    def _wait_for(self, size: int) -> bytearray:
        """Keep what was not taken until there are `size` bytes of it; returns where to append."""
        self._partial = partial = bytearray(self._data[self._at :])
        self._needed = size
        self._data = b""
        self._at = 0
        return partial


def encode_frame(kind: int, channel: int, body: bytes) -> bytes:
    """A whole frame."""
    return b"".join(
        ((len(body) + HEAD).to_bytes(4, "big"), b"\x02\x01" if kind else b"\x02\x00", channel.to_bytes(2, "big"), body)
    )


def _complaint(size: int, max_frame: int, offset: int, kind: int) -> str:
    if size > max_frame:
        return f"a frame of {size} bytes is larger than the {max_frame} that are taken"
    if kind > SASL_FRAME:
        return f"frame type {kind} is unknown"
    if size < HEAD:
        return f"a frame of {size} bytes has no room for its header"
    return f"a frame of {size} bytes cannot begin its body at {offset}"
