"""One MQTT 3.1.1 session as a client sees it: bytes in, events out.

What it guards: a server that is silent, or sends what it may not, ends the session; nothing counts as delivered before
it was acknowledged; what waits in either direction is bounded.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final, final

from ironhub.wire.mqtt.acks import InboundAcks, OutboundIds
from ironhub.wire.mqtt.encode import encode_packet, encode_publish
from ironhub.wire.mqtt.errors import ProtocolViolation, UsageError
from ironhub.wire.mqtt.events import Acknowledged, Closed
from ironhub.wire.mqtt.packets import (
    LEVEL_4,
    Ack,
    Connack,
    Connect,
    Disconnect,
    Packet,
    PacketType,
    Pingreq,
    Publish,
    Suback,
    Subscribe,
    Subscription,
    type_of,
)
from ironhub.wire.mqtt.reasons import ReasonCode
from ironhub.wire.mqtt.stream import PacketStream


class ClientState(Enum):
    """How far a client's session is."""

    AWAITING_CONNACK = 1
    OPEN = 2
    CLOSED = 3


CLIENT_ALLOWED: Final[dict[ClientState, frozenset[PacketType]]] = {
    ClientState.AWAITING_CONNACK: frozenset({PacketType.CONNACK}),  # [MQTT-3.2.0-1]
    ClientState.OPEN: frozenset({PacketType.PUBLISH, PacketType.PUBACK, PacketType.SUBACK, PacketType.PINGRESP}),
    ClientState.CLOSED: frozenset(),
}
"""The order of the protocol as a client sees it, all of it; QoS 2 is never asked for."""


@final
@dataclass(frozen=True, kw_only=True)
class ClientLimits:
    """Bytes, seconds and counts a server may take."""

    answer_timeout: float = 30.0
    """Seconds until CONNACK, and until each PINGRESP."""
    max_packet: int = 262_144 + 65_536 + 16
    """Bytes of a packet, header included."""
    send_window: int = 16
    """Publishes with QoS 1 and subscriptions that may wait for their acknowledgement."""
    receive_window: int = 64
    """Publishes of the server that may wait for ours; one more ends the session."""


@final
@dataclass(frozen=True)
class Accepted:
    """The server takes the session."""

    session_present: bool


@final
@dataclass(frozen=True)
class Refused:
    """The server does not; `code` is its return code, 1 to 5. The session is CLOSED."""

    code: int


@final
@dataclass(frozen=True)
class Subscribed:
    """The answer to `subscribe`: for each filter the QoS granted, or 0x80."""

    packet_id: int
    codes: bytes


ClientEvent = Accepted | Refused | Subscribed | Publish | Acknowledged | Closed
"""`Refused` and `Closed` are last words: nothing comes after either."""


