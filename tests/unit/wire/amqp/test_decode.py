"""What no single vector of tests/conformance/test_amqp_types.py shows: the bounds."""

import tracemalloc
from collections.abc import Callable

import pytest

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.decode import MAX_DEPTH, MAX_UNSALTED_KEYS, MAX_ZERO_WIDTH, compound_at, decode, skip
from ironhub.wire.amqp.errors import MalformedValue
from ironhub.wire.amqp.values import Described


def array(count: int, content: bytes) -> bytes:
    return b"\xf0" + (len(content) + 4).to_bytes(4, "big") + count.to_bytes(4, "big") + content


def refused(data: bytes, why: str) -> None:
    """Whoever reads it and whoever skips it says the same."""
    with pytest.raises(MalformedValue, match=why):
        decode(data)
    with pytest.raises(MalformedValue, match=why):
        skip(data, 0, len(data))


WRAPS: dict[str, Callable[[bytes], bytes]] = {
    "list": lambda inner: encode.list_([inner]),
    "map": lambda inner: encode.map_([(b"\x43", inner)]),
    "array": lambda inner: array(1, inner),
    "described": lambda inner: encode.described(1, inner),
    "descriptor": lambda inner: b"\x00" + inner + b"\x40",
    "array's descriptor": lambda inner: array(1, b"\x00" + inner + b"\x40"),
}


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
def test_every_kind_of_nesting_counts(wrap: Callable[[bytes], bytes]) -> None:
    data = b"\x40"
    for _ in range(MAX_DEPTH):
        data = wrap(data)
    assert decode(data)[1] == skip(data, 0, len(data)) == len(data)
    refused(encode.list_([data]), "too deep")
    refused(b"\x00" + data + b"\x40", "too deep")


def test_depth_of_any_size_costs_no_stack() -> None:
    refused(b"\x00" * 1_000_000, "too deep")
    refused(b"\xd0\x00\x00\xff\xff\x00\x00\x00\x01" * 100_000, "too deep|longer")


def test_elements_without_bytes_are_few_in_all_of_a_value() -> None:
    most = array(MAX_ZERO_WIDTH, b"\x45")
    assert len(decode(most)[0]) == MAX_ZERO_WIDTH  # type: ignore[arg-type]
    refused(array(MAX_ZERO_WIDTH + 1, b"\x40"), "no bytes")
    refused(encode.list_([most, array(1, b"\x40")]), "no bytes")


def test_an_array_has_one_descriptor_at_most() -> None:
    assert decode(array(2, b"\x00\x53\x01\x50\x07\x08"))[0] == [Described(1, 7), Described(1, 8)]
    refused(array(1, b"\x00\x53\x01\x00\x53\x02\x40"), "no constructor")


def test_keys_whose_hashes_can_be_foreseen_are_few() -> None:
    most = [(encode.ulong(key), encode.NULL) for key in range(MAX_UNSALTED_KEYS)]
    assert len(decode(encode.map_(most))[0]) == MAX_UNSALTED_KEYS  # type: ignore[arg-type]
    with pytest.raises(MalformedValue, match="too many keys"):
        decode(encode.map_([*most, (encode.timestamp(1), encode.NULL)]))
    many = [(encode.string(str(key)), encode.NULL) for key in range(5000)]
    assert len(decode(encode.map_(many))[0]) == 5000  # type: ignore[arg-type]


def test_keys_that_python_cannot_tell_apart_are_the_same() -> None:
    with pytest.raises(MalformedValue, match="twice"):
        decode(encode.map_([(encode.TRUE, encode.NULL), (encode.uint(1), encode.NULL)]))


@pytest.mark.parametrize("unit", [b"\x45", b"\xc1\x01\x00", b"\x00\x40\x40", b"\xe0\x01\x00"])
def test_memory_is_a_small_multiple_of_the_input(unit: bytes) -> None:
    count = 60_000 // len(unit)
    data = b"\xd0" + (count * len(unit) + 4).to_bytes(4, "big") + count.to_bytes(4, "big") + unit * count
    tracemalloc.start()
    try:
        decode(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 120 * len(data)


def test_a_value_does_not_pass_the_end_it_is_given_nor_that_of_its_bytes() -> None:
    assert decode(b"\x40\x41", 1) == (True, 2)
    assert skip(b"\x40\x41", 0, -1) == 1
    with pytest.raises(MalformedValue):
        decode(b"\x40", 0, 2)
    with pytest.raises(MalformedValue):
        skip(b"\x40", 0, 2)
    with pytest.raises(MalformedValue):
        decode(b"\x40", 1)
    with pytest.raises(MalformedValue):
        skip(b"\x40", 1, 1)


def test_size_and_count_are_found() -> None:
    assert compound_at(b"\x03\x01\xa1\x00", 0, 4, 2) == (2, 4, 1)
    for data in (b"", b"\x00\x00", b"\x05\x01\x40"):
        with pytest.raises(MalformedValue):
            compound_at(data, 0, len(data), 2)


@pytest.mark.parametrize(
    "data",
    [
        *("a1", "a10261", "b100000002", "70000000", "5602", "a101ff", "c0", "c00101", "c0030140a1", "c003014041"),
        *("c1020140", "c10402404040", "e00101", "e0020150", "e00401500102", "e0030000"),
    ],
)
def test_reading_and_skipping_refuse_the_same(data: str) -> None:
    refused(bytes.fromhex(data), "value|count|string|size|boolean|key")


def test_a_key_that_cannot_be_hashed_is_refused() -> None:
    with pytest.raises(MalformedValue, match="holds other values"):
        decode(encode.map_([(encode.list_([encode.NULL]), encode.NULL)]))


@pytest.mark.parametrize("data", ["c0023240", "c1023240", "c103324040", "e0035050ff", "e00403720000"])
def test_a_count_is_backed_by_the_bytes_of_its_own_value(data: str) -> None:
    raw = bytes(200) + bytes.fromhex(data)
    for read in (lambda: decode(raw, 200), lambda: skip(raw, 200, -1)):
        with pytest.raises(MalformedValue, match="a count is larger"):
            read()


def test_an_end_of_zero_is_an_end() -> None:
    with pytest.raises(MalformedValue):
        decode(b"\x40", 0, 0)
    with pytest.raises(MalformedValue):
        skip(b"\x40", 0, 0)
