"""From Python values to AMQP's encoding, in the fewest bytes; a compound takes parts that are already encoded.

What does not fit its type is a ValueError. Numbers in brackets are sections of the standard's part 1.
"""

from collections.abc import Sequence
from struct import Struct
from typing import Final

NULL: Final = b"\x40"
"""[1.6.1]"""
TRUE: Final = b"\x41"
FALSE: Final = b"\x42"
EMPTY_LIST: Final = b"\x45"
MAX_SIZE: Final = 0xFFFF_FFFF
"""The largest size or count that four bytes can say."""

_FLOAT: Final = Struct(">f")
_DOUBLE: Final = Struct(">d")
_UINT0: Final = b"\x43"
_ULONG0: Final = b"\x44"
_SMALL_UINT: Final = [_UINT0] + [bytes((0x52, n)) for n in range(1, 256)]
_SMALL_DESCRIPTOR: Final = [bytes((0x00, 0x53, code)) for code in range(256)]


def null() -> bytes:
    """The null value."""
    return NULL


def boolean(value: bool) -> bytes:
    """[1.6.2]"""
    return TRUE if value else FALSE


def ubyte(value: int) -> bytes:
    """0 to 255 [1.6.3]."""
    return b"\x50" + _unsigned(value, 1)


def ushort(value: int) -> bytes:
    """0 to 2**16 - 1 [1.6.4]."""
    return b"\x60" + _unsigned(value, 2)


def uint(value: int) -> bytes:
    """0 to 2**32 - 1 [1.6.5]."""
    if 0 <= value < 256:
        return _SMALL_UINT[value]
    return b"\x70" + _unsigned(value, 4)


def ulong(value: int) -> bytes:
    """0 to 2**64 - 1 [1.6.6]."""
    if value == 0:
        return _ULONG0
    if 0 < value < 256:
        return bytes((0x53, value))
    return b"\x80" + _unsigned(value, 8)


def byte(value: int) -> bytes:
    """-128 to 127 [1.6.7]."""
    return b"\x51" + _signed(value, 1)


def short(value: int) -> bytes:
    """-2**15 to 2**15 - 1 [1.6.8]."""
    return b"\x61" + _signed(value, 2)


def int_(value: int) -> bytes:
    """-2**31 to 2**31 - 1 [1.6.9]."""
    if -128 <= value < 128:
        return b"\x54" + _signed(value, 1)
    return b"\x71" + _signed(value, 4)


def long(value: int) -> bytes:
    """-2**63 to 2**63 - 1 [1.6.10]."""
    if -128 <= value < 128:
        return b"\x55" + _signed(value, 1)
    return b"\x81" + _signed(value, 8)


def float_(value: float) -> bytes:
    """Four bytes, which round `value` [1.6.11]."""
    try:
        return b"\x72" + _FLOAT.pack(value)
    except OverflowError:
        raise ValueError(f"{value} does not fit in a float of four bytes") from None


def double(value: float) -> bytes:
    """[1.6.12]"""
    return b"\x82" + _DOUBLE.pack(value)


def timestamp(milliseconds: int) -> bytes:
    """An instant, in milliseconds since the Unix epoch [1.6.17]."""
    return b"\x83" + _signed(milliseconds, 8)


def uuid(sixteen: bytes) -> bytes:
    """[1.6.18]"""
    if len(sixteen) != 16:
        raise ValueError(f"a uuid has 16 bytes, not {len(sixteen)}")
    return b"\x98" + sixteen


def binary(value: bytes) -> bytes:
    """[1.6.19]"""
    return _variable(0xA0, value)


def string(value: str) -> bytes:
    """[1.6.20]"""
    return _variable(0xA1, value.encode("utf-8"))


def symbol(value: str) -> bytes:
    """ASCII only [1.6.21]."""
    return _variable(0xA3, value.encode("ascii"))


def list_(items: Sequence[bytes]) -> bytes:
    """A list of encoded values [1.6.22]."""
    if not items:
        return EMPTY_LIST
    return _compound(0xC0, len(items), b"".join(items))


def map_(pairs: Sequence[tuple[bytes, bytes]]) -> bytes:
    """A map of encoded keys to encoded values; that no key comes twice is the caller's care [1.6.23]."""
    return _compound(0xC1, 2 * len(pairs), b"".join([key + value for key, value in pairs]))


def symbols(names: Sequence[str]) -> bytes:
    """An array of symbols [1.6.24]."""
    raw = [name.encode("ascii") for name in names]
    if any(len(name) > 255 for name in raw):
        return _compound(0xE0, len(raw), b"\xb3" + b"".join([len(name).to_bytes(4, "big") + name for name in raw]))
    return _compound(0xE0, len(raw), b"\xa3" + b"".join([bytes((len(name),)) + name for name in raw]))


def described(code: int, value: bytes) -> bytes:
    """An encoded value with a numeric descriptor [1.3]."""
    if 0 <= code < 256:
        return _SMALL_DESCRIPTOR[code] + value
    return b"\x00\x80" + _unsigned(code, 8) + value


def described_symbol(name: str, value: bytes) -> bytes:
    """An encoded value with a symbolic descriptor [1.3]."""
    return b"\x00" + symbol(name) + value


def _unsigned(value: int, width: int) -> bytes:
    if not 0 <= value < 1 << 8 * width:
        raise ValueError(f"{value} does not fit in {width} bytes without a sign")
    return value.to_bytes(width, "big")


def _signed(value: int, width: int) -> bytes:
    half = 1 << 8 * width - 1
    if not -half <= value < half:
        raise ValueError(f"{value} does not fit in {width} bytes with a sign")
    return value.to_bytes(width, "big", signed=True)


def _variable(code: int, raw: bytes) -> bytes:
    """`code` is the constructor with a length of one byte; the one with four is 0x10 more."""
    size = len(raw)
    if size < 256:
        return bytes((code, size)) + raw
    return bytes((code + 0x10,)) + _unsigned(size, 4) + raw


def _compound(code: int, count: int, content: bytes) -> bytes:
    """As `_variable`; the size counts the bytes of the count [1.2]."""
    size = len(content)
    if size < 255 and count < 256:
        return bytes((code, size + 1, count)) + content
    return bytes((code + 0x10,)) + _unsigned(size + 4, 4) + _unsigned(count, 4) + content
