import pytest

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.errors import MalformedValue
from ironhub.wire.amqp.message import (
    BODY_DATA,
    BODY_NONE,
    BODY_SEQUENCE,
    BODY_VALUE,
    MAX_BATCH,
    decode_map_section,
    split_batch,
    split_message,
)
from ironhub.wire.amqp.properties import properties_section
from ironhub.wire.amqp.sections import (
    annotations_section,
    application_section,
    data_section,
    delivery_annotations_section,
    encode_message,
    header_section,
    value_section,
)

HEADER = header_section(True, 2, 5000)
DELIVERY = delivery_annotations_section([("d", encode.long(1))])
MESSAGE = annotations_section([("x-opt-offset", encode.string("5"))])
PROPERTIES = properties_section(to="t")
APPLICATION = application_section([("é", encode.string("v"))])
FOOTER = encode.described(0x78, encode.map_([]))
SEQUENCE = encode.described(0x76, encode.list_([encode.uint(1)]))
WHOLE = encode_message(
    header=HEADER,
    delivery_annotations=DELIVERY,
    message_annotations=MESSAGE,
    properties=PROPERTIES,
    application_properties=APPLICATION,
    body=data_section(b"body"),
)


def test_a_message_is_cut_into_its_sections_as_they_are() -> None:
    found = split_message(WHOLE + FOOTER)
    assert (found.header, found.delivery_annotations, found.message_annotations) == (HEADER, DELIVERY, MESSAGE)
    assert (found.properties, found.application_properties, found.footer) == (PROPERTIES, APPLICATION, FOOTER)
    assert (found.body, found.body_kind, found.value()) == (b"body", BODY_DATA, None)
    assert "body=<4 bytes>" in repr(found)


def test_nothing_is_a_message_without_sections() -> None:
    found = split_message(b"")
    assert (found.header, found.body, found.body_kind, found.value()) == (b"", b"", BODY_NONE, None)


def test_sections_may_have_long_descriptors_or_symbols() -> None:
    long = b"\x00\x80" + (0x75).to_bytes(8, "big") + encode.binary(b"one")
    named = encode.described_symbol("amqp:data:binary", encode.binary(b"two"))
    assert split_message(long + named).body == b"onetwo"


def test_data_sections_are_joined() -> None:
    found = split_message(data_section(b"a") + data_section(b"") + data_section(b"b" * 300))
    assert (found.body, found.body_kind) == (b"a" + b"b" * 300, BODY_DATA)


@pytest.mark.parametrize(
    ("encoded", "body", "value"),
    [
        (encode.NULL, b"", None),
        (encode.binary(b"x"), b"x", b"x"),
        (encode.binary(b"x" * 300), b"x" * 300, b"x" * 300),
        (encode.string("é"), "é".encode(), "é"),
        (encode.string("é" * 300), ("é" * 300).encode(), "é" * 300),
        (encode.uint(5), encode.uint(5), 5),
        (encode.map_([]), encode.map_([]), {}),
    ],
)
def test_a_body_that_is_a_value_is_told_in_bytes(encoded: bytes, body: bytes, value: object) -> None:
    found = split_message(value_section(encoded))
    assert (found.body, found.body_kind, found.value()) == (body, BODY_VALUE, value)


def test_a_body_of_sequences_is_told_as_encoded() -> None:
    found = split_message(SEQUENCE + SEQUENCE)
    assert (found.body, found.body_kind, found.value()) == (SEQUENCE[3:] * 2, BODY_SEQUENCE, None)


@pytest.mark.parametrize(
    "payload",
    [
        b"\x00",
        b"\x00\x53\x75",
        b"\x40",
        b"body",
        encode.described(0x6F, encode.list_([])),
        encode.described(0x79, encode.list_([])),
        encode.described_symbol("amqp:open:list", encode.list_([])),
        HEADER + HEADER,
        MESSAGE + DELIVERY,
        data_section(b"") + PROPERTIES,
        FOOTER + data_section(b""),
        data_section(b"") + value_section(encode.NULL),
        data_section(b"") + SEQUENCE,
        SEQUENCE + value_section(encode.NULL),
        value_section(encode.NULL) + value_section(encode.NULL),
        encode.described(0x70, encode.map_([])),
        encode.described(0x72, encode.list_([])),
        encode.described(0x73, encode.NULL),
        encode.described(0x75, encode.string("a")),
        encode.described(0x76, encode.binary(b"a")),
        encode.described(0x78, encode.NULL),
        b"\x00\x53\x75\xa0",
        b"\x00\x53\x75\xa0\x02a",
        b"\x00\x53\x75\xb0\x00\x00",
        b"\x00\x53\x75\xb0\xff\xff\xff\xffa",
        b"\x00\x53\x77\xa1\x01\xff",
        b"\x00\x53\x74\xc1\x02\x01\x40",
        b"\x00\x80" + (0x75).to_bytes(8, "big"),
    ],
)
def test_what_is_no_message_is_refused(payload: bytes) -> None:
    with pytest.raises(MalformedValue):
        split_message(payload)


def test_a_batch_is_cut_into_its_messages() -> None:
    found = split_batch(MESSAGE + data_section(WHOLE) + data_section(data_section(b"two")) + FOOTER)
    assert [message.body for message in found] == [b"body", b"two"]
    assert found[0].application_properties == APPLICATION
    assert split_batch(b"") == []


@pytest.mark.parametrize(
    "payload", [data_section(b"no message"), value_section(encode.NULL), SEQUENCE, b"\x00", MESSAGE + MESSAGE]
)
def test_what_is_no_batch_is_refused(payload: bytes) -> None:
    with pytest.raises(MalformedValue):
        split_batch(payload)


def test_a_batch_has_so_many_messages_at_most() -> None:
    assert len(split_batch(data_section(b"") * MAX_BATCH)) == MAX_BATCH
    with pytest.raises(MalformedValue, match="too many"):
        split_batch(data_section(b"") * (MAX_BATCH + 1))


def test_a_section_that_is_a_map_is_decoded() -> None:
    assert decode_map_section(APPLICATION) == {"é": "v"}
    assert decode_map_section(DELIVERY) == {"d": 1}
    assert decode_map_section(b"") == {}
    for section in (HEADER, b"\x40", encode.described(0x74, encode.map_([(b"\x43", b"\x40")] * 2))):
        with pytest.raises(MalformedValue):
            decode_map_section(section)
