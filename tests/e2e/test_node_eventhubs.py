"""Microsoft's unmodified Event Hubs client for Node reads the hub's telemetry."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from tests.covers import covers
from tests.e2e.event_readers import PARTITIONS, PLAIN_PORT, Stream, known_stream, stream_connection_string
from tests.e2e.node_process import NodeError, NodeProcess
from tests.e2e.python_client import PATIENCE, new_id
from tests.fakes.running_hub import RunningHub

COUNT: Final = 20
WAYS: Final = pytest.mark.parametrize("way", ["tls", "websocket", "plain"])
EARLIEST: Final = {"offset": "-1"}


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stream]:
    """A hub whose plain port is open too, with known events."""
    arguments = ("--amqp-plain-port", str(PLAIN_PORT))
    hub = RunningHub(tmp_path_factory.mktemp("stream") / "data", arguments=arguments).start()
    with known_stream(hub, hub.create_device("press"), COUNT) as known:
        yield known
    assert hub.stop() == 0, hub.log[-2000:]


@pytest.fixture(scope="module")
def node(_node_sdks: None, stream: Stream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A Node process with the client."""
    log = tmp_path_factory.mktemp("node") / "events.log"
    process = NodeProcess("events.js", log, NODE_EXTRA_CA_CERTS=str(stream.hub.ca_path))
    yield process
    process.close()


class NodeReader:
    """One subscription."""

    def __init__(self, node: NodeProcess) -> None:
        self.handle = new_id("reader")
        self.events = node.events(self.handle, "event")
        self.errors = node.events(self.handle, "error")
        self.closes = node.events(self.handle, "close")
        self.last = node.events(self.handle, "last")

    def take(self, count: int) -> list[dict[str, Any]]:
        """Return the next events. Raises queue.Empty."""
        return [self.events.get(timeout=PATIENCE) for _ in range(count)]

    def numbers(self, count: int) -> list[int]:
        """Return the numbers in the bodies of the next events."""
        return [event["body"]["n"] for event in self.take(count)]


class NodeClient:
    """One consumer client."""

    def __init__(self, node: NodeProcess, stream: Stream) -> None:
        self._node = node
        self._stream = stream
        self.handle = new_id("client")

    def ask(self, action: str, **arguments: Any) -> Any:
        """As NodeProcess.ask, of this client."""
        return self._node.ask(action, handle=self.handle, **arguments)

    @contextmanager
    def reading(self, start: dict[str, Any], *, partition: str | None = None, **options: Any) -> Iterator[NodeReader]:
        """Read one partition, the known one unless told otherwise, until the block ends."""
        reader = NodeReader(self._node)
        where = self._stream.partition if partition is None else partition
        self.ask("subscribe", reader=reader.handle, partition=where, start=start, options=options)
        yield reader
        self.ask("unsubscribe", reader=reader.handle)


@contextmanager
def opened(node: NodeProcess, stream: Stream, way: str = "tls", group: str = "$Default") -> Iterator[NodeClient]:
    """A client, closed at the end."""
    client = NodeClient(node, stream)
    text = stream_connection_string(stream.hub, plain=way == "plain")
    client.ask("open", connectionString=text, group=group, websocket=way == "websocket")
    try:
        yield client
    finally:
        client.ask("close")


@covers(
    "node:EventHubConsumerClient.subscribe",
    "node:EventHubConsumerClient.getEventHubProperties",
    "node:EventHubConsumerClient.getPartitionIds",
    "node:EventHubConsumerClient.getPartitionProperties",
    "node:EventHubConsumerClient.close",
)
@WAYS
def test_every_transport_reads_events_and_what_the_stream_tells_of_itself(
    node: NodeProcess, stream: Stream, way: str
) -> None:
    with opened(node, stream, way) as client:
        told = client.ask("properties")
        assert (told["name"], told["partitionIds"]) == ("events", [str(number) for number in range(PARTITIONS)])
        assert abs(told["createdOn"] / 1000 - time.time()) < 2 * 86_400
        assert client.ask("partitions") == told["partitionIds"]
        partition = client.ask("partition", partition=stream.partition)
        assert (partition["beginningSequenceNumber"], partition["isEmpty"]) == (0, False)
        last = stream.places()[-1]
        assert (partition["lastEnqueuedSequenceNumber"], partition["lastEnqueuedOffset"]) == (last, str(last))
        with client.reading(EARLIEST) as reader:
            events = reader.take(stream.sent)
            stream.send(2)
            assert reader.numbers(2) == [stream.sent - 2, stream.sent - 1]
    assert [event["sequenceNumber"] for event in events] == stream.places()[:-2]
    assert [event["body"] for event in events] == [{"n": number} for number in range(stream.sent - 2)]
    assert events[3]["properties"] == {"kind": "known"}
    assert events[3]["systemProperties"]["iothub-connection-device-id"] == "press"
    assert reader.errors.empty()


def test_a_reader_may_begin_anywhere(node: NodeProcess, stream: Stream) -> None:
    with opened(node, stream) as client:
        with client.reading(EARLIEST) as reader:
            known = reader.take(COUNT)
        of_7 = [event["body"]["n"] for event in known if event["enqueuedAt"] == known[7]["enqueuedAt"]]
        place = stream.places()[7]
        cases: list[tuple[dict[str, Any], int]] = [
            ({"offset": str(place)}, 8),
            ({"offset": str(place), "isInclusive": True}, 7),
            ({"sequenceNumber": place}, 8),
            ({"sequenceNumber": place, "isInclusive": True}, 7),
            ({"enqueuedOn": known[7]["enqueuedAt"]}, of_7[-1] + 1),
            ({"enqueuedOn": known[7]["enqueuedAt"] - 1}, of_7[0]),
        ]
        for start, expected in cases:
            with client.reading(start) as reader:
                assert reader.numbers(3) == [expected, expected + 1, expected + 2], start


def test_an_owner_takes_the_partition_from_one_of_the_same_or_a_lower_level(node: NodeProcess, stream: Stream) -> None:
    with opened(node, stream) as one, opened(node, stream) as other, one.reading(EARLIEST, ownerLevel=1) as first:
        first.take(COUNT)
        with other.reading(EARLIEST, ownerLevel=1) as second:
            second.take(COUNT)
            assert first.errors.get(timeout=PATIENCE)["code"] == "ReceiverDisconnectedError"
            assert first.closes.get(timeout=PATIENCE) == "OwnershipLost"


def test_a_reader_may_ask_how_far_the_partition_has_come(node: NodeProcess, stream: Stream) -> None:
    with opened(node, stream) as client, client.reading(EARLIEST, trackLastEnqueuedEventProperties=True) as reader:
        reader.take(stream.sent)
        last = reader.last.get(timeout=PATIENCE)
    place = stream.places()[-1]
    assert (last["sequenceNumber"], last["offset"]) == (place, str(place))


def test_what_is_not_there_is_known_as_such(node: NodeProcess, stream: Stream) -> None:
    with opened(node, stream) as client:
        with pytest.raises(NodeError, match="could not be found"):
            client.ask("partition", partition="99")
        with client.reading(EARLIEST, partition="99") as reader:
            assert "could not be found" in reader.errors.get(timeout=PATIENCE)["message"]
    with opened(node, stream, group="other") as client, client.reading(EARLIEST) as reader:
        assert reader.errors.get(timeout=PATIENCE)["code"] == "MessagingEntityNotFoundError"


def test_nobody_sends_into_the_stream(node: NodeProcess, stream: Stream) -> None:
    with pytest.raises(NodeError, match="read here"):
        node.ask("produce", connectionString=stream_connection_string(stream.hub))
