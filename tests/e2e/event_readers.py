"""Microsoft's unmodified Event Hubs client for Python, its kinds behind one blocking face."""

import asyncio
import queue
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import azure.eventhub
import azure.eventhub.aio
import pytest
from azure.eventhub import EventData, TransportType
from tests.e2e.python_client import PATIENCE
from tests.fakes.raw_device import RawDevice, events_topic, online
from tests.fakes.running_hub import Registered, RunningHub

PLAIN_PORT: Final = 5672
PARTITIONS: Final = 4


def stream_connection_string(hub: RunningHub, *, plain: bool = False) -> str:
    """What the hub tells people to give to readers; with `plain`, for the port without TLS."""
    text = hub.connection_string(events="true")
    return f"{text};UseDevelopmentEmulator=true" if plain else text


class Reading:
    """One reader at work: what it was given waits here."""

    def __init__(self) -> None:
        self.events: queue.Queue[EventData] = queue.Queue()
        self.errors: queue.Queue[Exception] = queue.Queue()
        self.last: list[dict[str, Any] | None] = []
        """What the client knew of the newest event in the partition, at each event."""

    def take(self, count: int, timeout: float = PATIENCE) -> list[EventData]:
        """Return the next events. Raises queue.Empty; an error that comes meanwhile is raised too."""
        taken: list[EventData] = []
        while len(taken) < count:
            try:
                taken.append(self.events.get(timeout=timeout))
            except queue.Empty:
                raise AssertionError(f"{len(taken)} of {count} events; {list(self.errors.queue)}") from None
        return taken

    def numbers(self, count: int, timeout: float = PATIENCE) -> list[int]:
        """Return the numbers in the bodies of the next events of a `Stream`."""
        return [event.body_as_json()["n"] for event in self.take(count, timeout)]


@dataclass(frozen=True)
class ReaderKind:
    """Which of the SDK's clients, over which transport."""

    aio: bool = False
    websockets: bool = False
    plain: bool = False
    uamqp: bool = False

    def __str__(self) -> str:
        way = "websocket" if self.websockets else "plain" if self.plain else "uamqp" if self.uamqp else "tls"
        return f"{'aio' if self.aio else 'sync'}-{way}"

    def client(self, hub: RunningHub, group: str = "$Default", **options: Any) -> Any:
        """Return a consumer client, not yet connected."""
        if not self.plain:
            options.setdefault("connection_verify", str(hub.ca_path))
        if self.websockets:
            options["transport_type"] = TransportType.AmqpOverWebsocket
        if self.uamqp:
            options["uamqp_transport"] = True
        kind = azure.eventhub.aio.EventHubConsumerClient if self.aio else azure.eventhub.EventHubConsumerClient
        text = stream_connection_string(hub, plain=self.plain)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # that uamqp will be gone one day
            return kind.from_connection_string(text, group, retry_total=options.pop("retry_total", 1), **options)

    def ask(self, hub: RunningHub, question: Callable[[Any], Any], **options: Any) -> Any:
        """Return what a client answers: `question` calls one of its methods."""
        if not self.aio:
            with self.client(hub, **options) as client:
                return question(client)

        async def answered() -> Any:
            async with self.client(hub, **options) as client:
                return await question(client)

        return asyncio.run(answered())

    @contextmanager
    def reading(
        self, hub: RunningHub, partition: str, start: Any, *, group: str = "$Default", retries: int = 1, **options: Any
    ) -> Iterator[Reading]:
        """Read one partition from `start` on until the block ends; with no `retries` the first error is told."""
        reading = Reading()
        asked = {"partition_id": partition, "starting_position": start, **options}
        run = self._read_aio if self.aio else self._read
        with run(self.client(hub, group, retry_total=retries), reading, asked):
            yield reading

    @contextmanager
    def _read(self, client: Any, reading: Reading, asked: dict[str, Any]) -> Iterator[None]:
        def take(context: Any, event: EventData) -> None:
            reading.last.append(context.last_enqueued_event_properties)
            reading.events.put(event)

        handlers = {"on_event": take, "on_error": lambda _, error: reading.errors.put(error)}
        thread = threading.Thread(target=client.receive, kwargs={**handlers, **asked})
        thread.start()
        try:
            yield
        finally:
            client.close()
            thread.join(PATIENCE)

    @contextmanager
    def _read_aio(self, client: Any, reading: Reading, asked: dict[str, Any]) -> Iterator[None]:
        loop = asyncio.new_event_loop()

        async def take(context: Any, event: EventData) -> None:
            reading.last.append(context.last_enqueued_event_properties)
            reading.events.put(event)

        async def fail(_: Any, error: Exception) -> None:
            reading.errors.put(error)

        async def read() -> None:
            async with client:
                await client.receive(on_event=take, on_error=fail, **asked)

        reader = loop.create_task(read())
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            yield
        finally:
            asyncio.run_coroutine_threadsafe(_ended(reader), loop).result(PATIENCE)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(PATIENCE)
            loop.close()


async def _ended(reader: "asyncio.Task[None]") -> None:
    reader.cancel()
    await asyncio.wait([reader])


SYNC: Final = ReaderKind()
KINDS: Final = [
    *(ReaderKind(aio=aio, **way) for aio in (False, True) for way in ({}, {"websockets": True}, {"plain": True})),
    ReaderKind(uamqp=True),
]
EVERY_READER: Final = pytest.mark.parametrize("kind", KINDS, ids=str)


@dataclass
class Stream:
    """A hub of its own with known events in one partition."""

    hub: RunningHub
    device: Registered
    sender: RawDevice
    partition: str = ""
    sent: int = 0

    def send(self, count: int = 1) -> None:
        """Store events one by one, so that each has a time of its own; their bodies tell their numbers, from 0."""
        for _ in range(count):
            self.sender.publish(events_topic(self.device, "kind=known"), b'{"n":%d}' % self.sent)
            self.sent += 1

    def places(self) -> list[int]:
        """Return the sequence numbers of all its events, which ascend; the hub's own events stand in between."""
        known = self.hub.events(count=self.sent, device=self.device.device_id)
        return [event["sequence_number"] for event in known]


@contextmanager
def known_stream(hub: RunningHub, device: Registered, count: int) -> Iterator[Stream]:
    """Events 0 to `count` - 1 in the device's partition of a hub that has no telemetry but theirs."""
    with online(hub, device) as sender:
        stream = Stream(hub, device, sender)
        stream.send(count)
        (first, *_) = hub.events(count=1, device=device.device_id)
        stream.partition = str(first["partition"])
        yield stream
