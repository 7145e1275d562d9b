import math

import pytest

from ironhub.wire.amqp.errors import MalformedValue
from ironhub.wire.amqp.scalars import check_text, fixed, least_bytes, number, variable
from ironhub.wire.amqp.values import Timestamp, Uuid


@pytest.mark.parametrize(
    ("code", "least"),
    [(0x40, 0), (0x56, 1), (0x60, 2), (0x72, 4), (0x83, 8), (0x98, 16), (0xA1, 1), (0xB1, 4), (0xC0, 2), (0xF0, 8)],
)
def test_a_constructor_tells_the_least_bytes_that_follow_it(code: int, least: int) -> None:
    assert least_bytes(code) == least


@pytest.mark.parametrize("code", [0x00, 0x3F, 0x46, 0x57, 0x99, 0xA2, 0xC2, 0xE1, 0xFF])
def test_an_unknown_constructor_is_refused(code: int) -> None:
    with pytest.raises(MalformedValue, match="no constructor"):
        least_bytes(code)


def test_numbers_are_big_endian() -> None:
    data = b"\xff\x01\x02\x03\x04"
    assert [number(data, 1, width) for width in (1, 2, 4)] == [0x01, 0x0102, 0x01020304]


@pytest.mark.parametrize(
    ("code", "data", "value"),
    [
        (0x40, "", None),
        (0x41, "", True),
        (0x42, "", False),
        (0x43, "", 0),
        (0x44, "", 0),
        (0x45, "", []),
        (0x50, "ff", 255),
        (0x60, "ffff", 65_535),
        (0x70, "00010000", 65_536),
        (0x80, "ff00000000000000", 0xFF << 56),
        (0x51, "ff", -1),
        (0x61, "fffe", -2),
        (0x71, "fffffffd", -3),
        (0x81, "fffffffffffffffc", -4),
        (0x54, "80", -128),
        (0x55, "7f", 127),
        (0x56, "01", True),
        (0x72, "7f800000", math.inf),
        (0x82, "c000000000000000", -2.0),
        (0x73, "00000041", "A"),
        (0x83, "0000000000000001", Timestamp(1)),
        (0x98, "00" * 16, Uuid(bytes(16))),
        (0x74, "01020304", b"\x01\x02\x03\x04"),
    ],
)
def test_a_fixed_value_is_read(code: int, data: str, value: object) -> None:
    raw = bytes.fromhex(data)
    found = fixed(code, b"\xee" + raw, 1, len(raw))
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(("code", "data"), [(0x56, "02"), (0x73, "0000d800"), (0x73, "00110000"), (0x73, "ffffffff")])
def test_a_fixed_value_that_means_nothing_is_refused(code: int, data: str) -> None:
    with pytest.raises(MalformedValue):
        fixed(code, bytes.fromhex(data), 0, len(data) // 2)


def test_text_is_utf8_and_a_symbol_ascii() -> None:
    assert variable(0xA1, "é".encode()) == variable(0xB1, "é".encode()) == "é"
    assert variable(0xA3, b"a") == "a"
    assert variable(0xB0, b"\xff") == b"\xff"
    for code, raw in ((0xA1, b"\xff"), (0xB3, "é".encode())):
        with pytest.raises(MalformedValue):
            variable(code, raw)
        with pytest.raises(MalformedValue):
            check_text(code, raw)


def test_a_check_passes_what_can_be_read() -> None:
    check_text(0xA1, "é".encode())
    check_text(0xA3, b"a")
    check_text(0xA0, b"\xff")
