"""Whatever devices store, every reader over AMQP decodes it, and finds what readers by other ways find."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, cast
from urllib.parse import unquote

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.amqp_readers import by_eventhub, by_own_codec, by_proton

from ironhub.core.errors import HubError
from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import DeviceId, Identity, InvalidId, ModuleId, identity
from ironhub.core.strict_json import encode_json
from ironhub.dialects.azure.amqp_addresses import AddressUnknown, command_targets, parse_address
from ironhub.dialects.azure.amqp_cbs import decode_put_token
from ironhub.dialects.azure.amqp_device_messages import decode_method_answer, decode_twin_request
from ironhub.dialects.azure.amqp_events import EventWriter
from ironhub.dialects.azure.amqp_filters import SELECTOR, FilterInvalid, decode_start
from ironhub.dialects.azure.amqp_management import decode_management_request
from ironhub.dialects.azure.amqp_reading import read_message, read_messages
from ironhub.dialects.azure.amqp_service_messages import decode_command
from ironhub.dialects.azure.amqp_stored import stored_properties
from ironhub.dialects.azure.amqp_values import milliseconds, text_of
from ironhub.dialects.azure.events import AzureEvent, decode_event
from ironhub.dialects.azure.properties import encode_bag
from ironhub.dialects.azure.timestamps import TimestampInvalid, decode_instant
from ironhub.dialects.azure.topics import base_of
from ironhub.identity.model import Proof
from ironhub.messaging.telemetry.facts import entry_of
from ironhub.messaging.telemetry.model import Encoding, Entry, Logged, Origin, Source
from ironhub.wire.amqp import encode as e
from ironhub.wire.amqp.message import BATCH, split_message
from ironhub.wire.amqp.sections import data_section, encode_message
from ironhub.wire.amqp.values import Described, Timestamp

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)
ASCII = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12).filter(
    lambda t: t != "None"
)
NAMES = TEXT | st.sampled_from(
    [
        *("$.mid", "$.cid", "$.uid", "$.to", "$.ct", "$.ce", "$.exp", "$.ctime", "$.sub", "$.ifid", "$.on", "$.cdid"),
        *("iothub-connection-device-id", "x-opt-offset", "IoTHub-EnqueuedTime", "dt-dataschema", "iothub-ack", "a"),
        *("iothub-outputname", "iothub-creation-time-utc", "dt-subject", "iothub-interface-id", "mqtt-dup"),
    ]
)
INSTANTS = st.sampled_from(["2026-01-31T12:00:00.25Z", "never", "1700000000"])
PAIRS = st.lists(st.tuples(NAMES, st.none() | TEXT | INSTANTS), max_size=6)
SCALARS = st.one_of(
    st.just(e.null()),
    st.booleans().map(e.boolean),
    st.integers(-(2**31), 2**31 - 1).flatmap(lambda n: st.sampled_from([e.int_(n), e.long(n), e.timestamp(n)])),
    st.integers(0, 2**64 - 1).map(e.ulong),
    st.integers(0, 2**32 - 1).map(e.uint),
    st.floats(width=32).map(e.float_),
    st.floats().map(e.double),
    TEXT.map(e.string),
    ASCII.map(e.symbol),
    st.binary(max_size=12).map(e.binary),
    st.binary(min_size=16, max_size=16).map(e.uuid),
)
STRANGE = st.one_of(
    st.sampled_from([b"\x73\x00\x00\x00\x41", b"\x74\x01\x02\x03\x04", b"\x94" + b"\x07" * 16, e.EMPTY_LIST]),
    st.lists(SCALARS, max_size=3).map(e.list_),
    SCALARS.map(lambda value: e.described_symbol("strange", value)),
    st.just(e.symbols(["a", "b"])),
)
VALUES = SCALARS | SCALARS | STRANGE
KEYS = NAMES.map(e.string) | NAMES.filter(str.isascii).map(e.symbol) | SCALARS


def own_values(section: int) -> st.SearchStrategy[bytes]:
    """A section of annotations or application properties."""
    return st.just(b"") | st.lists(st.tuples(KEYS, VALUES), max_size=5, unique_by=lambda pair: pair[0]).map(
        lambda pairs: e.described(section, e.map_(pairs))
    )


RIGHT_FIELDS = st.tuples(
    *[
        st.just(e.null()) | values
        for values in (
            TEXT.map(e.string)
            | st.binary(min_size=16, max_size=16).map(e.uuid)
            | st.integers(0, 2**64 - 1).map(e.ulong),
            st.binary(min_size=1, max_size=5).map(e.binary),
            TEXT.map(e.string),
            TEXT.map(e.string),
            TEXT.map(e.string),
            TEXT.map(e.string) | st.binary(max_size=5).map(e.binary),
            ASCII.map(e.symbol),
            ASCII.map(e.symbol),
            st.integers(1, 10**13).map(e.timestamp),
            st.integers(1, 10**13).map(e.timestamp),
            TEXT.map(e.string),
            st.integers(1, 2**32 - 1).map(e.uint),
            TEXT.map(e.string),
        )
    ]
).flatmap(lambda fields: st.integers(0, len(fields)).map(lambda count: list(fields[:count])))
STANDARD = st.just(b"") | (RIGHT_FIELDS | st.lists(VALUES, max_size=15)).map(
    lambda fields: e.described(0x73, e.list_(fields))
)


@st.composite
def amqp_properties(draw: st.DrawFn) -> bytes:
    payload = encode_message(
        message_annotations=draw(own_values(0x72)),
        properties=draw(STANDARD),
        application_properties=draw(own_values(0x74)),
        body=data_section(b""),
    )
    return stored_properties(split_message(payload))


SENT: dict[Encoding, st.SearchStrategy[bytes]] = {
    Encoding.AZURE_TOPIC: PAIRS.map(lambda pairs: encode_bag(pairs).encode()) | st.binary(max_size=40),
    Encoding.JSON: PAIRS.map(lambda pairs: encode_json(dict(pairs))) | st.binary(max_size=40),
    Encoding.AZURE_AMQP: amqp_properties() | st.binary(max_size=40),
}


@st.composite
def entries(draw: st.DrawFn) -> Logged:
    encoding = draw(st.sampled_from(Encoding))
    who = identity("press-7", draw(st.sampled_from([None, "arm"])))
    proof = draw(st.sampled_from(Proof))
    origin = Origin(who, Source.TELEMETRY, encoding, "638", proof, "", draw(st.sampled_from(["", "dtmi:a:b;1"])))
    entry = Entry(origin, draw(SENT[encoding]), draw(st.binary(max_size=300)), draw(st.integers(0, 7)))
    if draw(st.integers(0, 9)) == 0:
        entry = entry_of(Fact(draw(st.sampled_from(FactKind)), who, 1.0, {"version": 2}))
    return Logged(0, draw(st.integers(0, 2**63 - 1)), draw(st.integers(0, 2 * 10**15)) / 1_000_000, entry)


WRITER = EventWriter("hub")


@settings(max_examples=300, deadline=None)
@given(entries())
def test_what_is_written_is_what_everybody_else_is_told(logged: Logged) -> None:
    payload = WRITER.write(logged)
    event = decode_event(logged, "hub")
    seen = by_own_codec(payload)
    at = Timestamp(milliseconds(logged.enqueued_at))
    placed = {"x-opt-sequence-number": logged.sequence_number, "x-opt-offset": str(logged.sequence_number)}
    came = {"x-opt-enqueued-time": at, "iothub-enqueuedtime": at}
    texts = {name: text for name, text in event.annotations.items() if name != "iothub-enqueuedtime"}
    assert seen.annotations == {**texts, **placed, **came}
    assert text_of(at) == event.annotations["iothub-enqueuedtime"]
    assert {name: text_of(value) for name, value in seen.application.items()} == event.application
    assert {name: text_of(value) for name, value in seen.properties.items()} == _as_typed(event)
    assert seen.body == event.body


@settings(max_examples=300, deadline=None)
@given(entries())
def test_no_readers_decoder_stumbles(logged: Logged) -> None:
    payload = WRITER.write(logged)
    seen, proton, vendor = by_own_codec(payload), by_proton(payload), by_eventhub(payload)
    assert repr(proton.annotations) == repr({**seen.annotations})
    assert repr(proton.application) == repr(seen.application)  # repr: not-a-number is not equal to itself
    assert proton.body == seen.body == b"".join(cast("Iterable[bytes]", vendor.body))
    assert vendor.sequence_number == logged.sequence_number
    assert vendor.offset == str(logged.sequence_number)
    assert {cast("bytes", name).decode() for name in vendor.properties or {}} == {*seen.application}
    assert _told(proton.properties) == _told(seen.properties)
    assert vendor.system_properties[b"iothub-connection-device-id"] == b"press-7"


@settings(max_examples=200, deadline=None)
@given(entries(), st.lists(entries(), max_size=4))
def test_what_was_written_before_changes_nothing(logged: Logged, before: list[Logged]) -> None:
    writer = EventWriter("hub")
    for each in [*before, logged, *before]:
        writer.write(each)
    assert writer.write(logged) == EventWriter("hub").write(logged)


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=60)
    | st.lists(TEXT | st.sampled_from(["devices", "messages", "events", "modules", "twin", "d"]), max_size=7).map(
        "/".join
    )
)
def test_an_address_names_whom_it_says(text: str) -> None:
    for receiver in (True, False):
        try:
            address = parse_address(text, receiver=receiver, event_stream="events")
        except AddressUnknown:
            continue
        who: Identity | None = getattr(address, "identity", None)
        segments = text.split("/")
        for part in who or ():
            assert part is None or part in segments or part in map(unquote, segments)


IDS = st.text(st.sampled_from("ab%25F/#?+@:.-_*!$'(),= "), min_size=1, max_size=8)


@settings(max_examples=300, deadline=None)
@given(IDS, st.none() | IDS)
def test_whoever_is_addressed_as_they_stand_or_encoded_is_found(device: str, module: str | None) -> None:
    try:
        who = identity(device, module)
    except InvalidId:
        return
    encoded = Identity(DeviceId(_escaped(device)), None if module is None else ModuleId(_escaped(module)))
    for written in (who, encoded):
        assert who in command_targets(f"/{base_of(written)}/messages/deviceBound")
    twin = parse_address(f"/{base_of(encoded)}/twin", receiver=True, event_stream="events")
    assert getattr(twin, "identity", None) == who


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=40)
    | st.builds(
        "amqp.annotation.x-opt-{} {} {}".format,
        st.sampled_from(["offset", "enqueued-time"]),
        st.sampled_from([">", ">=", "<"]),
        st.text("'0123456789-@latest", max_size=22),
    )
)
def test_a_filter_is_understood_or_refused(text: str) -> None:
    with suppress(FilterInvalid):
        decode_start({SELECTOR: Described(SELECTOR, text)})


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    body = st.binary(max_size=20).map(data_section) | VALUES.map(lambda value: e.described(0x77, value))
    return encode_message(
        message_annotations=draw(own_values(0x72)),
        properties=draw(STANDARD),
        application_properties=draw(own_values(0x74)),
        body=draw(body),
    )


@settings(max_examples=300, deadline=None)
@given(messages() | st.binary(max_size=60))
def test_any_message_is_understood_or_refused(payload: bytes) -> None:
    readings: list[Any] = [
        decode_put_token,
        decode_management_request,
        decode_command,
        decode_method_answer,
        decode_twin_request,
        stored_properties,
    ]
    refusals: list[HubError] = []
    with suppress(HubError):
        read_messages(payload, BATCH)
    for reading in readings:
        try:
            reading(read_message(payload))
        except HubError as error:
            refusals.append(error)
    assert all(error.status < 500 for error in refusals)


def _as_typed(event: AzureEvent) -> dict[str, str | None]:
    """The texts as they are after they were given the types of their fields."""
    told: dict[str, str | None] = {}
    for name, text in event.properties.items():
        if name in ("content-type", "content-encoding"):
            told[name] = text.encode("ascii", "replace").decode()
        elif name in ("absolute-expiry-time", "creation-time"):
            try:
                told[name] = text_of(Timestamp(milliseconds(decode_instant(text))))
            except TimestampInvalid:
                continue
        elif name != "group-sequence" or (text.isascii() and text.isdecimal() and int(text) < 2**32):
            told[name] = text
    return told


def _escaped(text: str) -> str:
    return "".join(f"%{ord(char):02X}" for char in text)


def _told(properties: dict[str, Any]) -> dict[str, str | None]:
    """Without what Proton's way to say "no symbol" hides, and instants and numbers that it takes for none."""
    texts = {name: text_of(value) for name, value in properties.items()}
    return {name: text for name, text in texts.items() if text not in ("None", "", "0", "1970-01-01T00:00:00.000Z")}
