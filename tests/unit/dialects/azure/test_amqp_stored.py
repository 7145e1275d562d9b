"""What is kept of the properties of AMQP senders, and what readers get of it."""

import pytest

from ironhub.dialects.azure.amqp_stored import (
    Sections,
    Stored,
    decode_standard,
    decode_stored,
    has_id,
    is_clean,
    own_values,
    split_stored,
    stored_properties,
)
from ironhub.dialects.azure.properties import MAX_BAG, MAX_PROPERTIES, PropertiesInvalid
from ironhub.wire.amqp import encode as e
from ironhub.wire.amqp.message import split_message
from ironhub.wire.amqp.sections import data_section, encode_message

ANNOTATIONS = e.described(0x72, e.map_([(e.symbol("dt-subject"), e.string("s"))]))
STANDARD = e.described(0x73, e.list_([e.uuid(bytes(16)), e.binary(b"me"), e.string("/to")]))
APPLICATION = e.described(0x74, e.map_([(e.string("a"), e.int_(7)), (e.string("b"), e.null())]))


def stored(annotations: bytes = b"", standard: bytes = b"", application: bytes = b"") -> bytes:
    payload = encode_message(
        message_annotations=annotations,
        properties=standard,
        application_properties=application,
        body=data_section(b"body"),
    )
    return stored_properties(split_message(payload))


def application_of(*pairs: tuple[bytes, bytes]) -> bytes:
    return e.described(0x74, e.map_(pairs))


def test_sections_are_kept_as_they_came() -> None:
    assert stored() == b""
    assert stored(ANNOTATIONS, STANDARD, APPLICATION) == ANNOTATIONS + STANDARD + APPLICATION
    assert stored(application=APPLICATION) == APPLICATION


def test_only_descriptors_are_written_anew() -> None:
    long_form = b"\x00\x80" + (0x74).to_bytes(8, "big") + APPLICATION[3:]
    by_name = e.described_symbol("amqp:properties:list", STANDARD[3:])
    assert stored(b"", by_name, long_form) == STANDARD + APPLICATION


def test_everything_is_read_as_text() -> None:
    assert decode_stored(stored(ANNOTATIONS, STANDARD, APPLICATION)) == Stored(
        {"message-id": "00000000-0000-0000-0000-000000000000", "user-id": "me", "to": "/to"},
        {"dt-subject": "s"},
        {"a": "7", "b": None},
    )
    assert decode_stored(b"") == Stored({}, {}, {})


def test_a_reader_gets_the_types_that_were_sent() -> None:
    sections = split_stored(stored(ANNOTATIONS, STANDARD, APPLICATION))
    assert sections == Sections(ANNOTATIONS, STANDARD, APPLICATION)
    assert own_values(ANNOTATIONS, APPLICATION) == ({"dt-subject": "s"}, {"a": e.int_(7), "b": e.null()})
    assert is_clean(STANDARD)
    assert has_id(STANDARD)


def test_only_annotations_of_the_devices_own_are_read() -> None:
    sent = {
        "iothub-creation-time-utc": e.timestamp(0),
        "IoTHub-Interface-Id": e.string("i"),
        "dt-subject": e.null(),
        "dt-dataschema": e.string("dtmi:forged;1"),
        "iothub-connection-device-id": e.string("other"),
        "iothub-connection-auth-method": e.string("{}"),
        "iothub-enqueuedtime": e.timestamp(0),
        "iothub-message-source": e.string("twinChangeEvents"),
        "x-opt-sequence-number": e.long(1),
        "x-opt-partition-key": e.string("k"),
        "anything": e.string("else"),
    }
    section = e.described(0x72, e.map_([(e.symbol(name), value) for name, value in sent.items()]))
    own = {"iothub-creation-time-utc": "1970-01-01T00:00:00.000Z", "iothub-interface-id": "i"}
    assert decode_stored(stored(section)).annotations == own
    assert own_values(section, b"") == (own, {})


@pytest.mark.parametrize("name", ["iothub-connection-device-id", "X-Opt-Offset", "dt-dataschema", " mqtt-dup"])
def test_a_name_of_the_hubs_is_left_out_for_readers(name: str) -> None:
    section = application_of((e.string(name), e.string("forged")), (e.string("a"), e.string("1")))
    assert own_values(b"", section) == ({}, {"a": e.string("1")})


@pytest.mark.parametrize("name", ["iothub-outputname", "IoTHub-OutputName"])
def test_the_output_of_a_module_is_an_annotation(name: str) -> None:
    section = application_of((e.string(name), e.string("out")), (e.string("a"), e.string("1")))
    kept = stored(application=section)
    assert decode_stored(kept) == Stored({}, {"iothub-output-name": "out"}, {"a": "1"})
    assert own_values(b"", section) == ({"iothub-output-name": "out"}, {"a": e.string("1")})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"\x73\x00\x00\x00\x41", "A"),  # a char
        (b"\x74\xff\x00\x00\x00", "/wAAAA=="),  # a decimal is its bytes
        (e.list_([e.int_(1)]), '["1"]'),
        (e.map_([(e.string("a"), e.null())]), '{"a":null}'),
        (e.symbols(["a"]), '["a"]'),
        (e.described_symbol("d", e.int_(1)), "1"),
        (e.EMPTY_LIST, "[]"),
    ],
)
def test_what_a_readers_decoder_may_not_know_becomes_text(value: bytes, text: str) -> None:
    kept = stored(application=application_of((e.string("a"), value)))
    assert decode_stored(kept).application == {"a": text}
    assert own_values(b"", kept) == ({}, {"a": e.string(text)})


