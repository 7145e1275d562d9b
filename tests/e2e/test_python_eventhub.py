"""Microsoft's unmodified Event Hubs client for Python reads the hub's telemetry."""

import contextlib
import datetime
import json
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import pytest
from azure.eventhub import EventData, EventHubConsumerClient, EventHubProducerClient
from azure.eventhub.exceptions import AuthenticationError, ConnectError, ConnectionLostError, EventHubError
from tests.covers import covers
from tests.e2e.conftest import StartHub
from tests.e2e.event_readers import (
    EVERY_READER,
    PARTITIONS,
    PLAIN_PORT,
    SYNC,
    ReaderKind,
    Stream,
    known_stream,
    stream_connection_string,
)
from tests.e2e.python_client import PATIENCE
from tests.fakes.mqtt_packets import publish
from tests.fakes.raw_device import events_topic, online
from tests.fakes.running_hub import RunningHub

COUNT: Final = 20
PUBACK: Final = 4


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stream]:
    """A hub whose plain port is open too, with known events."""
    arguments = ("--amqp-plain-port", str(PLAIN_PORT))
    hub = RunningHub(tmp_path_factory.mktemp("stream") / "data", arguments=arguments).start()
    with known_stream(hub, hub.create_device("press"), COUNT) as known:
        yield known
    assert hub.stop() == 0, hub.log[-2000:]


@pytest.fixture(scope="module")
def known(stream: Stream) -> list[EventData]:
    """The first events, as the plainest client reads them."""
    with SYNC.reading(stream.hub, stream.partition, "-1") as reading:
        return reading.take(COUNT)


@covers(
    "py:EventHubConsumerClient.receive",
    "py:EventHubConsumerClient.close",
    "py:EventHubConsumerClient.from_connection_string",
)
@EVERY_READER
def test_every_kind_of_client_reads_from_the_beginning_and_then_what_comes(stream: Stream, kind: ReaderKind) -> None:
    with kind.reading(stream.hub, stream.partition, "-1") as reading:
        events = reading.take(stream.sent)
        assert [event.body_as_json() for event in events] == [{"n": number} for number in range(stream.sent)]
        assert [event.sequence_number for event in events] == stream.places()
        stream.send(3)
        assert reading.numbers(3) == list(range(stream.sent - 3, stream.sent))
    assert list(reading.errors.queue) == []


def test_an_event_tells_who_sent_it_and_what_it_carried(stream: Stream, known: list[EventData]) -> None:
    event = known[7]
    place = stream.places()[7]
    assert (event.sequence_number, event.offset) == (place, str(place))
    assert event.properties == {b"kind": b"known"}
    assert event.enqueued_time is not None
    assert abs(event.enqueued_time.timestamp() - time.time()) < 600
    system = event.system_properties
    assert system[b"iothub-connection-device-id"] == b"press"
    assert json.loads(system[b"iothub-connection-auth-method"])["type"] == "sas"
    assert system[b"iothub-message-source"] == b"Telemetry"
    assert b"iothub-enqueuedtime" in system


@covers("py:EventHubConsumerClient.receive_batch")
def test_events_come_in_batches_to_those_who_want_them_so(stream: Stream) -> None:
    batches: queue.Queue[list[EventData]] = queue.Queue()
    with SYNC.client(stream.hub) as client:
        asked = {"partition_id": stream.partition, "starting_position": "-1", "max_batch_size": 7}
        handlers = {"on_event_batch": lambda _, events: batches.put(events)}
        reader = threading.Thread(target=client.receive_batch, kwargs={**handlers, **asked})
        reader.start()
        taken = [batches.get(timeout=PATIENCE) for _ in range(2)]
        client.close()
        reader.join(PATIENCE)
    assert all(1 <= len(batch) <= 7 for batch in taken)
    numbers = [event.body_as_json()["n"] for batch in taken for event in batch]
    assert numbers == list(range(len(numbers)))


def test_a_reader_may_begin_anywhere(stream: Stream, known: list[EventData]) -> None:
    times = [event.enqueued_time for event in known if event.enqueued_time is not None]
    just_before = times[7] - datetime.timedelta(milliseconds=1)
    at_that_time = [number for number, time_of in enumerate(times) if time_of == times[7]]
    place = stream.places()[7]
    cases: list[tuple[Any, bool, int]] = [
        ("-1", False, 0),
        (str(place), False, 8),
        (str(place), True, 7),
        (place, False, 8),
        (place, True, 7),
        (just_before, False, at_that_time[0]),
        (times[7], False, at_that_time[-1] + 1),
        (times[7], True, at_that_time[0]),
        (datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC), False, 0),
    ]
    for start, inclusive, expected in cases:
        with SYNC.reading(stream.hub, stream.partition, start, starting_position_inclusive=inclusive) as reading:
            assert reading.numbers(3) == [expected, expected + 1, expected + 2], (start, inclusive)


