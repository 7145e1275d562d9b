import pytest

from ironhub.wire.mqtt import fields
from ironhub.wire.mqtt.errors import ProtocolViolation, UsageError
from ironhub.wire.mqtt.fields import Reader, decode_utf8


def reader(data: bytes) -> Reader:
    return Reader(data, 0, len(data))


@pytest.mark.parametrize(
    ("value", "encoded"),
    [(0, "00"), (127, "7f"), (128, "8001"), (16_383, "ff7f"), (16_384, "808001"), (268_435_455, "ffffff7f")],
)
def test_a_variable_byte_integer_has_the_bytes_of_table_1_1(value: int, encoded: str) -> None:
    assert fields.variable(value) == bytes.fromhex(encoded)
    assert reader(bytes.fromhex(encoded)).variable() == value


@pytest.mark.parametrize("encoded", ["8000", "ff00", "808000", "80808000", "8080808001", "80", "8080", ""])
def test_a_variable_byte_integer_is_minimal_whole_and_at_most_four_bytes(encoded: str) -> None:
    with pytest.raises(ProtocolViolation):
        reader(bytes.fromhex(encoded)).variable()


def test_numbers_are_big_endian() -> None:
    assert reader(b"\x01\x02").two_bytes() == 0x0102
    assert reader(b"\x01\x02\x03\x04").four_bytes() == 0x01020304
    assert reader(b"\xff\xff").packet_id() == 65_535
    assert fields.two_bytes(0x0102) == b"\x01\x02"
    assert fields.four_bytes(0x01020304) == b"\x01\x02\x03\x04"
    assert fields.packet_id(65_535) == b"\xff\xff"


@pytest.mark.parametrize("data", [b"", b"\x00"])
def test_reading_past_the_end_is_a_violation(data: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        reader(data).two_bytes()
    with pytest.raises(ProtocolViolation):
        reader(b"").byte()
    with pytest.raises(ProtocolViolation):
        reader(b"\x00\x02a").text()


def test_a_reader_stops_at_its_end_though_the_data_go_on() -> None:
    with pytest.raises(ProtocolViolation):
        Reader(b"\x00\x02abcd", 0, 3).binary()


def test_what_stands_after_the_last_field_is_a_violation() -> None:
    inside = reader(b"\x00\x01a!")
    assert inside.text() == "a"
    assert inside.left() == 1
    with pytest.raises(ProtocolViolation):
        inside.finish()
    assert inside.byte() == ord("!")
    inside.finish()


def test_a_packet_identifier_is_never_zero() -> None:
    """[MQTT-2.3.1-1]"""
    with pytest.raises(ProtocolViolation):
        reader(b"\x00\x00").packet_id()
    with pytest.raises(UsageError):
        fields.packet_id(0)


def test_a_byte_order_mark_stays_in_the_text() -> None:
    """[MQTT-1.5.3-3]"""
    assert decode_utf8(b"\xef\xbb\xbfa") == "\ufeffa"


@pytest.mark.parametrize(
    "raw", [b"\xff", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xc0\x80", b"\xc1\xbf", b"\xf4\x90\x80\x80", b"a\0"]
)
def test_text_is_well_formed_utf_8_without_surrogates_and_nul(raw: bytes) -> None:
    """[MQTT-1.5.3-1] [MQTT-1.5.3-2]"""
    with pytest.raises(ProtocolViolation):
        decode_utf8(raw)


@pytest.mark.parametrize("value", ["a\0b", "\ud800", "x" * 65_536])
def test_text_that_no_peer_could_read_is_not_written(value: str) -> None:
    with pytest.raises(UsageError):
        fields.text(value)


@pytest.mark.parametrize("value", [-1, 1 << 32])
def test_numbers_that_do_not_fit_are_not_written(value: int) -> None:
    for write in (fields.two_bytes, fields.four_bytes, fields.variable):
        with pytest.raises(UsageError):
            write(value)


def test_the_longest_field_has_65535_bytes() -> None:
    longest = b"x" * fields.MAX_FIELD
    assert reader(fields.binary(longest)).binary() == longest
    with pytest.raises(UsageError):
        fields.binary(longest + b"x")
