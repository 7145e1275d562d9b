"""Every encoding of every primitive type of AMQP 1.0, part 1, section 1.6, good and bad."""

import math
import struct
from dataclasses import dataclass

from ironhub.wire.amqp.values import Described, Timestamp, Uuid, Value


@dataclass(frozen=True)
class Vector:
    """One encoding: what it is of, and the value; `good` False: nothing that the standard allows."""

    id: str
    data: bytes
    value: Value = None
    good: bool = True


def good(name: str, encoded: str, value: Value) -> Vector:
    """`encoded` in hexadecimal digits."""
    return Vector(name, bytes.fromhex(encoded), value)


def bad(name: str, encoded: str) -> Vector:
    """As `good`, without a value."""
    return Vector(name, bytes.fromhex(encoded), good=False)


def compound(code: str, count: int, content: str, more: int = 0) -> str:
    """A list, map or array of the constructor `code`; `more` is added to its size, which is wrong then."""
    wide = code in ("d0", "d1", "f0")
    size = len(content) // 2 + (4 if wide else 1) + more
    return f"{code}{size:08x}{count:08x}{content}" if wide else f"{code}{size:02x}{count:02x}{content}"


def nested(depth: int) -> str:
    """So many lists within each other, the innermost without items."""
    inner = "45"
    for _ in range(depth - 1):
        inner = compound("d0", 1, inner)
    return inner


SIXTEEN = bytes(range(16))
LONG_TEXT = "é" * 200
ABOVE_ZERO = struct.pack(">d", 0.1).hex()

GOOD = [
    good("1.6.1 null", "40", None),
    good("1.6.2 boolean, true", "5601", True),
    good("1.6.2 boolean, false", "5600", False),
    good("1.6.2 true", "41", True),
    good("1.6.2 false", "42", False),
    good("1.6.3 ubyte", "50ff", 255),
    good("1.6.4 ushort", "60ff01", 65_281),
    good("1.6.5 uint", "70ffffffff", 4_294_967_295),
    good("1.6.5 uint, the high bit alone", "7080000000", 1 << 31),
    good("1.6.5 smalluint", "52ff", 255),
    good("1.6.5 smalluint, zero", "5200", 0),
    good("1.6.5 uint0", "43", 0),
    good("1.6.6 ulong", "80ffffffffffffffff", (1 << 64) - 1),
    good("1.6.6 smallulong", "53ff", 255),
    good("1.6.6 ulong0", "44", 0),
    good("1.6.7 byte", "5180", -128),
    good("1.6.8 short", "618000", -32_768),
    good("1.6.9 int", "7180000000", -(1 << 31)),
    good("1.6.9 smallint", "54ff", -1),
    good("1.6.10 long", "818000000000000000", -(1 << 63)),
    good("1.6.10 smalllong", "557f", 127),
    good("1.6.11 float", "723fc00000", 1.5),
    good("1.6.11 float, infinity", "727f800000", math.inf),
    good("1.6.12 double", "82" + ABOVE_ZERO, 0.1),
    good("1.6.12 double, negative zero", "828000000000000000", -0.0),
    good("1.6.13 decimal32", "7422500001", bytes.fromhex("22500001")),
    good("1.6.14 decimal64", "842238000000000001", bytes.fromhex("2238000000000001")),
    good("1.6.15 decimal128", "94" + SIXTEEN.hex(), SIXTEEN),
    good("1.6.16 char", "73000000e9", "é"),
    good("1.6.16 char, the last", "730010ffff", "\U0010ffff"),
    good("1.6.17 timestamp", "830000018bcfe56800", Timestamp(1_700_000_000_000)),
    good("1.6.17 timestamp, before the epoch", "83ffffffffffffffff", Timestamp(-1)),
    good("1.6.18 uuid", "98" + SIXTEEN.hex(), Uuid(SIXTEEN)),
    good("1.6.19 vbin8", "a003000102", b"\x00\x01\x02"),
    good("1.6.19 vbin8, empty", "a000", b""),
    good("1.6.19 vbin32", "b000000003000102", b"\x00\x01\x02"),
    good("1.6.20 str8-utf8", "a102c3a9", "é"),
    good("1.6.20 str8-utf8, empty", "a100", ""),
    good("1.6.20 str8-utf8, NUL", "a10100", "\0"),
    good("1.6.20 str32-utf8", "b100000190" + LONG_TEXT.encode().hex(), LONG_TEXT),
    good("1.6.21 sym8", "a303616263", "abc"),
    good("1.6.21 sym32", "b300000003616263", "abc"),
    good("1.6.22 list0", "45", []),
    good("1.6.22 list8", "c005025201a100", [1, ""]),
    good("1.6.22 list8, empty", "c00100", []),
    good("1.6.22 list32", "d000000008000000025201a100", [1, ""]),
    good("1.6.22 list32, empty", "d00000000400000000", []),
    good("1.6.22 lists in a list", compound("c0", 3, "45" + "c00100" + "40"), [[], [], None]),
    good("1.6.23 map8", "c10602a101615201", {"a": 1}),
    good("1.6.23 map8, empty", "c10100", {}),
    good("1.6.23 map32", compound("d1", 2, "a101615201"), {"a": 1}),
    good("1.6.23 map, null as a key", compound("c1", 2, "4041"), {None: True}),
    good("1.6.24 array8 of symbols", "e00602a301610162", ["a", "b"]),
    good("1.6.24 array8, empty", "e0020050", []),
    good("1.6.24 array8, empty and without constructor", "e00100", []),
    good("1.6.24 array32 of uints", compound("f0", 2, "70" + "00000001" + "0000ffff"), [1, 65_535]),
    good("1.6.24 array of lists", compound("e0", 2, "c0" + "020140" + "0100"), [[None], []]),
    good("1.6.24 array of booleans that take no bytes", "e0020341", [True, True, True]),
    good("1.6.24 array of nulls", "f00000000500000002" + "40", [None, None]),
    good("1.6.24 array of arrays", compound("e0", 1, "e0" + "04025001ff"), [[1, 255]]),
    good(
        "1.3 array of described values",
        compound("e0", 2, "00a30178" + "500102"),
        [Described("x", 1), Described("x", 2)],
    ),
    good("1.3 described by a symbol", "00a30178a10179", Described("x", "y")),
    good("1.3 described by a ulong", "00800000468c0000000440", Described(77_567_109_365_764, None)),
    good("1.3 described twice", "005301005302a100", Described(1, Described(2, ""))),
]