@pytest.mark.parametrize("start", ["@latest", "1000000", 1_000_000, datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC)])
def test_latest_and_whatever_is_beyond_the_end_begins_behind_what_is_stored(stream: Stream, start: Any) -> None:
    before = stream.sent
    with SYNC.reading(stream.hub, stream.partition, start) as reading:
        deadline = time.monotonic() + PATIENCE
        first: EventData | None = None
        while first is None and time.monotonic() < deadline:  # nobody tells when the reader is attached
            stream.send()
            with suppress(queue.Empty):
                first = reading.events.get(timeout=1.0)  # while events keep coming the client hands over none
        assert first is not None
        number = first.body_as_json()["n"]
        assert number >= before
        stream.send(2)
        expected = list(range(number + 1, stream.sent))
        assert reading.numbers(len(expected)) == expected


@covers(
    "py:EventHubConsumerClient.get_eventhub_properties",
    "py:EventHubConsumerClient.get_partition_ids",
    "py:EventHubConsumerClient.get_partition_properties",
)
@EVERY_READER
def test_the_stream_and_its_partitions_tell_about_themselves(stream: Stream, kind: ReaderKind) -> None:
    hub = stream.hub
    ids = [str(number) for number in range(PARTITIONS)]
    told = kind.ask(hub, lambda client: client.get_eventhub_properties())
    assert (told["eventhub_name"], told["partition_ids"]) == ("events", ids)
    assert abs(told["created_at"].timestamp() - time.time()) < 2 * 86_400  # the certificate is made out a day back
    assert kind.ask(hub, lambda client: client.get_partition_ids()) == ids
    full = kind.ask(hub, lambda client: client.get_partition_properties(stream.partition))
    assert (full["eventhub_name"], full["id"], full["is_empty"]) == ("events", stream.partition, False)
    last = stream.places()[-1]
    assert (full["beginning_sequence_number"], full["last_enqueued_sequence_number"]) == (0, last)
    assert full["last_enqueued_offset"] == str(last)
    assert abs(full["last_enqueued_time_utc"].timestamp() - time.time()) < 600
    other = next(number for number in ids if number != stream.partition)
    empty = kind.ask(hub, lambda client: client.get_partition_properties(other))
    assert (empty["beginning_sequence_number"], empty["last_enqueued_sequence_number"]) == (0, -1)
    assert (empty["last_enqueued_offset"], empty["is_empty"]) == ("-1", True)


def test_a_reader_may_ask_how_far_the_partition_has_come(stream: Stream) -> None:
    with SYNC.reading(stream.hub, stream.partition, "-1", track_last_enqueued_event_properties=True) as reading:
        reading.take(stream.sent)
        stream.send()
        reading.take(1)
    last = reading.last[-1]
    assert last is not None
    place = stream.places()[-1]
    assert (last["sequence_number"], last["offset"]) == (place, str(place))
    assert abs(last["retrieval_time"].timestamp() - time.time()) < 600
    assert last["enqueued_time"] <= last["retrieval_time"]


def test_a_reader_with_a_higher_owner_level_takes_the_partition(stream: Stream) -> None:
    hub, partition = stream.hub, stream.partition
    with SYNC.reading(hub, partition, "-1", owner_level=1) as first:
        first.take(stream.sent)
        with SYNC.reading(hub, partition, "-1", owner_level=2) as second:
            second.take(stream.sent)
            lost = first.errors.get(timeout=PATIENCE)
            assert isinstance(lost, ConnectionLostError), lost
            with SYNC.reading(hub, partition, "-1", owner_level=1) as lower:
                assert "higher epoch '2' already exists" in str(lower.errors.get(timeout=PATIENCE))
            with SYNC.reading(hub, partition, "-1") as without:
                assert "non-epoch receiver is not allowed" in str(without.errors.get(timeout=PATIENCE))
            stream.send()
            assert second.numbers(1) == [stream.sent - 1]
            assert first.events.empty()


def test_the_sixth_reader_of_a_partition_is_one_too_many(stream: Stream) -> None:
    hub, partition = stream.hub, stream.partition
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(SYNC.reading(hub, partition, "-1")).take(1)
        with SYNC.reading(hub, partition, "-1", retries=0) as sixth:
            assert "maximum number of allowed receivers" in str(sixth.errors.get(timeout=PATIENCE))


