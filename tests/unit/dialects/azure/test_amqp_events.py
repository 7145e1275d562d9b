"""Entries of the log as messages that readers of the Event Hubs-compatible endpoint decode."""

import json

import pytest
from tests.fakes.amqp_readers import Seen, by_eventhub, by_own_codec, by_proton

from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import identity
from ironhub.dialects.azure import amqp_events
from ironhub.dialects.azure.amqp_events import MAX_ORIGINS, EventWriter
from ironhub.dialects.azure.events import auth_method
from ironhub.dialects.azure.timestamps import instant_ms
from ironhub.identity.model import Proof
from ironhub.messaging.telemetry.facts import entry_of
from ironhub.messaging.telemetry.model import Encoding, Entry, Flag, Logged, Origin, PartitionEnds, Source
from ironhub.wire.amqp import encode as e
from ironhub.wire.amqp.message import split_message
from ironhub.wire.amqp.values import Timestamp

NOON = 1_769_860_800.25
NOON_MS = 1_769_860_800_250
ORIGIN = Origin(identity("press-7"), Source.TELEMETRY, Encoding.AZURE_TOPIC, "638", Proof.OWN_KEY, "", "dtmi:acme:P;1")
AMQP = ORIGIN._replace(encoding=Encoding.AZURE_AMQP)


@pytest.fixture
def writer() -> EventWriter:
    return EventWriter("hub")


def logged(
    properties: bytes = b"", body: bytes = b"b", *, origin: Origin = ORIGIN, flags: int = 0, sequence: int = 7
) -> Logged:
    return Logged(2, sequence, NOON, Entry(origin, properties, body, flags))


def test_telemetry_is_written_with_what_the_hub_says_of_it(writer: EventWriter) -> None:
    bag = b"%24.mid=m&%24.cid=c&%24.uid=u&%24.ct=application%2Fjson&%24.ce=utf-8&%24.sub=s&a=1&b"
    payload = writer.write(logged(bag, b'{"t":1}'))
    expected = Seen(
        properties={
            "message-id": "m",
            "user-id": b"u",
            "correlation-id": "c",
            "content-type": "application/json",
            "content-encoding": "utf-8",
        },
        annotations={
            "x-opt-sequence-number": 7,
            "x-opt-offset": "7",
            "x-opt-enqueued-time": Timestamp(NOON_MS),
            "iothub-enqueuedtime": Timestamp(NOON_MS),
            "iothub-connection-device-id": "press-7",
            "iothub-connection-auth-method": auth_method(ORIGIN),
            "iothub-connection-auth-generation-id": "638",
            "iothub-message-source": "Telemetry",
            "dt-dataschema": "dtmi:acme:P;1",
            "dt-subject": "s",
        },
        application={"a": "1", "b": None},
        body=b'{"t":1}',
    )
    assert by_own_codec(payload) == by_proton(payload) == expected


def test_the_vendors_reader_finds_what_it_looks_for(writer: EventWriter) -> None:
    event = by_eventhub(writer.write(logged(b"%24.ct=application%2Fjson&a=1", b'{"t":1}', sequence=123_456)))
    assert (event.sequence_number, event.offset) == (123_456, "123456")
    assert event.enqueued_time is not None
    assert instant_ms(event.enqueued_time.timestamp()) == instant_ms(NOON)
    assert event.body_as_json() == {"t": 1}
    assert event.properties == {b"a": b"1"}
    assert event.content_type == "application/json"
    assert event.system_properties[b"iothub-connection-device-id"] == b"press-7"
    assert event.system_properties[b"iothub-enqueuedtime"] == NOON_MS


@pytest.mark.parametrize("sequence", [0, 9, 10, 127, 128, 2**31, 2**63 - 1])
@pytest.mark.parametrize("size", [0, 1, 255, 256, 70_000])
def test_every_place_and_size_is_written(writer: EventWriter, sequence: int, size: int) -> None:
    payload = writer.write(logged(body=b"x" * size, sequence=sequence))
    seen = by_own_codec(payload)
    assert (seen.annotations["x-opt-sequence-number"], seen.annotations["x-opt-offset"]) == (sequence, str(sequence))
    assert seen.body == b"x" * size
    assert by_proton(payload) == seen


