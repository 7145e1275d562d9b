import pytest

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.decode import decode
from ironhub.wire.amqp.errors import MalformedValue
from ironhub.wire.amqp.properties import decode_properties, properties_section
from ironhub.wire.amqp.values import Described, Uuid

NULL = encode.NULL
SIXTEEN = bytes(range(16))


def section(*items: bytes) -> bytes:
    return encode.described(0x73, encode.list_(items))


def test_what_is_written_is_read() -> None:
    found = decode_properties(
        properties_section(
            message_id=encode.string("m"),
            user_id=b"u",
            to="t",
            subject="s",
            reply_to="r",
            correlation_id=encode.ulong(7),
            content_type="application/json",
            content_encoding="utf-8",
            absolute_expiry_ms=5,
            creation_ms=-5,
        )
    )
    assert (found.message_id, found.user_id, found.to, found.subject, found.reply_to) == ("m", b"u", "t", "s", "r")
    assert (found.correlation_id, found.content_type, found.content_encoding) == (7, "application/json", "utf-8")
    assert (found.absolute_expiry_time, found.creation_time) == (5, -5)
    assert (found.group_id, found.group_sequence, found.reply_to_group_id) == (None, None, None)


def test_the_fields_of_groups_are_read() -> None:
    found = decode_properties(section(*[NULL] * 10, encode.string("g"), encode.uint(0), encode.string("r")))
    assert (found.group_id, found.group_sequence, found.reply_to_group_id) == ("g", 0, "r")


@pytest.mark.parametrize("raw", [b"", section()])
def test_nothing_said_is_none(raw: bytes) -> None:
    found = decode_properties(raw)
    assert (found.message_id, found.correlation_id, found.to, found.content_type) == (None, None, None, None)
    assert (found.message_id_raw, found.correlation_id_raw) == (NULL, NULL)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (encode.string("m"), "m"),
        (b"\xb1\x00\x00\x00\x01m", "m"),
        (encode.ulong(0), 0),
        (encode.ulong(5), 5),
        (b"\x80" + bytes(7) + b"\x05", 5),
        (encode.uuid(SIXTEEN), Uuid(SIXTEEN)),
        (encode.binary(b"m"), b"m"),
    ],
)
def test_an_id_keeps_its_bytes_for_the_reply(raw: bytes, value: object) -> None:
    found = decode_properties(section(raw, *[NULL] * 4, raw))
    assert (found.message_id, found.message_id_raw) == (value, raw)
    assert (found.correlation_id, found.correlation_id_raw) == (value, raw)
    assert decode_properties(properties_section(correlation_id=raw)).correlation_id_raw == raw


@pytest.mark.parametrize("raw", [encode.uint(1), encode.TRUE, encode.symbol("m"), encode.list_([]), encode.long(1)])
def test_an_id_of_another_type_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedValue, match="id is no"):
        decode_properties(section(raw))


@pytest.mark.parametrize(
    "raw", [b"\x45", section(*[NULL] * 14), section(NULL, encode.string("u")), section(*[NULL] * 8, encode.ulong(1))]
)
def test_what_is_no_properties_section_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedValue):
        decode_properties(raw)


def test_nulls_at_the_end_are_left_out() -> None:
    assert properties_section() == b"\x00\x53\x73\x45"
    assert decode(properties_section(user_id=b"u"))[0] == Described(0x73, [None, b"u"])