UNKNOWN = [code for code in range(256) if code and f"{code:02x}" not in {vector.data.hex()[:2] for vector in GOOD}]

BAD = [
    bad("nothing", ""),
    *(bad(f"constructor {code:#04x}", f"{code:02x}" + "00" * 20) for code in UNKNOWN),
    *(
        bad(f"{vector.id}, cut by {cut}", vector.data[:-cut].hex())
        for vector in GOOD
        for cut in sorted({1, len(vector.data) - 1})
        if cut < len(vector.data)
    ),
    bad("1.6.2 a boolean of 2", "5602"),
    bad("1.6.2 a boolean of 2 in an array", compound("e0", 2, "560102")),
    bad("1.6.16 a char beyond Unicode", "7300110000"),
    bad("1.6.16 a surrogate as char", "730000d800"),
    bad("1.6.20 overlong UTF-8", "a102c080"),
    bad("1.6.20 a surrogate in UTF-8", "a103eda080"),
    bad("1.6.20 half a character", "a101c3"),
    bad("1.6.20 Latin-1", "b100000001e9"),
    bad("1.6.21 a symbol that is not ASCII", "a302c3a9"),
    bad("1.6.22 a size beyond the end", compound("c0", 1, "40", more=1)),
    bad("1.6.22 a size that ends in an item", compound("c0", 2, "405201", more=-1)),
    bad("1.6.22 a size that leaves bytes over", compound("c0", 1, "4040")),
    bad("1.6.22 a size without room for the count", "c000" + "00"),
    bad("1.6.22 a wide size without room for the count", "d00000000300000000"),
    bad("1.6.22 a count of 2**32 - 1", "d000000004ffffffff"),
    bad("1.6.22 a count without items", compound("c0", 2, "40")),
    bad("1.6.22 an item longer than its list", compound("c0", 1, "a105") + "00" * 5),
    bad("1.6.23 a key without a value", compound("c1", 1, "40")),
    bad("1.6.23 a count of 2**32 - 2", "d100000004fffffffe"),
    bad("1.6.23 bytes after the last pair", compound("c1", 2, "404040")),
    bad("1.6.24 a count without constructor", "e00101"),
    bad("1.6.24 a constructor that there is not", compound("e0", 1, "ff00")),
    bad("1.6.24 two descriptors", compound("e0", 1, "00530100530250" + "01")),
    bad("1.6.24 a count of 2**32 - 1", "f000000005ffffffff50"),
    bad("1.6.24 a count of 2**32 - 1 that takes no bytes", "f000000005ffffffff40"),
    bad("1.6.24 elements beyond the end", compound("e0", 3, "70" + "00000001" + "00000002")),
    bad("1.6.24 bytes after the last element", compound("e0", 1, "50" + "0102")),
    bad("1.6.24 bytes in an empty array", compound("e0", 0, "5001")),
    bad("1.6.24 an element longer than its array", compound("e0", 1, "a1" + "05") + "00" * 5),
    bad("1.3 a descriptor without a value", "005301"),
    bad("1.3 nothing after the descriptor's sign", "00"),
    bad("1.3 descriptors without end", "00" * 10_000),
    bad("1.6.22 lists nested 33 deep", nested(33 + 1)),
    bad("1.6.22 lists nested 1,000 deep", nested(1000)),
]

UNIQUE = [
    bad("1.6.23 a key twice", compound("c1", 4, "a10161" + "40" + "a10161" + "41")),
    bad("1.6.23 a list as key", compound("c1", 2, "4540")),
    bad("1.6.23 a described list as key", compound("c1", 2, "00530145" + "40")),
    bad("1.6.23 a map as key", compound("c1", 2, "c1010040")),
]
"""What only building a map shows: whoever skips a value does not see it."""
