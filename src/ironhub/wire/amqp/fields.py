"""Reads the lists that performatives, message sections and their parts are: composite types (part 1, 1.4)."""

from typing import Final, final

from ironhub.wire.amqp.decode import compound_at, decode, skip
from ironhub.wire.amqp.errors import MalformedValue
from ironhub.wire.amqp.scalars import number
from ironhub.wire.amqp.values import Described, Value

MAX_PAIRS: Final = 64
"""Of a map that is kept as long as its link or connection lives, and names of a list; clients send a dozen."""
ABSENT: Final = -1
"""Stands for a number that is not there: null, or beyond the list's last field."""
_NULL: Final = 0x40
_WRONG: Final = "a field has another type than its own"
_SHORT: Final = "a field ends before its bytes do"


@final
class Fields:
    """The fields of one list, in order. One that is null, or is not there any more, takes the default given.

    Each method raises MalformedValue for a field of another type or without its bytes.
    """

    __slots__ = ("at", "data", "end", "left")

    def __init__(self, data: bytes, at: int, end: int) -> None:
        """`at` is where the list's constructor stands; `end` how far the list may go."""
        if at >= end or end > len(data):
            raise MalformedValue(_SHORT)
        code = data[at]
        self.data = data
        if code == 0x45:
            self.at = self.end = at + 1
            self.left = 0
            return
        if code != 0xC0 and code != 0xD0:
            raise MalformedValue("a list of fields is no list")
        first, stop, count = compound_at(data, at + 1, end, 2 if code == 0xC0 else 8)
        if count > stop - first:
            raise MalformedValue("a count is larger than its bytes can hold")
        self.at = first
        self.end = stop
        self.left = count

    def code(self) -> int:
        """The constructor of the next field, that of null if there is none; what comes after it is next."""
        if self.left == 0:
            return _NULL
        self.left -= 1
        at = self.at
        if at >= self.end:
            raise MalformedValue(_SHORT)
        self.at = at + 1
        return self.data[at]

    def number(self, width: int) -> int:
        """`width` bytes, one, two or four, as a number without a sign."""
        at = self.at
        self.at = at + width
        if at + width > self.end:
            raise MalformedValue(_SHORT)
        return number(self.data, at, width)

    def uint(self, default: int = ABSENT) -> int:
        """A number of up to four bytes, in any of its three encodings."""
        code = self.code()
        if code == _NULL:
            return default
        if code == 0x52:
            return self.number(1)
        if code == 0x43:
            return 0
        if code == 0x70:
            return self.number(4)
        raise MalformedValue(_WRONG)

    def ushort(self, default: int = ABSENT) -> int:
        """A number of two bytes."""
        code = self.code()
        if code == _NULL:
            return default
        if code == 0x60:
            return self.number(2)
        raise MalformedValue(_WRONG)

    def ubyte(self, default: int = ABSENT) -> int:
        """A number of one byte."""
        code = self.code()
        if code == _NULL:
            return default
        if code == 0x50:
            return self.number(1)
        raise MalformedValue(_WRONG)

    def ulong(self, default: int = ABSENT) -> int:
        """A number of up to eight bytes, in any of its three encodings."""
        code = self.code()
        if code == _NULL:
            return default
        if code == 0x53:
            return self.number(1)
        if code == 0x44:
            return 0
        if code == 0x80:
            return self.number(4) << 32 | self.number(4)
        raise MalformedValue(_WRONG)

    def timestamp(self) -> int | None:
        """Milliseconds since the Unix epoch."""
        code = self.code()
        if code == _NULL:
            return None
        if code != 0x83:
            raise MalformedValue(_WRONG)
        value = self.number(4) << 32 | self.number(4)
        return value - (1 << 64) if value >> 63 else value

    def boolean(self, default: bool = False) -> bool:
        """A boolean, in any of its three encodings."""
        code = self.code()
        if code == 0x42:
            return False
        if code == 0x41:
            return True
        if code == _NULL:
            return default
        if code != 0x56:
            raise MalformedValue(_WRONG)
        octet = self.number(1)
        if octet > 1:
            raise MalformedValue("a boolean is neither 0 nor 1")
        return octet == 1

    def certain_boolean(self) -> bool:
        """A boolean without a default."""
        if self.left == 0 or (self.at < self.end and self.data[self.at] == _NULL):
            raise MalformedValue("a field that must be there is not")
        return self.boolean()

    def certain_uint(self) -> int:
        """A uint without a default."""
        value = self.uint()
        if value < 0:
            raise MalformedValue("a field that must be there is not")
        return value

    def certain_text(self) -> str:
        """A text without a default."""
        value = self.text()
        if value is None:
            raise MalformedValue("a field that must be there is not")
        return value

    def binary(self) -> bytes | None:
        """Bytes of any number."""
        code = self.code()
        if code == _NULL:
            return None
        if code != 0xA0 and code != 0xB0:
            raise MalformedValue(_WRONG)
        return self.take(self.number(1 if code == 0xA0 else 4))

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        at = self.at
        stop = at + size
        if stop > self.end:
            raise MalformedValue(_SHORT)
        self.at = stop
        return self.data[at:stop]

    def text(self) -> str | None:
        """A string or a symbol: peers mix them up, and nothing is lost by it."""
        code = self.code()
        if code == _NULL:
            return None
        if code not in (0xA1, 0xA3, 0xB1, 0xB3):
            raise MalformedValue(_WRONG)
        raw = self.take(self.number(1 if code < 0xB0 else 4))
        try:
            return raw.decode("utf-8" if code & 0x0F == 1 else "ascii")
        except UnicodeDecodeError:
            raise MalformedValue("a string is not UTF-8, or a symbol not ASCII") from None

    def raw(self) -> bytes:
        """The field as encoded, its constructor included; b"\\x40", a null, if there is none."""
        if self.left == 0:
            return b"\x40"
        self.left -= 1
        at = self.at
        self.at = skip(self.data, at, self.end)
        return self.data[at : self.at]

    def value(self) -> Value:
        """The field, whatever its type."""
        if self.left == 0:
            return None
        self.left -= 1
        value, self.at = decode(self.data, self.at, self.end)
        return value

    def texts(self) -> list[str]:
        """An array of symbols, or a single one in its place (1.4, multiple)."""
        value = self.value()
        if value is None:
            return []
        if isinstance(value, str):
            return [value]
        if not isinstance(value, list):
            raise MalformedValue(_WRONG)
        if len(value) > MAX_PAIRS:
            raise MalformedValue("a list has too many names")
        return [_text(item) for item in value]

    def finish(self) -> int:
        """Where the list ends; what stands after the last field that was asked for is refused."""
        if self.left or self.at != self.end:
            raise MalformedValue("a list goes on after its last field")
        return self.end


