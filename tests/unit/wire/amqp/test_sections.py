import pytest

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.decode import decode
from ironhub.wire.amqp.sections import (
    annotations_section,
    application_section,
    data_section,
    delivery_annotations_section,
    encode_message,
    header_section,
    value_section,
)
from ironhub.wire.amqp.values import Described, Value

NUMBER = encode.long(1)


def test_a_header_says_what_is_known() -> None:
    assert header_section() == bytes.fromhex("005370c006054240404043")
    assert header_section(True, 1, 0) == bytes.fromhex("005370c00705414043405201")


@pytest.mark.parametrize(
    ("section", "code", "value"),
    [
        (header_section(True, 2, 5000), 0x70, [True, None, 5000, None, 2]),
        (delivery_annotations_section([("a", NUMBER)]), 0x71, {"a": 1}),
        (annotations_section([("a", NUMBER), ("b", NUMBER)]), 0x72, {"a": 1, "b": 1}),
        (application_section([("\u00e9", NUMBER)]), 0x74, {"\u00e9": 1}),
        (data_section(b"body"), 0x75, b"body"),
        (value_section(encode.string("v")), 0x77, "v"),
    ],
)
def test_a_section_is_a_described_value(section: bytes, code: int, value: Value) -> None:
    assert decode(section) == (Described(code, value), len(section))


def test_annotations_are_known_by_symbols_and_properties_by_strings() -> None:
    assert encode.symbol("a") in annotations_section([("a", NUMBER)])
    assert encode.string("a") in application_section([("a", NUMBER)])


def test_a_message_has_its_sections_in_order() -> None:
    names = ("header", "delivery_annotations", "message_annotations", "properties", "application_properties", "body")
    assert encode_message(**{name: b"%d" % number for number, name in enumerate(names)}) == b"012345"
    assert encode_message(body=b"body") == b"body"
