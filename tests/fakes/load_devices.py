"""Devices that send, report and take commands as fast as they are acknowledged, and know exactly what was acknowledged.

Each message has a number of its own and is sent once: one that was not acknowledged may be stored or not, and whatever
is stored twice is the hub's doing. They speak MQTT over TLS in one event loop and come back whenever they are cut off.
"""

import asyncio
import json
import ssl
import time
from base64 import b64decode
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final
from urllib.parse import unquote

from tests.fakes.mqtt_packets import connect, puback, publish, subscribe
from tests.fakes.running_hub import Registered, RunningHub

from ironhub.identity.sas import make_sas_token
from ironhub.wire.mqtt import LEVEL_4, Packet, PacketStream, PacketType, Publish
from ironhub.wire.mqtt.packets import Ack, Connack, Suback

REDIAL: Final = 0.05
"""Seconds a device waits before it dials again."""
LARGE_EVERY: Final = 40
"""One message in so many is large, so that commits differ in size."""
LEFT_EVERY: Final = 4
"""One command in so many is not settled when it is first seen."""
_LARGE: Final = "x" * 20_000
_PROPERTIES: Final = "%24.ct=application%2Fjson&%24.ce=utf-8"


@dataclass
class Record:
    """What one device did, and what the hub acknowledged."""

    device: Registered
    sent: int = 0
    """Messages 1 to `sent` were written to a connection."""
    acked: list[int] = field(default_factory=list)
    """Numbers of messages, in the order of their PUBACKs."""
    reports: int = 0
    """Reported patches 1 to `reports` were sent, one at a time."""
    reported: dict[int, int] = field(default_factory=dict)
    """Version of the reported properties, by patch that was answered with success."""
    seen: Counter[str] = field(default_factory=Counter)
    """How often each command came, by message id."""
    settled: set[str] = field(default_factory=set)
    """Commands whose PUBACK was written to a connection."""
    opened: int = 0
    """Connections the hub accepted."""
    lost: int = 0
    """Connections that ended, or could not be made."""
    refusals: Counter[int] = field(default_factory=Counter)
    """Statuses of patches that were answered with an error."""
    faults: list[str] = field(default_factory=list)
    """What no hub may do."""

    @property
    def waiting(self) -> int:
        """Messages that were sent on some connection and never acknowledged."""
        return self.sent - len(self.acked)


class LoadDevice:
    """One device; `run` connects it again and again until cancelled."""

    def __init__(
        self,
        record: Record,
        hub: RunningHub,
        context: ssl.SSLContext,
        *,
        window: int,
        clean: bool,
        reports: bool = True,
    ) -> None:
        """`window`: messages on their way at a time; `reports`: whether it changes its reported properties, too."""
        self.record = record
        self.window = window
        self.reports = reports
        self._hub = hub
        self._context = context
        self._clean = clean

    async def run(self, *, quiet: bool = False) -> None:
        """Connect, and again REDIAL seconds after each end; `quiet` devices look at commands and touch nothing."""
        loop = asyncio.get_running_loop()
        while True:
            link = Link(self, quiet=quiet)
            try:
                with suppress(OSError, ssl.SSLError):
                    where = self._hub.address, self._hub.ready["mqtt"]
                    await loop.create_connection(partial(_same, link), *where, ssl=self._context)
                    await link.closed.wait()
            finally:
                link.abort()
            self.record.lost += 1
            await asyncio.sleep(REDIAL)

    def onlooker(self) -> "LoadDevice":
        """The same device with a record of its own."""
        return LoadDevice(Record(self.record.device), self._hub, self._context, window=0, clean=self._clean)

    def connect_packet(self) -> bytes:
        """CONNECT with a token that lives an hour."""
        device_id = self.record.device.device_id
        host = self._hub.address
        key = b64decode(self.record.device.primary_key)
        token = make_sas_token(f"{host}/devices/{device_id}", key, int(time.time()) + 3600)
        username = f"{host}/{device_id}/?api-version=2021-04-12"
        return connect(device_id, username=username, password=token.encode(), clean=self._clean)


