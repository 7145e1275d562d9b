from collections.abc import Callable

import pytest

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.errors import MalformedValue
from ironhub.wire.amqp.fields import ABSENT, MAX_PAIRS, Fields, descriptor_at, text_map
from ironhub.wire.amqp.values import Described


def fields(*items: bytes) -> Fields:
    data = encode.list_(items)
    return Fields(data, 0, len(data))


READ: list[tuple[Callable[[Fields], object], bytes, object]] = [
    (Fields.uint, encode.uint(0), 0),
    (Fields.uint, encode.uint(7), 7),
    (Fields.uint, encode.uint(70_000), 70_000),
    (Fields.ushort, encode.ushort(7), 7),
    (Fields.ubyte, encode.ubyte(7), 7),
    (Fields.ulong, encode.ulong(0), 0),
    (Fields.ulong, encode.ulong(7), 7),
    (Fields.ulong, encode.ulong(1 << 63), 1 << 63),
    (Fields.timestamp, encode.timestamp(5), 5),
    (Fields.timestamp, encode.timestamp(-5), -5),
    (Fields.boolean, encode.TRUE, True),
    (Fields.boolean, encode.FALSE, False),
    (Fields.boolean, b"\x56\x01", True),
    (Fields.boolean, b"\x56\x00", False),
    (Fields.binary, encode.binary(b"x"), b"x"),
    (Fields.binary, encode.binary(b"x" * 300), b"x" * 300),
    (Fields.text, encode.string("é"), "é"),
    (Fields.text, encode.symbol("a" * 300), "a" * 300),
    (Fields.raw, encode.list_([b"\x40"]), encode.list_([b"\x40"])),
    (Fields.value, encode.uint(5), 5),
    (Fields.texts, encode.symbols(["a", "b"]), ["a", "b"]),
    (Fields.texts, encode.symbol("a"), ["a"]),
    (Fields.certain_boolean, encode.FALSE, False),
    (Fields.certain_uint, encode.uint(0), 0),
    (Fields.certain_text, encode.string(""), ""),
]
DEFAULTS: list[tuple[Callable[[Fields], object], object]] = [
    (Fields.uint, ABSENT),
    (Fields.ushort, ABSENT),
    (Fields.ubyte, ABSENT),
    (Fields.ulong, ABSENT),
    (Fields.timestamp, None),
    (Fields.boolean, False),
    (Fields.binary, None),
    (Fields.text, None),
    (Fields.raw, b"\x40"),
    (Fields.value, None),
    (Fields.texts, []),
]
CERTAIN: list[Callable[[Fields], object]] = [Fields.certain_boolean, Fields.certain_uint, Fields.certain_text]


@pytest.mark.parametrize(("read", "encoded", "value"), READ)
def test_a_field_is_read_and_the_list_ends_after_it(
    read: Callable[[Fields], object], encoded: bytes, value: object
) -> None:
    found = fields(encoded)
    assert read(found) == value
    assert found.finish() == len(found.data)


@pytest.mark.parametrize(("read", "default"), DEFAULTS)
def test_a_field_that_is_null_or_not_there_takes_its_default(read: Callable[[Fields], object], default: object) -> None:
    assert read(fields()) == read(fields(encode.NULL)) == default


def test_a_default_may_be_given() -> None:
    found = fields()
    assert (found.uint(1), found.ushort(2), found.ubyte(3), found.ulong(4), found.boolean(True)) == (1, 2, 3, 4, True)


@pytest.mark.parametrize("read", CERTAIN)
def test_a_field_that_must_be_there_has_no_default(read: Callable[[Fields], object]) -> None:
    for found in (fields(), fields(encode.NULL)):
        with pytest.raises(MalformedValue, match="must be there"):
            read(found)


@pytest.mark.parametrize("read", [read for read, default in DEFAULTS if read not in (Fields.raw, Fields.value)])
def test_a_field_of_another_type_is_refused(read: Callable[[Fields], object]) -> None:
    with pytest.raises(MalformedValue, match="another type"):
        read(fields(encode.double(1.0)))


@pytest.mark.parametrize("read", [read for read, _ in DEFAULTS] + CERTAIN)
@pytest.mark.parametrize("code", [0x42, 0x50, 0x52, 0x53, 0x56, 0x60, 0x70, 0x80, 0x83, 0xA0, 0xA1, 0xB0, 0xB1, None])
def test_a_field_without_its_bytes_is_refused(read: Callable[[Fields], object], code: int | None) -> None:
    found = fields() if code is None else fields(bytes((code,)))
    found.left = 1
    if code == 0x42:
        found.left = 2
        found.boolean()
    with pytest.raises(MalformedValue):
        read(found)