def test_keys_that_are_no_texts_are_left_out_and_the_last_of_a_name_counts() -> None:
    pairs = [(e.int_(1), e.int_(2)), (e.symbol("a"), e.int_(1)), (e.string("a"), e.int_(2)), (e.null(), e.null())]
    assert decode_stored(stored(application=application_of(*pairs))).application == {"a": "2"}


@pytest.mark.parametrize(
    "fields",
    [
        [e.list_([])],
        [e.null(), e.string("user as text")],
        [e.null()] * 6 + [e.string("a content type that is no symbol")],
        [e.null()] * 8 + [e.long(5)],
        [e.null()] * 11 + [e.ulong(5)],
        [e.null()] * 13 + [e.string("one field too many")],
        [e.symbol("an id as symbol")],
    ],
)
def test_a_field_of_another_type_is_never_copied(fields: list[bytes]) -> None:
    kept = stored(standard=e.described(0x73, e.list_(fields)))
    assert not is_clean(kept)
    assert len(decode_standard(kept)) <= 1


def test_all_types_that_fields_may_have_are_copied() -> None:
    ids = [e.ulong(0), e.ulong(7), e.ulong(2**63), e.uuid(bytes(16)), e.binary(b"\xff"), e.string("s" * 300)]
    for identifier in ids:
        fields = [identifier, e.binary(b"u"), *[e.string("t")] * 3, identifier, e.symbol("c"), e.symbol("e")]
        fields += [e.timestamp(1), e.timestamp(-1), e.string("g"), e.uint(5), e.string("r")]
        section = e.described(0x73, e.list_(fields))
        assert is_clean(stored(standard=section))


def test_empty_sections_say_nothing() -> None:
    kept = stored(
        application_of()[:2] + b"\x72" + application_of()[3:], e.described(0x73, e.EMPTY_LIST), application_of()
    )
    assert decode_stored(kept) == Stored({}, {}, {})
    annotations, standard, application = split_stored(kept)
    assert own_values(annotations, application) == ({}, {})
    assert not is_clean(standard)
    assert not has_id(standard)


def test_only_a_message_id_makes_properties_those_of_one_message() -> None:
    assert has_id(e.described(0x73, e.list_([e.ulong(0)])))
    assert not has_id(e.described(0x73, e.list_([e.null(), e.binary(b"u")])))
    assert not has_id(b"")


def test_properties_have_the_bounds_of_a_bag() -> None:
    most = [(e.string(str(n)), e.null()) for n in range(MAX_PROPERTIES)]
    assert len(decode_stored(stored(application=application_of(*most))).application) == MAX_PROPERTIES
    with pytest.raises(PropertiesInvalid):
        stored(application=application_of(*most, (e.string("one more"), e.null())))
    with pytest.raises(PropertiesInvalid):
        stored(standard=e.described(0x73, e.list_([e.string("x" * MAX_BAG)])))


@pytest.mark.parametrize("cut", [3, 4, 5, 6, 9, 12, 20])
def test_a_section_that_was_cut_says_nothing(cut: int) -> None:
    assert own_values(ANNOTATIONS[:cut], APPLICATION[: min(cut, len(APPLICATION) - 1)]) == ({}, {})
    assert not is_clean(STANDARD[:cut])
    assert decode_standard(STANDARD[:cut]) == {}


def test_a_value_that_was_damaged_says_nothing() -> None:
    damaged = application_of((e.string("a"), b"\xa1\x01\xff"), (e.string("b"), b"\x56\x02"))
    assert decode_stored(damaged).application == {"a": None, "b": None}


def test_a_section_that_goes_on_says_nothing() -> None:
    assert own_values(ANNOTATIONS + b"\x40", APPLICATION + b"\x40") == ({}, {})
    assert not is_clean(STANDARD + b"\x40")
    assert not is_clean(e.described(0x73, e.list_([e.uuid(bytes(16))]))[:-1])


@pytest.mark.parametrize(
    "damaged",
    [
        b"\x00",
        b"\x00\x53\x74",
        APPLICATION[:-1],
        b"\x00\x53\x73\xc0",
        b"\x00\x53\x73" + e.int_(5),
        b"\xff" * 20,
        b"\x40",
    ],
)
def test_what_cannot_be_read_is_left_out(damaged: bytes) -> None:
    assert decode_stored(damaged) == Stored({}, {}, {})
    for section in split_stored(damaged):
        assert own_values(section, section) == ({}, {})
        assert not is_clean(section)