def test_a_group_reads_beside_the_others_until_it_is_deleted(stream: Stream) -> None:
    hub, partition = stream.hub, stream.partition
    hub.call("PUT", "/consumer-groups/alerts")
    with (
        SYNC.reading(hub, partition, "-1", group="alerts", owner_level=0, retries=0) as alerts,
        SYNC.reading(hub, partition, "-1", owner_level=0) as default,
    ):
        assert alerts.numbers(COUNT) == default.numbers(COUNT) == list(range(COUNT))
        hub.call("DELETE", "/consumer-groups/alerts")
        assert isinstance(alerts.errors.get(timeout=PATIENCE), EventHubError)
    with SYNC.reading(hub, partition, "-1", group="alerts", retries=0) as gone:
        error = gone.errors.get(timeout=PATIENCE)
        assert "could not be found" in str(error)


def test_what_is_not_there_is_told_so(stream: Stream) -> None:
    hub = stream.hub
    with pytest.raises(EventHubError, match="Status code: 404"):
        SYNC.ask(hub, lambda client: client.get_partition_properties("99"), retry_total=0)
    with pytest.raises(EventHubError, match="Status code: 401"):  # its token is signed for a name that is not ours
        SYNC.ask(hub, lambda client: client.get_eventhub_properties(), eventhub_name="other", retry_total=0)


def test_nobody_reads_with_a_wrong_key_or_without_the_right(stream: Stream) -> None:
    hub = stream.hub
    good = stream_connection_string(hub)
    fields = dict(part.split("=", 1) for part in good.split(";"))
    wrong = good.replace(fields["SharedAccessKey"], "d3Jvbmc=")
    registry = hub.connection_string(policy="registryRead")
    reading = dict(part.split("=", 1) for part in registry.split(";"))
    without = (
        f"Endpoint={fields['Endpoint']};SharedAccessKeyName={reading['SharedAccessKeyName']};"
        f"SharedAccessKey={reading['SharedAccessKey']};EntityPath={fields['EntityPath']}"
    )
    for text in (wrong, without):
        with (
            EventHubConsumerClient.from_connection_string(
                text, "$Default", connection_verify=str(hub.ca_path), retry_total=0
            ) as client,
            pytest.raises((AuthenticationError, ConnectError, ConnectionLostError)),
        ):
            client.get_eventhub_properties()


def test_nobody_sends_into_the_stream(stream: Stream) -> None:
    text = stream_connection_string(stream.hub)
    with (
        EventHubProducerClient.from_connection_string(
            text, connection_verify=str(stream.hub.ca_path), retry_total=0
        ) as producer,
        pytest.raises(EventHubError, match="only read here"),
    ):
        producer.send_batch([EventData(b"not for you")])
    told = SYNC.ask(stream.hub, lambda client: client.get_partition_properties(stream.partition))
    assert told["last_enqueued_sequence_number"] == stream.places()[-1]


@pytest.mark.parametrize("kind", [SYNC, ReaderKind(aio=True)], ids=str)
def test_thousands_of_events_with_a_large_prefetch_are_each_read_once(start_hub: StartHub, kind: ReaderKind) -> None:
    hub, count = start_hub(), 6000
    device = hub.create_device("press")
    with online(hub, device) as sender:
        for first in range(0, count, 500):
            numbers = range(first, first + 500)
            topic = events_topic(device)
            sender.send(*(publish(topic, b"%d" % number, qos=1, packet_id=number + 1) for number in numbers))
            for _ in numbers:
                sender.packet_of(PUBACK)
    (event, *_) = hub.events(count=1)
    with kind.reading(hub, str(event["partition"]), "-1", prefetch=5000) as reading:
        events = reading.take(count)
    assert [event.body_as_str() for event in events] == [str(number) for number in range(count)]
    places = [event.sequence_number for event in events if event.sequence_number is not None]
    assert places == sorted(set(places))


def test_a_reader_whose_key_is_rolled_loses_its_place(start_hub: StartHub) -> None:
    hub = start_hub()
    with (
        known_stream(hub, hub.create_device("press"), 1) as stream,
        SYNC.reading(hub, stream.partition, "-1", retries=0) as reading,
    ):
        reading.take(1)
        hub.call("POST", "/policies/service/roll", params={"key": "primary"})
        assert isinstance(reading.errors.get(timeout=PATIENCE), EventHubError)
        stream.send()
        assert reading.events.empty()