def text_map(raw: bytes) -> dict[str, Value]:
    """A map whose keys are symbols or strings, as `Fields.raw` gave it; {} for null.

    Nothing of it is large in memory that was small as bytes: pairs are few, and a list, map or array in it is None.
    """
    value, _ = decode(raw)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedValue(_WRONG)
    if len(value) > MAX_PAIRS:
        raise MalformedValue("a map has too many pairs")
    return {_text(key): _plain(item) for key, item in value.items()}


def descriptor_at(data: bytes, at: int, end: int) -> tuple[int, str, int]:
    """The descriptor of the described value at `at`: its number or else -1, its symbol or else "", and where the value
    begins."""
    if at + 3 > end or data[at] != 0:
        raise MalformedValue("a value is not described")
    if data[at + 1] == 0x53:
        return data[at + 2], "", at + 3
    value, stop = decode(data, at + 1, end)
    if isinstance(value, str):
        return -1, value, stop
    if data[at + 1] not in (0x44, 0x80) or not isinstance(value, int):
        raise MalformedValue("a descriptor is neither ulong nor symbol")
    return value, "", stop


def _plain(value: Value) -> Value:
    """`value` if it holds no other values, described or not; else None."""
    if isinstance(value, Described):
        return None if _holds_others(value.descriptor) or _holds_others(value.value) else value
    return None if _holds_others(value) else value


def _holds_others(value: Value) -> bool:
    return isinstance(value, (list, dict, Described))


def _text(value: Value) -> str:
    if not isinstance(value, str):
        raise MalformedValue(_WRONG)
    return value
