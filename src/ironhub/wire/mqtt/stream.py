"""Cuts a stream of bytes into packets: whatever the pieces it arrives in, however slowly they drip."""

from typing import Final, final

from ironhub.wire.mqtt.decode import MAX_FILTERS, decode_packet, decode_publish
from ironhub.wire.mqtt.errors import ProtocolViolation
from ironhub.wire.mqtt.fields import variable
from ironhub.wire.mqtt.packets import LEVEL_5, Connect, Packet
from ironhub.wire.mqtt.reasons import ReasonCode
from ironhub.wire.mqtt.topics import TopicCache

_PUBLISH: Final = 3
_CONNECT_BYTE: Final = 0x10
_TOO_LONG: Final = "a remaining length is longer than it needs to be"


@final
class PacketStream:
    """Holds at most one packet that is not yet whole, and no more of it than has come.

    It pauses after a CONNECT, since what follows can be read only when level and limits are agreed, and keeps what
    comes then until `resume()`. Each byte is copied a bounded number of times, in pieces of any size.
    """

    __slots__ = ("_cache", "_needed", "_partial", "level", "max_filters", "max_packet", "paused")

    def __init__(self, max_packet: int, *, level: int = 0, max_filters: int = MAX_FILTERS) -> None:
        """`max_packet` is in bytes, header included; `level` 0 admits nothing but a CONNECT."""
        self.max_packet = max_packet
        self.max_filters = max_filters
        self.level = level
        self.paused = False
        self._partial: bytearray | None = None
        self._needed = 0
        self._cache = TopicCache()

    @property
    def pending(self) -> int:
        """Bytes held: of a packet that is not whole yet, or, paused, all that waits."""
        return 0 if self._partial is None else len(self._partial)

    def feed(self, data: bytes, packets: list[Packet]) -> None:
        """Append to `packets` those that `data` completes.

        Raises:
            ProtocolViolation: the stream cannot be read on. What came whole before it stands in `packets`.
        """
        partial = self._partial
        if partial is not None:
            partial += data
            if self.paused or len(partial) < self._needed:
                return  # without a look at what waits: or each byte that drips in would cost a copy of all of it
            data = bytes(partial)
            self._partial = None
        used = 0 if self.paused else self._decode(data, packets)
        if used < len(data):
            self._partial = bytearray(data[used:])

    def resume(self, packets: list[Packet], *, level: int, max_packet: int) -> None:
        """Go on after a CONNECT, under what was agreed; raises like `feed`."""
        self.paused = False
        self.level = level
        self.max_packet = max_packet
        self._needed = 0
        self.feed(b"", packets)

    def clear(self) -> None:
        """Forget what is held."""
        self._partial = None

    def _decode(self, data: bytes, packets: list[Packet]) -> int:
        """Decode whole packets from the start of `data`; returns where the first that is not whole begins."""
        pos = 0
        end = len(data)
        while pos + 2 <= end:
            first = data[pos]
            if self.level == 0 and first != _CONNECT_BYTE:
                raise ProtocolViolation("the first packet is not CONNECT", ReasonCode.PROTOCOL_ERROR)  # [MQTT-3.1.0-1]
            size = data[pos + 1]
            body = pos + 2
            if size >= 0x80:
                size, body = self._long_length(data, body, end)
                if size < 0:
                    break
            if body - pos + size > self.max_packet:
                raise ProtocolViolation("a packet is larger than this server takes", ReasonCode.PACKET_TOO_LARGE)
            stop = body + size
            if stop > end:
                self._needed = stop - pos
                return pos
            if first >> 4 == _PUBLISH:
                packets.append(decode_publish(first, data, body, stop, self.level, self._cache))
            else:
                packet = decode_packet(first, data, body, stop, self.level, self.max_filters)
                if isinstance(packet, Connect):
                    if packet.level == LEVEL_5 and body - pos - 1 != len(variable(size)):
                        raise ProtocolViolation(_TOO_LONG)  # until here its level was unknown
                    self.paused = True
                    packets.append(packet)
                    return stop
                packets.append(packet)
            pos = stop
        self._needed = 0
        return pos

    def _long_length(self, data: bytes, pos: int, end: int) -> tuple[int, int]:
        """A remaining length of two to four bytes (2.2.3) and where the body begins; (-1, 0) if it is not all there."""
        size = data[pos - 1] & 0x7F
        for shift in (7, 14, 21):
            if pos >= end:
                return -1, 0
            byte = data[pos]
            pos += 1
            size |= (byte & 0x7F) << shift
            if byte < 0x80:
                if byte == 0 and self.level == LEVEL_5:  # [MQTT-1.5.5-1]; 3.1.1 does not forbid it
                    raise ProtocolViolation(_TOO_LONG)
                return size, pos
        raise ProtocolViolation("a remaining length has more than four bytes")
