"""From AMQP's encoding to Python values; whatever part 1 of the standard does not allow is a MalformedValue.

What it guards: depth is counted, sizes lie inside their parents, counts are believed only as far as bytes are there to
back them, and elements that take no bytes are few, so that neither stack, time nor memory grows beyond the input.
"""

from typing import Final, final

from ironhub.wire.amqp.errors import MalformedValue
from ironhub.wire.amqp.scalars import check_text, fixed, least_bytes, number, variable
from ironhub.wire.amqp.values import Described, Value

MAX_DEPTH: Final = 32
"""Lists, maps, arrays and described values within each other."""
MAX_ZERO_WIDTH: Final = 4096
"""Array elements that take no bytes, in all of one value."""
MAX_UNSALTED_KEYS: Final = 256
"""Keys of one map that are neither text nor binary: their hashes are known beforehand, and can be made to collide."""

_SHORT: Final = "a value ends before its bytes do"
_LONG: Final = "a value is longer than what it stands in"
_DEEP: Final = "values are nested too deep"


def decode(data: bytes, at: int = 0, end: int = -1) -> tuple[Value, int]:
    """Decode the value that begins at `at`; returns it and where the next begins.

    Args:
        data: holds the value.
        at: where its constructor stands.
        end: how far it may go; -1: to the end of `data`.

    Raises:
        MalformedValue: it is not what the standard allows, a map has a key twice (1.6.23) or one that Python cannot
            hash, or one of this module's bounds is passed.
    """
    return _Walk(data).value(at, _bound(data, end), 0)


def skip(data: bytes, at: int, end: int) -> int:
    """Where the next value begins; builds nothing and checks all that `decode` does, but for the keys of maps."""
    return _Walk(data).skip(at, _bound(data, end), 0)


def compound_at(data: bytes, at: int, end: int, least: int) -> tuple[int, int, int]:
    """What stands at `at`, a size and a count of `least` bytes together: where the first item is, where the last ends,
    and how many there are."""
    width = least >> 1
    first = at + least
    if first > end:
        raise MalformedValue(_SHORT)
    stop = at + width + number(data, at, width)
    if stop > end:
        raise MalformedValue(_LONG)
    if first > stop:
        raise MalformedValue("a size does not cover its own count")
    return first, stop, number(data, at + width, width)


def _bound(data: bytes, end: int) -> int:
    if end < 0:
        return len(data)
    if end > len(data):
        raise MalformedValue(_SHORT)
    return end