@pytest.mark.parametrize(
    ("read", "encoded"),
    [
        (Fields.binary, b"\xa0\x02a"),
        (Fields.binary, b"\xb0\x00\x00\x00\x02a"),
        (Fields.text, b"\xa1\x02a"),
        (Fields.text, b"\xb3\xff\xff\xff\xffa"),
        (Fields.raw, b"\xa1\x02a"),
        (Fields.value, b"\xa1\x02a"),
    ],
)
def test_a_field_does_not_pass_the_end_of_its_list(read: Callable[[Fields], object], encoded: bytes) -> None:
    data = encode.list_([encoded])
    with pytest.raises(MalformedValue):
        read(Fields(data + b"aaaaaa", 0, len(data)))


def test_what_does_not_mean_anything_is_refused() -> None:
    for read, encoded in (
        (Fields.boolean, b"\x56\x02"),
        (Fields.text, b"\xa1\x01\xff"),
        (Fields.text, b"\xa3\x02\xc3\xa9"),
        (Fields.texts, encode.list_([encode.uint(1)])),
    ):
        with pytest.raises(MalformedValue):
            read(fields(encoded))


@pytest.mark.parametrize("data", ["", "40", "c10100", "c00301a1", "c00101", "d00000000400000001", "d000", "a100"])
def test_what_is_no_list_is_refused(data: str) -> None:
    raw = bytes.fromhex(data)
    with pytest.raises(MalformedValue):
        Fields(raw, 0, len(raw))


def test_a_list_does_not_pass_the_end_it_is_given() -> None:
    data = encode.list_([encode.NULL]) + b"rest"
    assert Fields(data, 0, len(data) - 4).left == 1
    for end in (3, len(data) + 1):
        with pytest.raises(MalformedValue):
            Fields(data, 0, end)
    wide = b"\xd0\x00\x00\x00\x05\x00\x00\x00\x01\x40"
    assert Fields(wide, 0, len(wide)).left == 1


def test_an_empty_list_ends_after_its_constructor() -> None:
    assert Fields(b"\xff\x45payload", 1, 9).finish() == 2


def test_what_stands_after_the_last_field_is_refused() -> None:
    with pytest.raises(MalformedValue, match="goes on"):
        fields(encode.NULL).finish()
    data = b"\xc0\x03\x01\x40\x40"
    found = Fields(data, 0, len(data))
    found.uint()
    with pytest.raises(MalformedValue, match="goes on"):
        found.finish()


def test_a_map_of_texts_has_texts_as_keys() -> None:
    assert text_map(encode.NULL) == {}
    assert text_map(encode.map_([(encode.symbol("a"), encode.uint(1))])) == {"a": 1}
    for raw in (encode.uint(1), encode.map_([(encode.uint(1), encode.NULL)])):
        with pytest.raises(MalformedValue):
            text_map(raw)


def test_what_is_kept_of_a_map_is_no_larger_in_memory_than_its_bytes_suggest() -> None:
    empties = encode.list_([b"\x45"] * 1000)
    small = encode.described(1, encode.uint(2))
    pairs = [("list", empties), ("map", encode.map_([])), ("deep", encode.described(1, small)), ("small", small)]
    nested = [("named", encode.described(1, empties)), ("name", b"\x00" + empties + encode.uint(2))]
    raw = encode.map_([(encode.symbol(name), value) for name, value in [*pairs, *nested]])
    assert text_map(raw) == {name: None for name, _ in [*pairs, *nested]} | {"small": Described(1, 2)}


def test_a_map_or_list_that_is_kept_has_few_entries() -> None:
    def some(count: int) -> list[bytes]:
        return [encode.symbol(f"{number}") for number in range(count)]

    assert len(text_map(encode.map_([(name, name) for name in some(MAX_PAIRS)]))) == MAX_PAIRS
    assert len(fields(encode.list_(some(MAX_PAIRS))).texts()) == MAX_PAIRS
    with pytest.raises(MalformedValue, match="too many"):
        text_map(encode.map_([(name, name) for name in some(MAX_PAIRS + 1)]))
    with pytest.raises(MalformedValue, match="too many"):
        fields(encode.list_(some(MAX_PAIRS + 1))).texts()


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ("00537040", (0x70, "", 3)),
        ("00440040", (0, "", 2)),
        ("0080000000000000007040", (0x70, "", 10)),
        ("00a3016140", (-1, "a", 4)),
    ],
)
def test_a_descriptor_is_a_number_or_a_symbol(data: str, found: tuple[int, str, int]) -> None:
    raw = bytes.fromhex(data)
    assert descriptor_at(raw, 0, len(raw)) == found


@pytest.mark.parametrize("data", ["", "00", "405340", "00434040", "00a0016140", "00417040", "0080000000"])
def test_what_is_not_described_is_refused(data: str) -> None:
    raw = bytes.fromhex(data)
    with pytest.raises(MalformedValue):
        descriptor_at(raw, 0, len(raw))
