"""The MQTT head over stores and log in memory: all is the product's own but the socket, the clock and the dice."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

from tests.fakes.channel import FakeChannel
from tests.fakes.head_hub import HOST, HeadHub
from tests.fakes.mqtt_packets import connect

from ironhub.core.ids import Identity
from ironhub.heads.mqtt.conversation import MqttConversation
from ironhub.heads.mqtt.services import MqttServices, MqttSettings
from ironhub.identity.audience import HubNames

Packet = tuple[int, bytes]
"""First byte, and everything behind the length."""


class MqttHub(HeadHub):
    """A hub with an MQTT head; must be made in a running loop."""

    def __init__(self, settings: MqttSettings | None = None) -> None:
        super().__init__(HubNames((HOST,)))
        self.mqtt = MqttServices(
            gate=self.gate,
            telemetry=self.telemetry,
            twins=self.twin_service,
            commands=self.command_service,
            methods=self.method_service,
            sessions=self.sessions,
            store=self.stores.sessions,
            clock=self.clock,
            entropy=self.entropy,
            background=self.background,
            settings=settings or MqttSettings(),
        )

    async def settle(self) -> None:
        """Let everything that was begun come to its end."""
        for _ in range(50):
            await self.mqtt.background.drain(5.0)
            await asyncio.sleep(0)

    def dial(self, channel: FakeChannel | None = None) -> "Peer":
        """Return a new connection that has said nothing yet."""
        return Peer(self, channel or FakeChannel())

    async def connected(
        self, who: Identity, *filters: tuple[str, int], clean: bool = False, will: tuple[str, bytes] | None = None
    ) -> "Peer":
        """Return an accepted connection of `who`, subscribed to `filters`; what it was sent so far is forgotten."""
        peer = self.dial()
        peer.say(await self.hello(who, clean=clean, will=will))
        await self.settle()
        assert peer.hear()[0][0] == 0x20
        if filters:
            peer.subscribe(*filters)
            await self.settle()
            peer.hear()
        return peer

    async def hello(self, who: Identity, *, clean: bool = False, will: tuple[str, bytes] | None = None) -> bytes:
        """Return a good CONNECT of `who`."""
        password = (await self.token(who)).encode()
        return connect(str(who), username=username(who), password=password, clean=clean, will=will)


class Peer:
    """One client as the head sees it."""

    def __init__(self, hub: MqttHub, channel: FakeChannel) -> None:
        self.channel = channel
        self.conversation = MqttConversation(channel, hub.mqtt)
        self._packet_id = 100

    def say(self, *data: bytes, cuts: Sequence[int] = ()) -> None:
        """Send bytes, cut where `cuts` says."""
        whole = b"".join(data)
        for start, end in pairwise([0, *cuts, len(whole)]):
            self.conversation.receive(whole[start:end])

    def subscribe(self, *filters: tuple[str, int]) -> None:
        """Send a SUBSCRIBE."""
        from tests.fakes.mqtt_packets import subscribe

        self._packet_id += 1
        self.say(subscribe(self._packet_id, *filters))

    def is_read(self) -> bool:
        """Whether the head reads from this peer now."""
        return self.channel.reading

    def hear(self) -> list[Packet]:
        """Return the packets sent since the last call."""
        return list(split(self.channel.take()))


def username(who: Identity, host: str = HOST, query: str = "api-version=2021-04-12") -> str:
    """Return the username that belongs to the client id of `who`."""
    return f"{host}/{who}/?{query}"


def split(data: bytes) -> list[Packet]:
    """Return the packets that `data` consists of."""
    packets: list[Packet] = []
    while data:
        size, shift, at = 0, 0, 1
        while True:
            size |= (data[at] & 127) << shift
            shift, at = shift + 7, at + 1
            if data[at - 1] < 128:
                break
        packets.append((data[0], data[at : at + size]))
        data = data[at + size :]
    return packets


def published(packet: Packet) -> tuple[str, bytes]:
    """Return topic and payload of a PUBLISH."""
    first, body = packet
    assert first & 0xF0 == 0x30
    size = int.from_bytes(body[:2], "big")
    rest = body[2 + size :]
    return body[2 : 2 + size].decode(), rest[2:] if first & 6 else rest


def packet_id(packet: Packet) -> int:
    """Return the packet id of a PUBLISH with QoS 1."""
    _, body = packet
    size = int.from_bytes(body[:2], "big")
    return int.from_bytes(body[2 + size : 4 + size], "big")