@final
class _Walk:
    """One pass over `data`, with what is left of the bound for elements without bytes."""

    __slots__ = ("data", "spare")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.spare = MAX_ZERO_WIDTH

    def value(self, at: int, end: int, depth: int) -> tuple[Value, int]:
        if at >= end:
            raise MalformedValue(_SHORT)
        code = self.data[at]
        if code:
            return self.body(code, at + 1, end, depth)
        _check_depth(depth)
        descriptor, at = self.value(at + 1, end, depth + 1)
        value, at = self.value(at, end, depth + 1)
        return Described(descriptor, value), at

    def body(self, code: int, at: int, end: int, depth: int) -> tuple[Value, int]:
        """What follows the constructor `code`."""
        least = least_bytes(code)
        start = at + least
        if start > end:
            raise MalformedValue(_SHORT)
        kind = code >> 4
        if kind < 0x0A:
            return fixed(code, self.data, at, least), start
        if kind < 0x0C:
            stop = start + number(self.data, at, least)
            if stop > end:
                raise MalformedValue(_LONG)
            return variable(code, self.data[start:stop]), stop
        first, stop, count = compound_at(self.data, at, end, least)
        _check_depth(depth)
        if kind >= 0x0E:
            return self.array(first, stop, count, depth + 1), stop
        if code & 0x0F:
            return self.map(first, stop, count, depth + 1), stop
        return self.list(first, stop, count, depth + 1), stop

    def list(self, at: int, end: int, count: int, depth: int) -> Value:
        _check_count(count, 1, end - at)
        items = []
        for _ in range(count):
            item, at = self.value(at, end, depth)
            items.append(item)
        _check_end(at, end)
        return items

    def map(self, at: int, end: int, count: int, depth: int) -> Value:
        _check_pairs(count, end - at)
        found: dict[Value, Value] = {}
        unsalted = 0
        for _ in range(count >> 1):
            key, at = self.value(at, end, depth)
            value, at = self.value(at, end, depth)
            if not isinstance(key, (str, bytes)):
                unsalted += 1
            _check_key(found, key, unsalted)
            found[key] = value
        _check_end(at, end)
        return found

    def array(self, at: int, end: int, count: int, depth: int) -> Value:
        if at == end and count == 0:
            return []
        described = at < end and self.data[at] == 0
        descriptor: Value = None
        if described:
            descriptor, at = self.value(at + 1, end, depth)
        code = self.element(at, end, count)
        at += 1
        items = []
        for _ in range(count):
            item, at = self.body(code, at, end, depth)
            items.append(Described(descriptor, item) if described else item)
        _check_end(at, end)
        return items

    def element(self, at: int, end: int, count: int) -> int:
        """The constructor at `at`, of all elements of an array; more than one descriptor before it is not read."""
        if at >= end:
            raise MalformedValue(_SHORT)
        code = self.data[at]
        least = least_bytes(code)
        if least == 0:
            self.spare -= count
            if self.spare < 0:
                raise MalformedValue("too many elements take no bytes")
        else:
            _check_count(count, least, end - at - 1)
        return code

    def skip(self, at: int, end: int, depth: int) -> int:
        if at >= end:
            raise MalformedValue(_SHORT)
        code = self.data[at]
        if code:
            return self.skip_body(code, at + 1, end, depth)
        _check_depth(depth)
        return self.skip(self.skip(at + 1, end, depth + 1), end, depth + 1)

    def skip_body(self, code: int, at: int, end: int, depth: int) -> int:
        least = least_bytes(code)
        start = at + least
        if start > end:
            raise MalformedValue(_SHORT)
        kind = code >> 4
        if kind < 0x0A:
            if code == 0x56 or code == 0x73:  # the only ones whose bytes can mean nothing
                fixed(code, self.data, at, least)
            return start
        if kind < 0x0C:
            stop = start + number(self.data, at, least)
            if stop > end:
                raise MalformedValue(_LONG)
            check_text(code, self.data[start:stop])
            return stop
        first, stop, count = compound_at(self.data, at, end, least)
        _check_depth(depth)
        if kind >= 0x0E:
            self.skip_array(first, stop, count, depth + 1)
        else:
            self.skip_items(first, stop, count, depth + 1, code & 0x0F == 1)
        return stop

    def skip_items(self, at: int, end: int, count: int, depth: int, pairs: bool) -> None:
        if pairs:
            _check_pairs(count, end - at)
        else:
            _check_count(count, 1, end - at)
        for _ in range(count):
            at = self.skip(at, end, depth)
        _check_end(at, end)

    def skip_array(self, at: int, end: int, count: int, depth: int) -> None:
        if at == end and count == 0:
            return
        if at < end and self.data[at] == 0:
            at = self.skip(at + 1, end, depth)
        code = self.element(at, end, count)
        at += 1
        for _ in range(count):
            at = self.skip_body(code, at, end, depth)
        _check_end(at, end)


def _check_depth(depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise MalformedValue(_DEEP)


def _check_count(count: int, least: int, space: int) -> None:
    if count * least > space:
        raise MalformedValue("a count is larger than its bytes can hold")


def _check_pairs(count: int, space: int) -> None:
    if count & 1:
        raise MalformedValue("a map has a key without a value")  # 1.6.23
    _check_count(count, 1, space)


def _check_key(found: dict[Value, Value], key: Value, unsalted: int) -> None:
    if unsalted > MAX_UNSALTED_KEYS:
        raise MalformedValue("a map has too many keys that are neither text nor binary")
    try:
        repeated = key in found
    except TypeError:
        raise MalformedValue("a map has a key that holds other values") from None
    if repeated:
        raise MalformedValue("a map has a key twice")  # 1.6.23


def _check_end(at: int, end: int) -> None:
    if at != end:
        raise MalformedValue("a value has bytes after its last item")
