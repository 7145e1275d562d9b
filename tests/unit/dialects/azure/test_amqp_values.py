"""AMQP values as texts and back."""

import pytest

from ironhub.dialects.azure.amqp_values import (
    FIELDS,
    annotation_pairs,
    application_texts,
    application_value,
    milliseconds,
    standard_section,
    text_of,
    uuid_text,
)
from ironhub.wire.amqp import encode
from ironhub.wire.amqp.decode import decode
from ironhub.wire.amqp.message import decode_map_section
from ironhub.wire.amqp.properties import decode_properties
from ironhub.wire.amqp.values import Described, Timestamp, Uuid, Value

SIXTEEN = bytes(range(16))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("as it is", "as it is"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-(2**63), "-9223372036854775808"),
        (1.5, "1.5"),
        (float("nan"), "nan"),
        (b"caf\xc3\xa9", "café"),
        (b"\xff\x00", "/wA="),
        (Uuid(SIXTEEN), "00010203-0405-0607-0809-0a0b0c0d0e0f"),
        (Timestamp(1_769_860_800_250), "2026-01-31T12:00:00.250Z"),
        (Timestamp(-30_610_224_000_000), "1000-01-01T00:00:00.000Z"),
        (Timestamp(253_402_300_799_999), "9999-12-31T23:59:59.999Z"),
        (Timestamp(-30_610_224_000_001), "-30610224000001"),
        (Timestamp(2**63 - 1), "9223372036854775807"),
        (Described("x", 7), "7"),
        ([1, "a", None, [True]], '["1","a",null,["true"]]'),
        ({"a": 1, None: Timestamp(0)}, '{"a":"1","":"1970-01-01T00:00:00.000Z"}'),
    ],
)
def test_each_value_has_one_text(value: Value, text: str | None) -> None:
    assert text_of(value) == text


def test_a_uuid_is_written_with_hyphens() -> None:
    assert uuid_text(SIXTEEN) == "00010203-0405-0607-0809-0a0b0c0d0e0f"


def test_instants_are_cut_like_their_texts() -> None:
    assert milliseconds(1_769_860_800.250_999) == 1_769_860_800_250
    assert milliseconds(0.999_999_9) == 1000


def test_texts_become_fields_of_their_types() -> None:
    texts = dict.fromkeys(FIELDS, "x") | {
        "absolute-expiry-time": "2026-01-31T12:00:00.25Z",
        "creation-time": "never",
        "group-sequence": "4294967295",
        "content-type": "t\u00e9xt/plain",
    }
    section = standard_section(texts)
    found = decode_properties(section)
    assert (found.message_id, found.user_id, found.to, found.correlation_id) == ("x", b"x", "x", "x")
    assert (found.content_type, found.content_encoding) == ("t?xt/plain", "x")
    assert (found.absolute_expiry_time, found.creation_time) == (1_769_860_800_250, None)
    assert (found.subject, found.reply_to, found.group_id, found.reply_to_group_id) == ("x", "x", "x", "x")
    assert found.group_sequence == 2**32 - 1
    assert encode.symbol("t?xt/plain") in section


@pytest.mark.parametrize("text", ["", "-1", "4294967296", "99999999999", "1.0", "٣"])
def test_a_group_sequence_that_is_none_is_left_out(text: str) -> None:
    assert standard_section({"group-sequence": text}) == b""


def test_nothing_is_no_section() -> None:
    assert standard_section({}) == b""
    assert standard_section({"creation-time": "never"}) == b""
    assert application_texts({}) == b""


def test_application_properties_are_texts_or_null() -> None:
    assert decode_map_section(application_texts({"a": "1", "b": None})) == {"a": "1", "b": None}
    assert decode(application_value(None))[0] is None


def test_annotations_are_symbols_and_texts() -> None:
    content = annotation_pairs({"dt-subject": "s", "x": ""})
    assert decode(bytes((0xC1, len(content) + 1, 4)) + content)[0] == {"dt-subject": "s", "x": ""}