@final
class ClientSession:
    """Feed it what the socket gives, act on the events, send `to_send()` after every call, and close when CLOSED."""

    __slots__ = (
        "_answer_by",
        "_ids",
        "_inbound",
        "_keep_alive",
        "_limits",
        "_out",
        "_pinging",
        "_spoke_at",
        "_stream",
        "state",
    )

    def __init__(self, connect: Connect, limits: ClientLimits, now: float) -> None:
        """Begin with `connect`; `now` in seconds of any clock that does not jump. Raises UsageError: not 3.1.1."""
        if connect.level != LEVEL_4:
            raise UsageError("a client session speaks MQTT 3.1.1")
        self.state = ClientState.AWAITING_CONNACK
        self._limits = limits
        self._keep_alive = float(connect.keep_alive)
        self._stream = PacketStream(limits.max_packet, level=LEVEL_4)
        self._out: list[bytes] = [encode_packet(connect, LEVEL_4)]
        self._ids = OutboundIds(limits.send_window)
        self._inbound = InboundAcks()
        self._pinging = False
        self._spoke_at = now
        self._answer_by = now + limits.answer_timeout

    @property
    def next_timeout(self) -> float | None:
        """When to call `on_timeout` unless the session is asked again before; None: no wait runs."""
        if self.state is ClientState.CLOSED:
            return None
        if self._pinging or self.state is ClientState.AWAITING_CONNACK:
            return self._answer_by
        return self._spoke_at + self._keep_alive if self._keep_alive else None

    @property
    def can_publish(self) -> bool:
        """Whether `publish` takes one more with QoS 1, and `subscribe` one more."""
        return self.state is ClientState.OPEN and not self._ids.is_full

    @property
    def in_flight(self) -> int:
        """Publishes and subscriptions that wait for the server's acknowledgement."""
        return len(self._ids)

    def receive(self, data: bytes) -> list[ClientEvent]:
        """Take `bytes`, cut anywhere, and return the events they complete.

        Never raises for what the server does: the last event is then `Closed`.
        """
        events: list[ClientEvent] = []
        if self.state is ClientState.CLOSED:
            return events
        packets: list[Packet] = []
        try:
            try:
                self._stream.feed(data, packets)
            finally:
                for packet in packets:
                    self._on_packet(packet, events)
        except ProtocolViolation as error:
            self._fail(str(error), error.code, events)
        return events

    def to_send(self) -> bytes:
        """The bytes to write to the socket, in one piece; they are given once."""
        out = self._out
        if not out:
            return b""
        data = out[0] if len(out) == 1 else b"".join(out)
        out.clear()
        return data

    def on_timeout(self, now: float) -> list[ClientEvent]:
        """Say that we are there when it is time [MQTT-3.1.2-23]; end a session whose server does not answer."""
        events: list[ClientEvent] = []
        due = self.next_timeout
        if due is None or now < due:
            return events
        if self._pinging or self.state is ClientState.AWAITING_CONNACK:
            self._fail("the server does not answer", ReasonCode.KEEP_ALIVE_TIMEOUT, events)
            return events
        self._out.append(encode_packet(Pingreq(), LEVEL_4))
        self._pinging = True
        self._spoke_at = now
        self._answer_by = now + self._limits.answer_timeout
        return events

    def publish(self, topic: str, payload: bytes, qos: int, now: float) -> int:
        """Send a message; returns its packet id, which `Acknowledged` will name, or 0 with QoS 0.

        Raises:
            UsageError: the session is not open, the window is full (`can_publish`), or this is no message.
        """
        self._require_open()
        if not 0 <= qos <= 1 or not topic or "#" in topic or "+" in topic:
            raise UsageError("a message goes to a topic name, with QoS 0 or 1")
        packet_id = self._ids.peek() if qos else 0
        self._out.append(encode_publish(topic, payload, qos, packet_id, False, False, (), LEVEL_4))
        if qos:
            self._ids.take(packet_id)
        self._spoke_at = now
        return packet_id

    def subscribe(self, filters: tuple[str, ...], qos: int) -> int:
        """Ask for messages of all `filters`; returns the packet id that `Subscribed` will name. Raises UsageError."""
        self._require_open()
        packet_id = self._ids.peek()
        wanted = tuple([Subscription(topic_filter, min(qos, 1)) for topic_filter in filters])
        self._out.append(encode_packet(Subscribe(packet_id, wanted), LEVEL_4))
        self._ids.take(packet_id)
        return packet_id

    def acknowledge(self, packet_id: int) -> None:
        """A message of the server with QoS 1 is dealt with. Raises UsageError: no such message waits."""
        if self.state is ClientState.CLOSED:
            return
        data = self._inbound.settle(packet_id)
        if data:
            self._out.append(data)

    def disconnect(self) -> None:
        """Take leave; send `to_send()` and close."""
        if self.state is ClientState.OPEN:
            self._out.append(encode_packet(Disconnect(), LEVEL_4))
        self._end()

    def _require_open(self) -> None:
        if self.state is not ClientState.OPEN:
            raise UsageError("the session is not open")

    def _on_packet(self, packet: Packet, events: list[ClientEvent]) -> None:
        if self.state is ClientState.CLOSED:
            return
        if type_of(packet) not in CLIENT_ALLOWED[self.state]:
            raise ProtocolViolation(f"{type_of(packet).name} may not come here", ReasonCode.PROTOCOL_ERROR)
        if isinstance(packet, Publish):
            self._on_publish(packet, events)
        elif isinstance(packet, Ack):
            if self._ids.release(packet.packet_id):
                events.append(Acknowledged(packet.packet_id))
        elif isinstance(packet, Suback):
            if self._ids.release(packet.packet_id):
                events.append(Subscribed(packet.packet_id, packet.codes))
        elif isinstance(packet, Connack):
            self._on_connack(packet, events)
        else:
            self._pinging = False

    def _on_connack(self, packet: Connack, events: list[ClientEvent]) -> None:
        if packet.code:
            self._end()
            events.append(Refused(packet.code))
            return
        self.state = ClientState.OPEN
        events.append(Accepted(packet.session_present))

    def _on_publish(self, packet: Publish, events: list[ClientEvent]) -> None:
        if packet.qos > 1:  # [MQTT-3.8.4-6] it was never granted
            raise ProtocolViolation("a message has a QoS that was not asked for", ReasonCode.QOS_NOT_SUPPORTED)
        if packet.qos:
            if len(self._inbound) >= self._limits.receive_window:
                raise ProtocolViolation("too many messages wait", ReasonCode.RECEIVE_MAXIMUM_EXCEEDED)
            self._inbound.add(packet.packet_id, packet.qos)
        events.append(packet)

    def _fail(self, reason: str, code: int, events: list[ClientEvent]) -> None:
        self._end()
        events.append(Closed(reason, code))

    def _end(self) -> None:
        self.state = ClientState.CLOSED
        self._stream.clear()
