"""Any bytes, any value, any cut: read, or refused as a ProtocolViolation; and what Qpid Proton makes of the same."""

import uuid
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from proton import (
    Array,
    Data,
    Message,
    byte,
    char,
    float32,
    int32,
    short,
    symbol,
    timestamp,
    ubyte,
    uint,
    ulong,
    ushort,
)
from proton import Described as ProtonDescribed

from ironhub.wire.amqp import encode
from ironhub.wire.amqp.decode import MAX_UNSALTED_KEYS, decode, skip
from ironhub.wire.amqp.errors import MalformedValue, ProtocolViolation
from ironhub.wire.amqp.frames import AMQP_HEADER, EMPTY_FRAME, Frame, FrameBuffer, encode_frame
from ironhub.wire.amqp.message import RawMessage, decode_map_section, split_batch, split_message
from ironhub.wire.amqp.performatives import decode_performative
from ironhub.wire.amqp.properties import decode_properties, properties_section
from ironhub.wire.amqp.sasl import decode_sasl
from ironhub.wire.amqp.sections import (
    annotations_section,
    application_section,
    data_section,
    encode_message,
    value_section,
)
from ironhub.wire.amqp.transfers import Transfer, encode_transfer
from ironhub.wire.amqp.values import Described, Timestamp, Uuid, Value

Encoded = tuple[bytes, object]
"""Our encoding of a value, and the same value as Proton has it."""

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
"""Proton ends the text of some fields at a NUL."""
names = st.text(st.characters(max_codepoint=126, min_codepoint=33), max_size=300)
EIGHT, SIXTEEN, THIRTY_TWO, SIXTY_FOUR = (1 << bits for bits in (8, 16, 32, 64))

