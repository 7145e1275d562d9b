"""The primitive types that hold no other values (part 1, 1.6.1 to 1.6.21): from their bytes to Python values."""

from struct import Struct
from typing import Final

from ironhub.wire.amqp.errors import MalformedValue
from ironhub.wire.amqp.values import Timestamp, Uuid, Value

_UNKNOWN: Final = 0xFF
_KINDS: Final = (0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 1, 4, 2, 8, 2, 8)
_CODES: Final = (
    b"\x40\x41\x42\x43\x44\x45\x50\x51\x52\x53\x54\x55\x56\x60\x61\x70\x71\x72\x73\x74\x80\x81\x82\x83\x84\x94\x98"
    b"\xa0\xa1\xa3\xb0\xb1\xb3\xc0\xc1\xd0\xd1\xe0\xf0"
)
"""All constructors there are."""
_LEAST: Final = bytes([_KINDS[code >> 4] if code in _CODES else _UNKNOWN for code in range(256)])

_SIGNED: Final = b"\x51\x54\x55\x61\x71\x81"
_FLOAT: Final = Struct(">f")
_DOUBLE: Final = Struct(">d")


def least_bytes(code: int) -> int:
    """The bytes that come after the constructor `code` whatever the value: its width, or those of size and count (1.2).

    Raises:
        MalformedValue: there is no such constructor.
    """
    least = _LEAST[code]
    if least == _UNKNOWN:
        raise MalformedValue(f"{code:#04x} is no constructor")
    return least


def number(data: bytes, at: int, width: int) -> int:
    """A number of one, two or four bytes without a sign; that they are there is the caller's care."""
    if width == 1:
        return data[at]
    if width == 2:
        return data[at] << 8 | data[at + 1]
    return data[at] << 24 | data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3]


def fixed(code: int, data: bytes, at: int, width: int) -> Value:
    """A value of fixed width, `width` bytes from `at` on; that they are there is the caller's care."""
    if width == 0:
        return _zero_width(code)
    if code == 0x50 or code == 0x52 or code == 0x53 or code == 0x60 or code == 0x70:
        return number(data, at, width)
    if code == 0x56:
        return _boolean(data[at])
    raw = data[at : at + width]
    if code in _SIGNED:
        return int.from_bytes(raw, "big", signed=True)
    if code == 0x80:
        return int.from_bytes(raw, "big")
    if code == 0x83:
        return Timestamp(int.from_bytes(raw, "big", signed=True))
    if code == 0x98:
        return Uuid(raw)
    if code == 0x73:
        return _char(int.from_bytes(raw, "big"))
    return _real(code, raw)


def variable(code: int, raw: bytes) -> Value:
    """A value of variable width: binary, string or symbol."""
    kind = code & 0x0F
    if kind == 0:
        return raw
    try:
        return raw.decode("utf-8") if kind == 1 else raw.decode("ascii")
    except UnicodeDecodeError:
        raise MalformedValue("a string is not UTF-8, or a symbol not ASCII") from None


def check_text(code: int, raw: bytes) -> None:
    """Refuse what `variable` refuses."""
    if code & 0x0F and not raw.isascii():
        variable(code, raw)


def _zero_width(code: int) -> Value:
    if code == 0x40:
        return None
    if code == 0x45:
        return []
    return 0 if code > 0x42 else code == 0x41


def _boolean(octet: int) -> bool:
    if octet > 1:
        raise MalformedValue("a boolean is neither 0 nor 1")  # 1.6.2
    return octet == 1


def _char(point: int) -> str:
    if point > 0x10FFFF or 0xD800 <= point <= 0xDFFF:
        raise MalformedValue("a char is no Unicode character")  # 1.6.16
    return chr(point)


def _real(code: int, raw: bytes) -> float | bytes:
    """A float or double, or a decimal's bytes (1.6.11 to 1.6.15)."""
    if code == 0x72:
        single: float = _FLOAT.unpack(raw)[0]
        return single
    if code == 0x82:
        double: float = _DOUBLE.unpack(raw)[0]
        return double
    return raw