def test_properties_of_amqp_senders_keep_their_types(writer: EventWriter) -> None:
    standard = e.described(0x73, e.list_([e.uuid(bytes(16)), e.null(), e.string("/to"), e.string("subject")]))
    application = e.described(0x74, e.map_([(e.string("a"), e.int_(7)), (e.string("b"), e.boolean(True))]))
    payload = writer.write(logged(standard + application, origin=AMQP))
    assert split_message(payload).properties == standard
    assert split_message(payload).application_properties == application
    assert by_proton(payload) == by_own_codec(payload)


def test_properties_that_cannot_be_copied_are_told_as_texts(writer: EventWriter) -> None:
    standard = e.described(0x73, e.list_([e.list_([e.int_(1)]), e.null(), e.binary(b"/to")]))
    application = e.described(0x74, e.map_([(e.string("a"), e.EMPTY_LIST), (e.string("x-opt-offset"), e.long(1))]))
    payload = writer.write(logged(standard + application, origin=AMQP, flags=Flag.WILL))
    seen = by_own_codec(payload)
    assert seen == by_proton(payload)
    assert seen.properties == {"message-id": '["1"]', "to": "/to"}
    assert seen.application == {"a": "[]", "iothub-MessageType": "Will"}
    assert seen.annotations["x-opt-offset"] == "7"


def test_flags_are_told(writer: EventWriter) -> None:
    seen = by_own_codec(writer.write(logged(flags=Flag.RETAIN | Flag.DUPLICATE)))
    assert seen.application == {"mqtt-retain": "true", "mqtt-dup": "true"}


def test_a_fact_is_written_as_the_event_it_is(writer: EventWriter) -> None:
    entry = entry_of(Fact(FactKind.CONNECTED, identity("press-7", "arm"), NOON - 1, {}))
    payload = writer.write(Logged(1, 16, NOON, entry))
    seen = by_own_codec(payload)
    assert seen == by_proton(payload)
    assert seen.annotations == {
        "x-opt-sequence-number": 16,
        "x-opt-offset": "16",
        "x-opt-enqueued-time": Timestamp(NOON_MS),
        "iothub-enqueuedtime": Timestamp(NOON_MS),
        "iothub-connection-device-id": "press-7",
        "iothub-connection-module-id": "arm",
        "iothub-message-source": "deviceConnectionStateEvents",
    }
    assert (seen.properties["user-id"], seen.properties["correlation-id"]) == (b"hub", "1-10")
    assert seen.application["opType"] == "deviceConnected"
    assert json.loads(seen.body)["sequenceNumber"].endswith("10")


def test_a_run_of_different_entries_is_told_apart(writer: EventWriter) -> None:
    others = [ORIGIN, ORIGIN._replace(identity=identity("press-8")), AMQP, ORIGIN._replace(model_id="")]
    fact = entry_of(Fact(FactKind.CONNECTED, identity("press-7"), NOON, {}))
    entries = [Logged(0, n, NOON + n // 2, Entry(others[n % 4], b"", b"%d" % n)) for n in range(16)]
    entries[5:5] = [Logged(0, 99, NOON + 9, fact)]
    for each in entries:
        assert by_own_codec(writer.write(each)) == by_own_codec(EventWriter("hub").write(each))


def test_how_far_the_partition_goes_is_told_where_it_is_asked_for(writer: EventWriter) -> None:
    ends = PartitionEnds(first=3, next=12, last_enqueued_at=NOON)
    event = by_eventhub(writer.write_with_metrics(logged(), ends, NOON + 1))
    assert event._raw_amqp_message.delivery_annotations == {
        b"last_enqueued_sequence_number": 11,
        b"last_enqueued_offset": b"11",
        b"last_enqueued_time_utc": NOON_MS,
        b"runtime_info_retrieval_time_utc": NOON_MS + 1000,
    }
    assert writer.write_with_metrics(logged(), ends._replace(last_enqueued_at=None), 0).endswith(writer.write(logged()))


def test_connections_that_are_kept_are_bounded(writer: EventWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amqp_events, "MAX_ORIGINS", 10)
    for n in range(25):
        seen = by_own_codec(writer.write(logged(origin=ORIGIN._replace(identity=identity(f"press-{n}")))))
        assert seen.annotations["iothub-connection-device-id"] == f"press-{n}"
        assert len(writer._origins) <= 10
    assert MAX_ORIGINS == 8192
