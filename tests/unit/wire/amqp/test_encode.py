from collections.abc import Callable

import pytest

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.decode import decode
from ironhub.wire.amqp.values import Described, Timestamp, Uuid


@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        (encode.null(), "40"),
        (encode.boolean(True), "41"),
        (encode.boolean(False), "42"),
        (encode.ubyte(255), "50ff"),
        (encode.ushort(258), "600102"),
        (encode.uint(0), "43"),
        (encode.uint(255), "52ff"),
        (encode.uint(256), "7000000100"),
        (encode.ulong(0), "44"),
        (encode.ulong(255), "53ff"),
        (encode.ulong(256), "800000000000000100"),
        (encode.byte(-1), "51ff"),
        (encode.short(-2), "61fffe"),
        (encode.int_(-128), "5480"),
        (encode.int_(128), "7100000080"),
        (encode.long(127), "557f"),
        (encode.long(-129), "81ffffffffffffff7f"),
        (encode.float_(1.5), "723fc00000"),
        (encode.double(1.5), "823ff8000000000000"),
        (encode.timestamp(-1), "83ffffffffffffffff"),
        (encode.uuid(bytes(16)), "98" + "00" * 16),
        (encode.binary(b"\x01"), "a00101"),
        (encode.string("é"), "a102c3a9"),
        (encode.symbol("a"), "a30161"),
        (encode.list_([]), "45"),
        (encode.list_([b"\x40", b"\x41"]), "c003024041"),
        (encode.map_([]), "c10100"),
        (encode.map_([(b"\xa1\x00", b"\x40")]), "c10402a10040"),
        (encode.symbols([]), "e00200a3"),
        (encode.symbols(["a", "bc"]), "e00702a30161026263"),
        (encode.described(0x24, b"\x45"), "00532445"),
        (encode.described(256, b"\x45"), "0080000000000000010045"),
        (encode.described_symbol("a", b"\x40"), "00a3016140"),
    ],
)
def test_a_value_takes_the_fewest_bytes(encoded: bytes, expected: str) -> None:
    assert encoded.hex() == expected


@pytest.mark.parametrize(
    ("make", "first", "last"),
    [
        (encode.ubyte, 0, 2**8 - 1),
        (encode.ushort, 0, 2**16 - 1),
        (encode.uint, 0, 2**32 - 1),
        (encode.ulong, 0, 2**64 - 1),
        (encode.byte, -(2**7), 2**7 - 1),
        (encode.short, -(2**15), 2**15 - 1),
        (encode.int_, -(2**31), 2**31 - 1),
        (encode.long, -(2**63), 2**63 - 1),
    ],
)
def test_a_number_fits_its_type_or_is_refused(make: Callable[[int], bytes], first: int, last: int) -> None:
    assert [decode(make(value))[0] for value in (first, last)] == [first, last]
    for value in (first - 1, last + 1):
        with pytest.raises(ValueError, match="does not fit"):
            make(value)


@pytest.mark.parametrize("size", [255, 256])
def test_what_is_longer_than_one_byte_can_say_has_a_length_of_four(size: int) -> None:
    wide = size > 255
    assert encode.binary(b"x" * size)[:1] == (b"\xb0" if wide else b"\xa0")
    assert encode.string("x" * size)[:1] == (b"\xb1" if wide else b"\xa1")
    assert encode.symbol("x" * size)[:1] == (b"\xb3" if wide else b"\xa3")
    assert encode.symbols(["x" * size])[:1] == b"\xf0"
    assert decode(encode.symbols(["x" * size, "y"]))[0] == ["x" * size, "y"]
    assert decode(encode.binary(b"x" * size))[0] == b"x" * size


@pytest.mark.parametrize(("items", "code"), [(254, b"\xc0"), (255, b"\xd0")])
def test_the_size_of_a_list_counts_its_count(items: int, code: bytes) -> None:
    encoded = encode.list_([b"\x40"] * items)
    assert encoded[:1] == code
    assert decode(encoded) == ([None] * items, len(encoded))


def test_a_long_map_is_read_back() -> None:
    pairs = [(encode.string(str(key)), encode.uint(key)) for key in range(300)]
    assert decode(encode.map_(pairs))[0] == {str(key): key for key in range(300)}


WRONG: list[Callable[[], bytes]] = [
    lambda: encode.symbol("é"),
    lambda: encode.symbols(["é"]),
    lambda: encode.string("\ud800"),
    lambda: encode.uuid(b"short"),
    lambda: encode.float_(1e300),
    lambda: encode.described(-1, b"\x40"),
]


@pytest.mark.parametrize("make", WRONG)
def test_what_cannot_be_written_is_a_value_error(make: Callable[[], bytes]) -> None:
    with pytest.raises(ValueError, match=r"ascii|utf-8|16 bytes|does not fit"):
        make()


def test_values_with_a_meaning_keep_it() -> None:
    assert decode(encode.timestamp(5))[0] == Timestamp(5)
    assert decode(encode.uuid(bytes(range(16))))[0] == Uuid(bytes(range(16)))
    assert decode(encode.described(2**40, encode.described_symbol("a", b"\x40")))[0] == Described(
        2**40, Described("a", None)
    )