class Link(asyncio.Protocol):
    """One connection of a device."""

    def __init__(self, device: LoadDevice, *, quiet: bool) -> None:
        self.closed = asyncio.Event()
        self.listening = asyncio.Event()
        """The hub confirmed the subscriptions."""
        self._device = device
        self._record = device.record
        self._quiet = quiet
        self._stream = PacketStream(1 << 20, level=LEVEL_4)
        self._transport: asyncio.Transport | None = None
        self._in_flight: deque[int] = deque()
        self._reporting = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TLS is up."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._device.connect_packet())

    def connection_lost(self, exc: Exception | None) -> None:
        """The hub closed, or was killed."""
        self.closed.set()

    def data_received(self, data: bytes) -> None:
        """Bytes from the hub, cut anywhere."""
        packets: list[Packet] = []
        self._stream.feed(data, packets)
        answer = [part for packet in packets for part in self._answer(packet)]
        self._write(b"".join(answer))

    def abort(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.abort()

    def _write(self, data: bytes) -> None:
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _answer(self, packet: Packet) -> list[bytes]:
        match packet:
            case Connack(code=0):
                self._record.opened += 1
                base = f"devices/{self._record.device.device_id}/messages/devicebound/#"
                return [subscribe(1, (base, 1), ("$iothub/twin/res/#", 0))]
            case Suback():
                self.listening.set()
                return [] if self._quiet else [*self._fill(), self._report()]
            case Ack(packet_type=PacketType.PUBACK, packet_id=packet_id):
                return self._acknowledged(packet_id)
            case Publish():
                return self._received(packet)
        return []

    def _fill(self) -> list[bytes]:
        """As many messages as the window has room for."""
        record = self._record
        topic = f"devices/{record.device.device_id}/messages/events/{_PROPERTIES}"
        messages = []
        while len(self._in_flight) < self._device.window:
            record.sent += 1
            body = {"n": record.sent, "pad": _LARGE if record.sent % LARGE_EVERY == 0 else ""}
            self._in_flight.append(record.sent)
            packet_id = _packet_id(record.sent)
            messages.append(publish(topic, json.dumps(body).encode(), qos=1, packet_id=packet_id))
        return messages

    def _acknowledged(self, packet_id: int) -> list[bytes]:
        if not self._in_flight or _packet_id(self._in_flight[0]) != packet_id:
            self._record.faults.append(f"PUBACK {packet_id} out of order")
            return []
        self._record.acked.append(self._in_flight.popleft())
        return self._fill()

    def _report(self) -> bytes:
        if self.closed.is_set() or not self._device.reports:
            return b""
        self._record.reports += 1
        number = self._reporting = self._record.reports
        return publish(f"$iothub/twin/PATCH/properties/reported/?$rid={number}", json.dumps({"n": number}).encode())

    def _received(self, packet: Publish) -> list[bytes]:
        if packet.topic.startswith("$iothub/twin/res/"):
            return [] if self._quiet else self._answered(packet.topic)
        message_id = _message_id(packet.topic)
        self._record.seen[message_id] += 1
        if self._quiet or (self._record.seen[message_id] == 1 and _leaves(message_id)):
            return []
        self._record.settled.add(message_id)
        return [puback(packet.packet_id)]

    def _answered(self, topic: str) -> list[bytes]:
        status, _, query = topic.removeprefix("$iothub/twin/res/").partition("/?")
        fields = dict(pair.split("=", 1) for pair in query.split("&"))
        number, record = int(fields["$rid"]), self._record
        if not 0 < number <= record.reports or number in record.reported:
            record.faults.append(f"an answer to {number}, which is none or answered")
        elif status == "204":
            record.reported[number] = int(fields["$version"])
        else:
            record.refusals[int(status)] += 1
        if number < self._reporting:
            return []  # a persistent session gets the answer that its last connection did not live to see
        if status == "204":
            return [self._report()]
        asyncio.get_running_loop().call_later(REDIAL, lambda: self._write(self._report()))
        return []


def _same(link: Link) -> Link:
    return link


def _packet_id(number: int) -> int:
    return number % 60_000 + 1


def _message_id(topic: str) -> str:
    for pair in topic.split("/")[-1].split("&"):
        name, _, value = pair.partition("=")
        if unquote(name) == "$.mid":
            return unquote(value)
    raise AssertionError(f"a command without a message id: {topic}")


def _leaves(message_id: str) -> bool:
    return int(message_id.rsplit("-", 1)[1]) % LEFT_EVERY == 0