scalars: st.SearchStrategy[Encoded] = st.one_of(
    st.just((encode.null(), None)),
    st.booleans().map(lambda value: (encode.boolean(value), value)),
    st.integers(0, EIGHT - 1).map(lambda value: (encode.ubyte(value), ubyte(value))),
    st.integers(0, SIXTEEN - 1).map(lambda value: (encode.ushort(value), ushort(value))),
    st.integers(0, THIRTY_TWO - 1).map(lambda value: (encode.uint(value), uint(value))),
    st.integers(0, SIXTY_FOUR - 1).map(lambda value: (encode.ulong(value), ulong(value))),
    st.integers(-EIGHT // 2, EIGHT // 2 - 1).map(lambda value: (encode.byte(value), byte(value))),
    st.integers(-SIXTEEN // 2, SIXTEEN // 2 - 1).map(lambda value: (encode.short(value), short(value))),
    st.integers(-THIRTY_TWO // 2, THIRTY_TWO // 2 - 1).map(lambda value: (encode.int_(value), int32(value))),
    st.integers(-SIXTY_FOUR // 2, SIXTY_FOUR // 2 - 1).map(lambda value: (encode.long(value), value)),
    st.floats(width=32, allow_nan=False).map(lambda value: (encode.float_(value), float32(value))),
    st.floats(allow_nan=False).map(lambda value: (encode.double(value), value)),
    st.integers(-(1 << 60), 1 << 60).map(lambda value: (encode.timestamp(value), timestamp(value))),
    st.uuids().map(lambda value: (encode.uuid(value.bytes), value)),
    st.binary(max_size=300).map(lambda value: (encode.binary(value), value)),
    texts.map(lambda value: (encode.string(value), value)),
    names.map(lambda value: (encode.symbol(value), symbol(value))),
)


def listed(items: list[Encoded]) -> Encoded:
    return encode.list_([item for item, _ in items]), [item for _, item in items]


def mapped(items: dict[str, Encoded]) -> Encoded:
    pairs = [(encode.string(key), item) for key, (item, _) in items.items()]
    return encode.map_(pairs), {key: item for key, (_, item) in items.items()}


def described(code: int, item: tuple[bytes, Any]) -> Encoded:
    return encode.described(code, item[0]), ProtonDescribed(ulong(code), item[1])


values: st.SearchStrategy[Encoded] = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(listed),
        st.dictionaries(texts, inner, max_size=4).map(mapped),
        # Not around another: Proton loses what stands behind two.
        st.builds(described, st.integers(0, SIXTY_FOUR - 1), scalars),
    ),
    max_leaves=8,
)


def plain(value: Any) -> Any:
    """Proton's value as ours would be."""
    match value:
        case timestamp():
            return Timestamp(int(value))
        case uuid.UUID():
            return Uuid(value.bytes)
        case ProtonDescribed():
            return Described(plain(value.descriptor), plain(value.value))
        case Array():
            return [plain(item) for item in value.elements]
        case dict():
            return {plain(key): plain(item) for key, item in value.items()}
        case list():
            return [plain(item) for item in value]
        case memoryview():
            return bytes(value)
        case bool() | None | bytes():
            return value
        case str():
            return str(value)
        case int():
            return int(value)
        case _:
            return float(value)


def by_proton(encoded: bytes) -> Any:
    """What Proton reads, as ours: made so at once, since binaries are memory of Proton's that goes with its `Data`."""
    data = Data()
    assert data.decode(encoded) == len(encoded)
    data.rewind()
    data.next()
    return plain(data.get_object())


def to_proton(value: object) -> bytes:
    """What Proton writes."""
    data = Data()
    data.put_object(value)
    return bytes(data.encode())


@settings(max_examples=150)
@given(value=values)
def test_proton_reads_what_is_written_here(value: Encoded) -> None:
    encoded, theirs = value
    assert by_proton(encoded) == plain(theirs) == decode(encoded)[0]


@settings(max_examples=150)
@given(value=values)
def test_what_proton_writes_is_read_here(value: Encoded) -> None:
    encoded = to_proton(value[1])
    assert decode(encoded) == (plain(value[1]), len(encoded))
    assert skip(encoded, 0, len(encoded)) == len(encoded)


ARRAYS = [
    (Data.UINT, uint, st.integers(0, THIRTY_TWO - 1)),
    (Data.LONG, int, st.integers(-SIXTY_FOUR // 2, SIXTY_FOUR // 2 - 1)),
    (Data.STRING, str, texts),
    (Data.SYMBOL, symbol, names),
    (Data.BOOL, bool, st.booleans()),
    (Data.CHAR, char, st.characters(exclude_categories=["Cs"])),
]


@settings(max_examples=60)
@given(data=st.data(), labelled=st.booleans())
def test_arrays_of_proton_are_read_here(data: st.DataObject, labelled: bool) -> None:
    kind, make, items = data.draw(st.sampled_from(ARRAYS))
    found = data.draw(st.lists(items, min_size=1, max_size=5))
    whole = Data()
    whole.put_array(labelled, kind)
    whole.enter()
    if labelled:
        whole.put_symbol("label")
    for item in found:
        whole.put_object(make(item))
    whole.exit()
    expected: list[Value] = [Described("label", item) for item in found] if labelled else [*found]
    encoded = bytes(whole.encode())
    assert decode(encoded) == (expected, len(encoded))


@settings(max_examples=100)
@given(items=st.lists(names, max_size=5))
def test_an_array_of_symbols_is_read_by_proton(items: list[str]) -> None:
    assert by_proton(encode.symbols(items)) == items


@settings(max_examples=100)
@given(
    body=st.one_of(st.binary(max_size=400), texts, st.none()),
    bag=st.dictionaries(texts, st.one_of(texts, st.booleans(), st.integers(-5, 5), st.none()), max_size=4),
    annotations=st.dictionaries(names, texts, max_size=3),
    message_id=st.one_of(texts, st.integers(0, 1 << 40).map(ulong), st.uuids(), st.none()),
    subject=texts,
    inferred=st.booleans(),
)
def test_a_message_of_protons_is_read_here(
    body: bytes | str | None,
    bag: dict[str, str | bool | int | None],
    annotations: dict[str, str],
    message_id: str | ulong | uuid.UUID | None,
    subject: str,
    inferred: bool,
) -> None:
    message = Message(body=body, properties=bag, id=message_id, subject=subject, inferred=inferred)
    message.annotations = {symbol(key): item for key, item in annotations.items()}
    found = split_message(bytes(message.encode()))
    assert found.body == (body.encode() if isinstance(body, str) else body or b"")
    assert decode_map_section(found.application_properties) == bag
    assert decode_map_section(found.message_annotations) == annotations
    properties = decode_properties(found.properties)
    assert (properties.message_id, properties.subject) == (plain(message_id), subject)


@settings(max_examples=100)
@given(
    body=st.binary(max_size=400),
    bag=st.dictionaries(texts, scalars, max_size=4),
    annotations=st.dictionaries(names, scalars, max_size=3),
    identifier=st.uuids(),
    to=texts,
    instants=st.tuples(st.integers(1, 1 << 40), st.integers(1, 1 << 40)),
    as_value=st.booleans(),
)
def test_a_message_of_ours_is_read_by_proton(
    body: bytes,
    bag: dict[str, Encoded],
    annotations: dict[str, Encoded],
    identifier: uuid.UUID,
    to: str,
    instants: tuple[int, int],
    as_value: bool,
) -> None:
    payload = encode_message(
        message_annotations=annotations_section([(key, item) for key, (item, _) in annotations.items()]),
        properties=properties_section(
            message_id=encode.uuid(identifier.bytes),
            user_id=b"hub",
            to=to,
            correlation_id=encode.ulong(7),
            content_type="application/json",
            content_encoding="utf-8",
            absolute_expiry_ms=instants[0],
            creation_ms=instants[1],
        ),
        application_properties=application_section([(key, item) for key, (item, _) in bag.items()]),
        body=value_section(encode.binary(body)) if as_value else data_section(body),
    )
    found = Message()
    found.decode(payload)
    assert (plain(found.body), found.id, found.address, found.correlation_id) == (body, identifier, to, 7)
    assert (found.user_id, found.content_type, found.content_encoding) == (b"hub", "application/json", "utf-8")
    assert (round(found.expiry_time * 1000), round(found.creation_time * 1000)) == instants
    assert plain(found.properties) == {key: plain(item) for key, (_, item) in bag.items()}
    assert plain(found.annotations) == {key: plain(item) for key, (_, item) in annotations.items()}


class KeyMalformed(Exception):
    """What only building a map shows."""


def read(raw: bytes) -> int:
    """Where the value ends."""
    try:
        return decode(raw)[1]
    except MalformedValue as error:
        if "key" in str(error):
            raise KeyMalformed from None
        raise


@settings(max_examples=300)
@given(data=st.binary(max_size=200), value=values, place=st.integers(0, 1 << 16), octet=st.integers(0, 255))
def test_any_bytes_are_a_value_or_malformed_and_skipping_agrees(
    data: bytes, value: Encoded, place: int, octet: int
) -> None:
    broken = bytearray(value[0])
    broken[place % len(broken)] = octet
    for raw in (data, bytes(broken), value[0][: place % len(value[0])]):
        end: int | None = None
        try:
            end = skip(raw, 0, len(raw))
        except MalformedValue:
            with pytest.raises(MalformedValue):
                decode(raw)
        if end is not None:
            with suppress(KeyMalformed):
                assert read(raw) == end


@settings(max_examples=200)
@given(keys=st.lists(st.integers(0, SIXTY_FOUR - 1), unique=True, max_size=MAX_UNSALTED_KEYS))
def test_a_map_of_numbers_is_read_up_to_its_bound(keys: list[int]) -> None:
    assert decode(encode.map_([(encode.ulong(key), encode.NULL) for key in keys]))[0] == dict.fromkeys(keys)


transfers = st.builds(
    encode_transfer,
    st.integers(0, SIXTEEN - 1),
    st.integers(0, THIRTY_TWO - 1),
    st.integers(0, THIRTY_TWO - 1),
    st.binary(max_size=32),
    st.integers(0, THIRTY_TWO - 1),
    st.booleans(),
    st.binary(max_size=300),
)


@settings(max_examples=200)
@given(frame=transfers)
def test_the_quick_way_of_a_transfer_is_the_slow_one(frame: bytes) -> None:
    buffer = FrameBuffer(1 << 16)
    buffer.feed(frame)
    taken = buffer.take()
    assert taken is not None
    found = decode_performative(taken[2])
    assert isinstance(found, Transfer)
    again = decode_performative(found.encode())
    assert isinstance(again, Transfer)
    assert (repr(again), again.payload) == (repr(found), found.payload)


@settings(max_examples=300)
@given(data=st.binary(max_size=120), code=st.sampled_from([*range(0x10, 0x19), *range(0x40, 0x45), *range(0x70, 0x79)]))
def test_any_body_is_a_performative_or_a_violation(data: bytes, code: int) -> None:
    for body in (data, bytes((0, 0x53, code)) + data, encode.described(code, encode.list_([data]))):
        for look in (decode_performative, decode_sasl, split_message, split_batch, properties_of):
            with suppress(ProtocolViolation):
                look(body)


def properties_of(body: bytes) -> RawMessage:
    """A message all of whose sections are read."""
    found = split_message(body)
    decode_properties(found.properties)
    decode_map_section(found.application_properties)
    found.value()
    return found


pieces = st.one_of(
    st.sampled_from([AMQP_HEADER, EMPTY_FRAME, b"\x00\x00\x00\x07"]),
    transfers,
    st.binary(max_size=100).map(lambda body: encode_frame(1, 0, body)),
)


def cut(stream: bytes, places: list[int]) -> list[Frame | str]:
    """The frames of a stream that arrives in pieces, and the complaint that ends it."""
    buffer = FrameBuffer(400)
    found: list[Frame | str] = []
    for start, stop in pairwise([0, *places, len(stream)]):
        buffer.feed(stream[start:stop])
        try:
            while (frame := buffer.take()) is not None:
                found.append(frame)
        except ProtocolViolation as violation:
            return [*found, str(violation)]
    return found


@settings(max_examples=200)
@given(stream=st.lists(pieces, max_size=6).map(b"".join), places=st.lists(st.integers(0, 1 << 16), max_size=8))
def test_how_the_stream_is_cut_never_changes_the_frames(stream: bytes, places: list[int]) -> None:
    assert cut(stream, sorted(place % (len(stream) + 1) for place in places)) == cut(stream, [])
