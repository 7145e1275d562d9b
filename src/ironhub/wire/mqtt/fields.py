"""The data types packets are made of (section 1.5): read with bounds checked, and written."""

from typing import final

from ironhub.wire.mqtt.errors import ProtocolViolation, UsageError

MAX_FIELD = 65_535
"""Bytes of a string or binary field: its length is two bytes."""
MAX_REMAINING_LENGTH = 268_435_455
"""The largest number four length bytes can say."""


def decode_utf8(raw: bytes) -> str:
    """Return the text `raw` is the UTF-8 of; a byte order mark stays in it [MQTT-1.5.3-3].

    Raises:
        ProtocolViolation: ill-formed or a surrogate [MQTT-1.5.3-1], or U+0000 in it [MQTT-1.5.3-2].
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise ProtocolViolation("a string is not well-formed UTF-8") from None
    if "\0" in text:
        raise ProtocolViolation("a string has U+0000 in it")
    return text


@final
class Reader:
    """Reads the fields between `pos` and `end` of a packet, in order; past the end is a ProtocolViolation."""

    __slots__ = ("data", "end", "pos")

    def __init__(self, data: bytes, pos: int, end: int) -> None:
        self.data = data
        self.pos = pos
        self.end = end

    def left(self) -> int:
        """Bytes not yet read."""
        return self.end - self.pos

    def byte(self) -> int:
        """One byte."""
        pos = self.pos
        if pos >= self.end:
            raise ProtocolViolation("a packet ends before its fields do")
        self.pos = pos + 1
        return self.data[pos]

    def two_bytes(self) -> int:
        """Two bytes, big endian (1.5.2)."""
        pos = self.pos
        if pos + 2 > self.end:
            raise ProtocolViolation("a packet ends before its fields do")
        self.pos = pos + 2
        return self.data[pos] << 8 | self.data[pos + 1]

    def four_bytes(self) -> int:
        """Four bytes, big endian (MQTT 5, 1.5.3)."""
        return self.two_bytes() << 16 | self.two_bytes()

    def variable(self) -> int:
        """A variable byte integer, in the fewest bytes that hold it [MQTT-1.5.5-1]."""
        value = self.byte()
        if value < 0x80:
            return value
        value &= 0x7F
        for shift in (7, 14, 21):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if byte == 0:
                    raise ProtocolViolation("a variable byte integer is longer than it needs to be")
                return value
        raise ProtocolViolation("a variable byte integer has more than four bytes")

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        pos = self.pos
        if pos + size > self.end:
            raise ProtocolViolation("a packet ends before its fields do")
        self.pos = pos + size
        return self.data[pos : pos + size]

    def binary(self) -> bytes:
        """Bytes with a two-byte length before them (MQTT 5, 1.5.6)."""
        return self.take(self.two_bytes())

    def text(self) -> str:
        """A UTF-8 string with a two-byte length before it (1.5.3)."""
        return decode_utf8(self.binary())

    def packet_id(self) -> int:
        """A packet identifier, which is never zero [MQTT-2.3.1-1]."""
        packet_id = self.two_bytes()
        if packet_id == 0:
            raise ProtocolViolation("a packet identifier is zero")
        return packet_id

    def finish(self) -> None:
        """Refuse what stands after the last field."""
        if self.pos != self.end:
            raise ProtocolViolation("a packet goes on after its last field")


def two_bytes(value: int) -> bytes:
    """`value` as two bytes, big endian."""
    if not 0 <= value <= MAX_FIELD:
        raise UsageError(f"{value} does not fit in two bytes")
    return value.to_bytes(2, "big")


def four_bytes(value: int) -> bytes:
    """`value` as four bytes, big endian."""
    if not 0 <= value <= 0xFFFF_FFFF:
        raise UsageError(f"{value} does not fit in four bytes")
    return value.to_bytes(4, "big")


def variable(value: int) -> bytes:
    """`value` as a variable byte integer of one to four bytes."""
    if not 0 <= value <= MAX_REMAINING_LENGTH:
        raise UsageError(f"{value} does not fit in a variable byte integer")
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def binary(value: bytes) -> bytes:
    """`value` with its length before it; at most 65,535 bytes."""
    if len(value) > MAX_FIELD:
        raise UsageError(f"a field of {len(value)} bytes is too long: 65535 are the most")
    return len(value).to_bytes(2, "big") + value


def text(value: str) -> bytes:
    """`value` as UTF-8 with its length before it."""
    if "\0" in value:
        raise UsageError("a string must not have U+0000 in it")
    try:
        return binary(value.encode("utf-8"))
    except UnicodeEncodeError:
        raise UsageError("a string has a lone surrogate in it") from None


def packet_id(value: int) -> bytes:
    """A packet identifier, 1 to 65,535."""
    if value == 0:
        raise UsageError("a packet identifier is never zero")
    return two_bytes(value)
